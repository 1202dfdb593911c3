import type { ExpectationStatus, OutputStatus, PipelineStatus } from "../live/index.ts";
import { Card, Chip, Flash, formatNumber, formatShare, type Tone } from "../ui/index.ts";
import { Breakable } from "./Breakable.tsx";
import { consequence } from "./layers.ts";

const STATES: Record<string, { label: string; tone: Tone }> = {
  RUNNING: { label: "Running", tone: "good" },
  FAILED: { label: "Failed", tone: "bad" },
  STOPPED: { label: "Stopped", tone: "plain" },
};

export function PipelineCard({ pipeline }: { pipeline: PipelineStatus }) {
  const { name, state, batch, batch_ms, error, outputs, expectations } = pipeline;
  const { label, tone } = STATES[state] ?? { label: state, tone: "plain" };
  return (
    <Card
      title={`Pipeline ${name}`}
      explanation="Each batch takes what came in, brings every table and view up to date, and checks each row against the rules below."
      actions={<Chip tone={tone}>{label}</Chip>}
    >
      <p className="px-4 pb-3 text-sm text-muted sm:px-5">
        Batch <span className="font-medium text-ink">{formatNumber(batch)}</span>
        {batch_ms !== null && (
          <>
            , took <span className="font-medium text-ink">{formatNumber(batch_ms)} ms</span>
          </>
        )}
      </p>
      {error !== null && (
        <p className="border-t border-line bg-bad-tint px-4 py-2.5 font-mono text-sm break-words whitespace-pre-wrap text-bad sm:px-5">
          {error}
        </p>
      )}
      {outputs.length > 0 && <Outputs outputs={outputs} />}
      {expectations.length > 0 && <Expectations expectations={expectations} />}
    </Card>
  );
}

/** Every row that came in was kept, set aside or dropped: the line adds up. */
function Outputs({ outputs }: { outputs: readonly OutputStatus[] }) {
  return (
    <table className="mb-3 w-full border-b border-line">
      <thead className="text-sm text-muted">
        <tr>
          <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
            Rows of
          </th>
          {["In", "Kept", "Set aside", "Dropped"].map((name) => (
            <th
              key={name}
              scope="col"
              className="py-1.5 pl-2 text-right font-normal last:pr-4 sm:last:pr-5"
            >
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {outputs.map(({ table, in: came, kept, quarantined, dropped }) => (
          <tr key={table} className="border-t border-line">
            <th scope="row" className="py-1.5 pl-4 text-left font-medium sm:pl-5">
              <Breakable name={table.split(".").at(-1) ?? table} />
            </th>
            <td className="py-1.5 pl-2 text-right">{formatNumber(came)}</td>
            <td className="py-1.5 pl-2 text-right">{formatNumber(kept)}</td>
            <td className="py-1.5 pl-2 text-right">{formatNumber(quarantined)}</td>
            <td className="py-1.5 pr-4 pl-2 text-right sm:pr-5">{formatNumber(dropped)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Expectations({ expectations }: { expectations: readonly ExpectationStatus[] }) {
  return (
    <table className="w-full">
      <thead className="text-sm text-muted">
        <tr>
          <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
            Expectation
          </th>
          <th scope="col" className="px-3 py-1.5 text-right font-normal">
            Passed
          </th>
          <th scope="col" className="py-1.5 pr-4 text-right font-normal sm:pr-5">
            Failed
          </th>
        </tr>
      </thead>
      <tbody>
        {expectations.map((expectation) => (
          <ExpectationRow key={`${expectation.table} ${expectation.name}`} {...expectation} />
        ))}
      </tbody>
    </table>
  );
}

function ExpectationRow({ table, name, passed, failed, action }: ExpectationStatus) {
  const all = passed + failed;
  return (
    <tr className="border-t border-line align-top">
      <th scope="row" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
        <p className="font-medium">
          <Breakable name={name} />
        </p>
        <p className="text-xs text-muted">
          {table.split(".").at(-1)} · {consequence(action)}
        </p>
      </th>
      <td className="px-3 py-1.5 text-right">{formatNumber(passed)}</td>
      <td className="py-1.5 pr-4 text-right sm:pr-5">
        <Flash>{formatNumber(failed)}</Flash>
        <p className={`text-xs ${failed > 0 ? "text-warn" : "text-muted"}`}>
          {formatShare(all > 0 ? failed / all : 0, 2)}
        </p>
      </td>
    </tr>
  );
}
