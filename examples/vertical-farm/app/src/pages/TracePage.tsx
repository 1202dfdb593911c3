import { Card, Empty, formatClock, formatDuration, Waiting } from "@lakemill/console/ui";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useRouter } from "@tanstack/react-router";
import { getTrace, type TraceEntry } from "../api.ts";
import { isTraced, type Step, steps } from "../derive/trace.ts";
import { useAddress } from "../frame/address.ts";
import { Button } from "../frame/Button.tsx";
import { Filter, matches } from "../frame/Filter.tsx";
import { TraceIcon } from "../frame/TraceLink.tsx";
import { useKeys } from "../frame/useKeys.ts";
import { told } from "../refused.ts";

const ASK_EVERY_MILLIS = 5_000;

/** How a number or an action came to be, back to the events that it rests on. */
export function TracePage() {
  const { kind = "", _splat: id = "" } = useParams({ strict: false });
  const { search, change } = useAddress();
  const router = useRouter();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["trace", kind, id],
    queryFn: () => getTrace(kind, id),
    refetchInterval: ASK_EVERY_MILLIS,
    retry: false,
  });
  useKeys("Trace", [{ keys: "u", label: "Back", run: () => router.history.back() }]);
  const all = steps(data?.entries ?? []);
  const shown = all.filter(({ entry }) =>
    matches(search.q ?? "", entry.who, entry.action, entry.detail, entry.source),
  );
  return (
    <Card
      title={data?.title ?? "Where does this come from?"}
      className="mx-auto max-w-5xl"
      explanation="Every step that led to it, oldest first: source events, the batch and the model that used them, the agents' steps, people's decisions, and what they wrote."
      actions={
        <Filter label="Filter steps" value={search.q ?? ""} onChange={(q) => change({ q })} />
      }
    >
      <p className="px-4 pb-3 text-sm break-words text-muted sm:px-5">
        <button
          type="button"
          onClick={() => router.history.back()}
          className="font-medium text-accent hover:underline"
        >
          ← Back
        </button>{" "}
        · {kind} <code className="font-mono text-xs">{id}</code>
      </p>
      {all.length > 0 && <Legend />}
      {isPending && <Waiting lines={7} />}
      {error !== null && (
        <div role="alert" className="border-t border-line px-4 py-6 text-center sm:px-5">
          <p className="font-medium text-bad">The trace could not be fetched.</p>
          <p className="pb-3 text-sm break-words text-muted">{told(error).message}</p>
          <Button onClick={() => void refetch()}>Try again</Button>
        </div>
      )}
      {data !== undefined && all.length === 0 && (
        <Empty title="Nothing is known of it">
          It may be older than what is kept, or not be there at all.
        </Empty>
      )}
      {all.length > 0 && shown.length === 0 && (
        <Empty title="Nothing matches">Take a word out of the filter.</Empty>
      )}
      <ol aria-label="Steps, the oldest first" className="px-4 pb-4 sm:px-5">
        {shown.map((step, index) => (
          <Item
            // biome-ignore lint/suspicious/noArrayIndexKey: steps are only added at the end
            key={index}
            step={step}
            isLast={index === shown.length - 1}
            isItself={step.entry.kind === kind && step.entry.id === id}
          />
        ))}
      </ol>
    </Card>
  );
}

interface ItemProps {
  readonly step: Step;
  readonly isLast: boolean;
  /** Whether it would lead to where the reader is. */
  readonly isItself: boolean;
}

const MARKS = {
  source: "border-series-2 bg-series-2",
  agent: "border-series-4 bg-surface",
  person: "border-accent bg-accent",
  system: "border-line-strong bg-surface",
} as const;

const LEGEND = [
  ["source", "from outside"],
  ["person", "people"],
  ["agent", "agents"],
  ["system", "Lakemill"],
] as const;

function Legend() {
  return (
    <ul className="flex flex-wrap gap-x-4 px-4 text-sm text-muted sm:px-5">
      {LEGEND.map(([by, label]) => (
        <li key={by} className="flex items-center gap-1.5">
          <span aria-hidden="true" className={`size-2.5 rounded-full border-2 ${MARKS[by]}`} />
          {label}
        </li>
      ))}
    </ul>
  );
}

function Item({ step, isLast, isItself }: ItemProps) {
  const { entry, by, day, atMillis, afterMillis } = step;
  // What an agent's run did stands smaller than what came of it.
  const isWithin = entry.kind === "step";
  return (
    <li className="grid grid-cols-[4.5rem_1rem_minmax(0,1fr)] gap-x-3 sm:grid-cols-[6rem_1rem_minmax(0,1fr)]">
      {day !== null && <p className="col-span-3 pt-3 pb-2 text-sm font-medium text-muted">{day}</p>}
      <div className="pt-0.5 text-right text-sm">
        <p className="tabular-nums">{formatClock(atMillis)}</p>
        {afterMillis !== null && (
          <p className="text-xs text-muted">+{formatDuration(afterMillis)}</p>
        )}
      </div>
      <div aria-hidden="true" className="relative flex justify-center">
        {!isLast && <span className="absolute top-2 bottom-[-0.5rem] w-px bg-line-strong" />}
        <span
          className={`relative mt-1.5 rounded-full border-2 ${isWithin ? "size-2" : "size-2.5"} ${MARKS[by]}`}
        />
      </div>
      <div className={`min-w-0 ${isWithin ? "pb-2 pl-3 text-sm" : "pb-4"}`}>
        <p className="flex flex-wrap items-center gap-x-2">
          <span className="font-medium">
            <bdi>{entry.action}</bdi>
          </span>
          <span className="text-sm text-muted">
            {by === "source" ? "" : "by "}
            <bdi>{entry.who}</bdi>
          </span>
          {!isItself && <EntryLink entry={entry} />}
        </p>
        {entry.detail !== "" && (
          <p className="text-pretty break-words whitespace-pre-wrap" dir="auto">
            {entry.detail}
          </p>
        )}
        {entry.source !== "" && (
          <p className="pt-0.5 font-mono text-xs break-all text-muted">{entry.source}</p>
        )}
      </div>
    </li>
  );
}

function EntryLink({ entry }: { entry: TraceEntry }) {
  if (!isTraced(entry.kind) || !entry.id) {
    return null;
  }
  return (
    <Link
      to="/trace/$kind/$"
      params={{ kind: entry.kind, _splat: entry.id }}
      aria-label={`Trace ${entry.kind} ${entry.id}`}
      className="inline-flex items-center gap-1 rounded-md px-1 text-sm text-accent hover:underline"
    >
      <TraceIcon />
      {entry.kind}
    </Link>
  );
}
