import { Link } from "@tanstack/react-router";
import { useState } from "react";
import {
  Card,
  Chip,
  Empty,
  Figure,
  formatAway,
  formatClock,
  formatDuration,
  formatNumber,
  Meter,
  useNow,
  Waiting,
} from "../../ui/index.ts";
import { type Doing, post, useAsked, useDoing } from "../api.ts";
import { Button } from "../parts/Button.tsx";
import { Confirm } from "../parts/Confirm.tsx";
import { DraftedBy } from "../parts/DraftedBy.tsx";
import { Facts } from "../parts/Facts.tsx";
import { Json } from "../parts/Json.tsx";
import { formatMicros } from "../parts/money.ts";
import { AskProblem, DoneLine, Problem } from "../parts/Problem.tsx";
import {
  AGENTS,
  type Agent,
  type Agents,
  isOpen,
  lookOf,
  RUNS,
  type Run,
  triggerOf,
} from "./agents.ts";
import { MessagesCard } from "./MessagesCard.tsx";
import { type Entry, timelineOf } from "./timeline.ts";

/** One run: what it did, step by step, what it used, and what it waits for. */
export function RunPage({ id }: { id: string }) {
  const { data: run, error } = useAsked<Run>(`${RUNS}/${encodeURIComponent(id)}`, 1_000);
  const { data: agents } = useAsked<Agents>(AGENTS, 5_000);
  const doing = useDoing();
  if (run === undefined) {
    return error === null ? (
      <Waiting lines={8} />
    ) : (
      <Empty title="This run cannot be shown" command="./lakemill agent runs">
        {error.message}
      </Empty>
    );
  }
  const agent = agents?.agents.find(({ name }) => name === run.agent) ?? null;
  return (
    <>
      <AskProblem error={error} />
      <Header run={run} agent={agent} doing={doing} />
      {run.error !== "" && <Problem title={run.error_code || "It failed"}>{run.error}</Problem>}
      <Used run={run} agent={agent} />
      <div className="mt-4 grid grid-cols-1 gap-4 xl:grid-cols-12">
        <Timeline run={run} className="self-start xl:col-span-8" />
        <div className="flex min-w-0 flex-col gap-4 xl:col-span-4">
          <Card title="Input and output">
            <div className="flex flex-col gap-3 px-4 pb-4 sm:px-5">
              <Json label="Input" value={run.input} />
              {run.output !== null && <Json label="Output" value={run.output} />}
            </div>
          </Card>
          <MessagesCard run={run} />
          <Origin run={run} />
        </div>
      </div>
    </>
  );
}

interface HeaderProps {
  readonly run: Run;
  readonly agent: Agent | null;
  readonly doing: Doing;
}

function Header({ run, agent, doing }: HeaderProps) {
  const [asks, setAsks] = useState(false);
  const { label, tone } = lookOf(run);
  const at = `${RUNS}/${run.run_id}`;
  const pause = () =>
    doing.run(async () => {
      await post(`${at}/${run.paused ? "resume" : "pause"}`);
      return run.paused ? "The run goes on." : "The run is paused.";
    });
  const cancel = () =>
    doing.run(async () => {
      const { cancelled } = await post<{ cancelled: boolean }>(`${at}/cancel`, {
        reason: "in the console",
      });
      return cancelled ? "The run is cancelled." : "The run had ended before.";
    });
  return (
    <div className="mb-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="min-w-0 text-2xl font-semibold tracking-tight break-words">
          <Link to="/agents" search={{ agent: run.agent }} className="hover:text-accent">
            {run.agent}
          </Link>
        </h2>
        <Chip tone={tone}>{label}</Chip>
        {isOpen(run.status) && (
          <div className="ml-auto flex gap-2">
            {agent?.may_manage && (
              <Button onClick={pause} disabled={doing.isRunning}>
                {run.paused ? "Resume" : "Pause"}
              </Button>
            )}
            <Button look="danger" onClick={() => setAsks(true)} disabled={doing.isRunning}>
              Cancel the run
            </Button>
          </div>
        )}
      </div>
      <p className="font-mono text-xs break-all text-muted">{run.run_id}</p>
      <DoneLine doing={doing} />
      {asks && (
        <Confirm
          title="Cancel this run?"
          action="Cancel the run"
          onConfirm={cancel}
          onClose={() => setAsks(false)}
        >
          It ends for good, with what it waits for. What it has written and sent stays.
        </Confirm>
      )}
    </div>
  );
}

