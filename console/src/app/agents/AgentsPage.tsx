import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Card, Chip, Empty, formatAway, useNow, Waiting } from "../../ui/index.ts";
import { post, useAsked, useDoing } from "../api.ts";
import { Button } from "../parts/Button.tsx";
import { Confirm } from "../parts/Confirm.tsx";
import { AskProblem, DoneLine } from "../parts/Problem.tsx";
import { AgentCard } from "./AgentCard.tsx";
import { AGENTS, type Agent, type Agents, type Status, SWITCH } from "./agents.ts";
import { RunsCard } from "./RunsCard.tsx";

interface AgentsPageProps {
  /** The agent that is looked at; null for all. */
  readonly agent: string | null;
  readonly status: Status | null;
  readonly onChoose: (chosen: { agent: string | null; status: Status | null }) => void;
}

/** Every agent, what it may use at most, and its runs. */
export function AgentsPage({ agent, status, onChoose }: AgentsPageProps) {
  const { data, error } = useAsked<Agents>(AGENTS, 2_000);
  const doing = useDoing();
  if (data === undefined) {
    return error === null ? <Waiting lines={8} /> : <AskProblem error={error} />;
  }
  const chosen = data.agents.find(({ name }) => name === agent) ?? null;
  return (
    <>
      <AskProblem error={error} />
      <SwitchBar agents={data} doing={doing} />
      <div className="grid grid-cols-1 gap-4 xl:grid-cols-12">
        <div className="flex min-w-0 flex-col gap-4 xl:col-span-5">
          <Card
            title="Agents"
            explanation="Each works as a service principal of its own. Choose one to see its caps and its runs alone."
          >
            {data.agents.length === 0 ? (
              <Empty
                title="No agents yet"
                command="./lakemill agent register NAME --principal SERVICE_PRINCIPAL"
              >
                Here stand those that you may start or manage.
              </Empty>
            ) : (
              <ul>
                {data.agents.map((one) => (
                  <AgentRow
                    key={one.name}
                    agent={one}
                    isChosen={one === chosen}
                    onChoose={() => onChoose({ agent: one === chosen ? null : one.name, status })}
                  />
                ))}
              </ul>
            )}
          </Card>
          {chosen !== null && <AgentCard agent={chosen} doing={doing} />}
          <DoneLine doing={doing} className="px-1" />
        </div>
        <RunsCard
          agent={chosen?.name ?? null}
          status={status}
          onStatus={(next) => onChoose({ agent, status: next })}
          className="self-start xl:col-span-7"
        />
      </div>
    </>
  );
}

interface SwitchBarProps {
  readonly agents: Agents;
  readonly doing: ReturnType<typeof useDoing>;
}

/** The kill switch: whether all agents are stopped, by whom, and the way back. */
function SwitchBar({ agents, doing }: SwitchBarProps) {
  const [asks, setAsks] = useState(false);
  const now = useNow();
  const { stopped, changed_by, changed_at } = agents.switch;
  const turn = (stop: boolean) =>
    doing.run(async () => {
      await post(SWITCH, { stopped: stop });
      return stop ? "All agents are stopped." : "Agents go on.";
    });
  return (
    <div
      className={`mb-4 flex flex-wrap items-center gap-x-4 gap-y-2 rounded-card border px-4 py-2.5 sm:px-5 ${
        stopped ? "border-bad bg-bad-tint" : "border-line bg-surface"
      }`}
    >
      <p className={`min-w-0 grow text-sm ${stopped ? "text-bad" : "text-muted"}`}>
        {stopped ? (
          <>
            <strong className="font-semibold">All agents are stopped</strong> by {changed_by},{" "}
            {formatAway(Date.parse(changed_at), now)}: nothing is written and no e-mail goes out.
          </>
        ) : (
          "Agents work. The kill switch stops all of them, and e-mail, at once."
        )}
      </p>
      {agents.may_stop_all &&
        (stopped ? (
          <Button onClick={() => turn(false)} disabled={doing.isRunning}>
            Let agents go on
          </Button>
        ) : (
          <Button look="danger" onClick={() => setAsks(true)} disabled={doing.isRunning}>
            Stop all agents
          </Button>
        ))}
      {asks && (
        <Confirm
          title="Stop all agents?"
          action="Stop all agents"
          onConfirm={() => turn(true)}
          onClose={() => setAsks(false)}
        >
          What they are writing just now is not kept; no e-mail is sent. Runs stay where they are
          and go on when you let them.
        </Confirm>
      )}
    </div>
  );
}

interface AgentRowProps {
  readonly agent: Agent;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function AgentRow({ agent, isChosen, onChoose }: AgentRowProps) {
  const open = [
    [agent.running, "running"],
    [agent.waiting, "waiting"],
    [agent.queued, "queued"],
  ] as const;
  const told = open.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return (
    <li
      className={`relative flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line px-4 py-2.5 hover:bg-sunken sm:px-5 ${
        isChosen ? "bg-accent-tint" : ""
      }`}
    >
      <div className="min-w-0 grow basis-48">
        <button
          type="button"
          aria-pressed={isChosen}
          onClick={onChoose}
          className="text-left font-medium after:absolute after:inset-0 hover:text-accent"
        >
          {agent.name}
        </button>
        {agent.description !== "" && <p className="text-sm text-muted">{agent.description}</p>}
      </div>
      <div className="flex items-center gap-3">
        <span className="text-sm text-muted">
          {told.length === 0 ? "nothing open" : told.join(", ")}
        </span>
        {agent.waiting > 0 && (
          <Link
            to="/inbox"
            className="relative z-10 text-sm font-medium text-accent hover:underline"
          >
            Inbox
          </Link>
        )}
        {agent.paused ? <Chip tone="warn">Paused</Chip> : <Chip tone="good">Works</Chip>}
      </div>
    </li>
  );
}
