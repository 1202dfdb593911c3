import { Card, formatDuration, formatNumber } from "../../ui/index.ts";
import { type Doing, post, useAsked } from "../api.ts";
import { Button } from "../parts/Button.tsx";
import { Facts } from "../parts/Facts.tsx";
import { formatMicros } from "../parts/money.ts";
import { AGENTS, type Agent } from "./agents.ts";

interface Trigger {
  readonly name: string;
  readonly kind: "schedule" | "row_change";
  readonly cron: string;
  readonly time_zone: string;
  readonly table_name: string;
  readonly operations: readonly string[];
  readonly changed_column: string;
  readonly becomes: string | null;
}

/** One agent: who it is, what a run of it may use, what starts it. */
export function AgentCard({ agent, doing }: { agent: Agent; doing: Doing }) {
  const turn = () =>
    doing.run(async () => {
      await post(`${AGENTS}/${agent.name}/${agent.paused ? "resume" : "pause"}`);
      return agent.paused ? `${agent.name} goes on.` : `${agent.name} is paused.`;
    });
  return (
    <Card
      title={agent.name}
      explanation="A run that reaches a cap of steps or time fails; at the caps of tokens and cost the next call of a model is refused."
      actions={
        agent.may_manage && (
          <Button onClick={turn} disabled={doing.isRunning}>
            {agent.paused ? "Resume" : "Pause"}
          </Button>
        )
      }
    >
      <Facts
        rows={[
          ["Works as", agent.principal],
          ["Owner", agent.owner],
          ["Started by", agent.callers.join(", ") || "its owner alone"],
          ["Approvers", agent.approvers.join(", ") || "nobody"],
          [
            "E-mail",
            agent.address_table === ""
              ? "sends none"
              : `to addresses of ${agent.address_table}${
                  agent.mail_needs_approval ? ", after approval" : ", without approval"
                }`,
          ],
        ]}
      />
      <h3 className="border-t border-line px-4 pt-3 pb-1 text-sm font-medium sm:px-5">
        A run may use
      </h3>
      <Facts
        rows={[
          ["Steps", formatNumber(agent.steps_max)],
          ["Tokens", formatNumber(agent.tokens_max)],
          ["Cost", formatMicros(agent.cost_micros_max)],
          ["Running time", formatDuration(agent.seconds_max * 1_000)],
          ["Failures in a row", formatNumber(agent.failures_max)],
        ]}
      />
      {agent.may_manage && <Triggers agent={agent.name} />}
    </Card>
  );
}

function Triggers({ agent }: { agent: string }) {
  const { data } = useAsked<{ triggers: readonly Trigger[] }>(
    `${AGENTS}/${agent}/triggers`,
    10_000,
  );
  if (data === undefined || data.triggers.length === 0) {
    return null;
  }
  return (
    <>
      <h3 className="border-t border-line px-4 pt-3 pb-1 text-sm font-medium sm:px-5">Starts by</h3>
      <Facts rows={data.triggers.map((trigger) => [trigger.name, told(trigger)])} />
    </>
  );
}

function told(trigger: Trigger): string {
  if (trigger.kind === "schedule") {
    return `schedule ${trigger.cron} (${trigger.time_zone})`;
  }
  const change = trigger.changed_column === "" ? "" : `, when ${trigger.changed_column} `;
  const becomes = trigger.becomes === null ? "changes" : `becomes ${trigger.becomes}`;
  return `${trigger.operations.join(", ")} on ${trigger.table_name}${change === "" ? "" : change + becomes}`;
}
