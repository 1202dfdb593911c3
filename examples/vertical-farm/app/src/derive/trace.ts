import { formatDay } from "@lakemill/console/ui";
import type { TraceEntry, TraceKind } from "../api.ts";

/** Who did a step: somebody outside, an agent, a person of the farm, or Lakemill itself. */
export type By = "source" | "agent" | "person" | "system";

export interface Step {
  readonly entry: TraceEntry;
  readonly by: By;
  readonly atMillis: number | null;
  /** The day, where it is another one than the step's before. */
  readonly day: string | null;
  /** How long after the step before; null for the first, and where a time is not known. */
  readonly afterMillis: number | null;
}

/** The entries of a trace with what can be told of one after another. */
export function steps(entries: readonly TraceEntry[]): Step[] {
  let before: number | null = null;
  let dayBefore: string | null = null;
  return entries.map((entry) => {
    const parsed = entry.at === null ? Number.NaN : Date.parse(entry.at);
    const atMillis = Number.isNaN(parsed) ? null : parsed;
    const day = atMillis === null ? null : formatDay(atMillis);
    const step = {
      entry,
      by: byOf(entry),
      atMillis,
      day: day === dayBefore ? null : day,
      afterMillis: atMillis === null || before === null ? null : atMillis - before,
    };
    before = atMillis ?? before;
    dayBefore = day ?? dayBefore;
    return step;
  });
}

/** What has a trace of its own; other kinds are named, but lead nowhere. */
const TRACED: readonly string[] = [
  "recommendation",
  "stock",
  "quote",
  "rfq",
  "order",
  "invoice",
  "posting",
] satisfies TraceKind[];

export function isTraced(kind: string | null): kind is TraceKind {
  return kind !== null && TRACED.includes(kind);
}

/** What only people do, and what only comes from outside. */
const BY_PEOPLE = ["requested", "approved", "dismissed", "accepted", "disputed", "closed"];
const FROM_OUTSIDE = ["replied", "invoiced"];

function byOf({ who, action, source }: TraceEntry): By {
  if (/^farm\.(bronze|silver)\./.test(source) || FROM_OUTSIDE.includes(action)) {
    return "source";
  }
  if (who.startsWith("agent ")) {
    return "agent";
  }
  if (who.includes("@") || BY_PEOPLE.includes(action)) {
    return "person";
  }
  return source.startsWith("lakemill.agent_") || /^(template|model )/.test(who)
    ? "agent"
    : "system";
}