function Used({ run, agent }: { run: Run; agent: Agent | null }) {
  const rows = [
    ["Steps", run.steps_used, agent?.steps_max, formatNumber],
    ["Tokens", run.tokens_used, agent?.tokens_max, formatNumber],
    ["Cost", run.cost_micros_used, agent?.cost_micros_max, formatMicros],
    ["Running time", run.ran_ms, agent ? agent.seconds_max * 1_000 : undefined, formatDuration],
  ] as const;
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      {rows.map(([label, used, max, format]) => (
        <Figure
          key={label}
          label={label}
          value={format(used)}
          note={
            max !== undefined && (
              <>
                of {format(max)}
                <Meter
                  value={used}
                  max={max}
                  tone={used >= max ? "bad" : used >= 0.8 * max ? "warn" : "good"}
                  className="mt-1"
                />
              </>
            )
          }
        />
      ))}
    </dl>
  );
}

function Origin({ run }: { run: Run }) {
  const now = useNow();
  return (
    <Card title="Where it comes from">
      <Facts
        rows={[
          [
            "Started",
            `${formatAway(Date.parse(run.created_at), now)}, ${triggerOf(run.trigger_kind)}`,
          ],
          ["By", run.started_by],
          ...(run.on_behalf_of === "" ? [] : [["For", run.on_behalf_of] as const]),
          [
            "Key",
            <code key="key" className="font-mono text-xs break-all">
              {run.trigger_key}
            </code>,
          ],
          ...(run.finished_at === null
            ? []
            : [["Ended", formatAway(Date.parse(run.finished_at), now)] as const]),
          [
            "Taken over",
            run.takeovers === 0
              ? "never"
              : `${formatNumber(run.takeovers)} times, from workers that were gone`,
          ],
          ["Read tables", run.reads.join(", ") || "none"],
        ]}
      />
    </Card>
  );
}

function Timeline({ run, className }: { run: Run; className: string }) {
  const entries = timelineOf(run);
  return (
    <Card
      title="Steps"
      className={className}
      explanation="Each step is recorded once; a run that is begun again gets them back and goes on behind them."
    >
      {entries.length === 0 ? (
        <Empty title="No step yet">
          {isOpen(run.status)
            ? "A worker of the agent has to take the run."
            : "The run ended before its first step."}
        </Empty>
      ) : (
        <ol className="border-t border-line">
          {entries.map((entry) => (
            <TimelineRow key={entry.seq} entry={entry} />
          ))}
        </ol>
      )}
    </Card>
  );
}

const DOTS: Record<Entry["tone"], string> = {
  good: "bg-good",
  warn: "bg-warn",
  bad: "bg-bad",
  plain: "bg-line-strong",
};

function TimelineRow({ entry }: { entry: Entry }) {
  const { step, approval, mail } = entry;
  const figures = [
    entry.millis === null ? null : formatDuration(entry.millis),
    entry.tokens === null ? null : `${formatNumber(entry.tokens)} tokens`,
    entry.costMicros === null || entry.costMicros === 0 ? null : formatMicros(entry.costMicros),
  ].filter((figure) => figure !== null);
  const hasMore =
    mail !== null || approval !== null || step?.input !== null || step?.output !== null;
  return (
    <li className="relative border-b border-line py-2.5 pr-4 pl-10 last:border-b-0 sm:pr-5 sm:pl-11">
      <span
        aria-hidden="true"
        className={`absolute top-4 left-5 size-2.5 rounded-full ${DOTS[entry.tone]}`}
      />
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <p className="min-w-0 font-medium break-words">
          <span className="text-muted">{entry.seq}.</span> {entry.name}
        </p>
        <p className="min-w-0 text-sm break-words text-muted">{entry.what}</p>
        {entry.author && <DraftedBy author={entry.author} />}
        <p className="ml-auto text-sm whitespace-nowrap text-muted">
          {figures.length > 0 && `${figures.join(", ")} · `}
          <time dateTime={new Date(entry.atMillis || 0).toISOString()}>
            {formatClock(entry.atMillis)}
          </time>
        </p>
      </div>
      {entry.state !== "done" && <p className="text-sm break-words">{entry.state}</p>}
      {approval?.state === "pending" && (
        <Link
          to="/inbox"
          search={{ approval: approval.approval_id }}
          className="text-sm font-medium text-accent hover:underline"
        >
          Decide it in the inbox
        </Link>
      )}
      {hasMore && (
        <details className="mt-1 text-sm">
          <summary className="w-fit text-muted hover:text-ink">What went in and came out</summary>
          <div className="mt-2 flex flex-col gap-3">
            {mail !== null && <Json label={mail.subject} value={mail.body} />}
            {approval !== null && mail === null && <Json label="Asked" value={approval.args} />}
            {step !== null && step.input !== null && <Json label="In" value={step.input} />}
            {step !== null && step.output !== null && <Json label="Out" value={step.output} />}
          </div>
        </details>
      )}
    </li>
  );
}
