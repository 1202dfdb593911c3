import { Link } from "@tanstack/react-router";
import {
  Card,
  Chip,
  Empty,
  formatAway,
  formatDuration,
  formatNumber,
  useNow,
  Waiting,
} from "../../ui/index.ts";
import { useAsked } from "../api.ts";
import { Choice } from "../parts/Choice.tsx";
import { formatMicros } from "../parts/money.ts";
import { AskProblem } from "../parts/Problem.tsx";
import { lookOf, RUNS, type RunLine, STATUSES, type Status, triggerOf } from "./agents.ts";

const SHOWN = 100;

interface RunsCardProps {
  readonly agent: string | null;
  readonly status: Status | null;
  readonly onStatus: (status: Status | null) => void;
  readonly className?: string;
}

/** The newest runs, of one agent or of all. */
export function RunsCard({ agent, status, onStatus, className = "" }: RunsCardProps) {
  const query = new URLSearchParams({
    agent: agent ?? "",
    status: status ?? "",
    limit: String(SHOWN),
  });
  const { data, error } = useAsked<{ runs: readonly RunLine[] }>(`${RUNS}?${query}`, 2_000);
  return (
    <Card
      title={agent === null ? "Runs" : `Runs of ${agent}`}
      className={className}
      actions={
        <Choice
          label="Status"
          value={status ?? "all"}
          options={[
            ["all", "All"],
            ...STATUSES.map((one) => [one, lookOf({ status: one, paused: false }).label] as const),
          ]}
          onChange={(next) => onStatus(next === "all" ? null : (next as Status))}
        />
      }
    >
      {data === undefined ? (
        error === null ? (
          <Waiting lines={6} />
        ) : (
          <div className="px-4 sm:px-5">
            <AskProblem error={error} />
          </div>
        )
      ) : data.runs.length === 0 ? (
        <Empty title="No such runs" command={`./lakemill agent run ${agent ?? "AGENT"}`}>
          A run begins by a request, a message, a schedule or a changed row.
        </Empty>
      ) : (
        <Runs runs={data.runs} />
      )}
    </Card>
  );
}

function Runs({ runs }: { runs: readonly RunLine[] }) {
  const now = useNow();
  return (
    <>
      <table className="w-full">
        <thead className="text-sm text-muted">
          <tr>
            <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
              Run
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-normal max-sm:hidden">
              Steps
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-normal max-md:hidden">
              Tokens
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-normal max-md:hidden">
              Cost
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-normal max-sm:hidden">
              Ran
            </th>
            <th scope="col" className="py-1.5 pr-4 text-right font-normal sm:pr-5">
              Status
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <RunRow key={run.run_id} run={run} now={now} />
          ))}
        </tbody>
      </table>
      {runs.length === SHOWN && (
        <p className="border-t border-line px-4 py-2 text-sm text-muted sm:px-5">
          The newest {SHOWN}; <code className="font-mono">./lakemill agent runs</code> lists more.
        </p>
      )}
    </>
  );
}

function RunRow({ run, now }: { run: RunLine; now: number }) {
  const { label, tone } = lookOf(run);
  return (
    <tr className="relative border-t border-line align-top hover:bg-sunken">
      <th scope="row" className="py-2 pl-4 text-left font-normal sm:pl-5">
        <Link
          to="/runs/$run"
          params={{ run: run.run_id }}
          className="font-medium break-all after:absolute after:inset-0 hover:text-accent"
        >
          {run.agent} <span className="font-normal text-muted">{run.run_id.slice(0, 8)}</span>
        </Link>
        <p className="text-xs break-words text-muted">
          {formatAway(Date.parse(run.created_at), now)}, {triggerOf(run.trigger_kind)}
          {run.on_behalf_of !== "" && `, for ${run.on_behalf_of}`}
        </p>
        {run.error !== "" && (
          <p className="line-clamp-2 text-xs break-words text-bad">{run.error}</p>
        )}
      </th>
      <td className="px-3 py-2 text-right max-sm:hidden">{formatNumber(run.steps_used)}</td>
      <td className="px-3 py-2 text-right max-md:hidden">{formatNumber(run.tokens_used)}</td>
      <td className="px-3 py-2 text-right max-md:hidden">{formatMicros(run.cost_micros_used)}</td>
      <td className="px-3 py-2 text-right whitespace-nowrap max-sm:hidden">
        {formatDuration(run.ran_ms)}
      </td>
      <td className="py-2 pr-4 text-right sm:pr-5">
        <Chip tone={tone}>{label}</Chip>
      </td>
    </tr>
  );
}
