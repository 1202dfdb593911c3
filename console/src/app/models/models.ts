import type { Tone } from "../../ui/index.ts";

/** What GET /v1/models answers for one endpoint. */
export interface Model {
  readonly id: string;
  readonly lakemill: {
    /** Whether nothing but a template answers. */
    readonly template: boolean;
    readonly comment: string;
    readonly providers: readonly Provider[];
  };
}

export interface Provider {
  readonly name: string;
  readonly model: string;
  /** CLOSED when it is asked, OPEN when it is left alone, HALF_OPEN when one call tries it. */
  readonly circuit: string;
}

/** Calls of one principal at one endpoint on one day, in UTC. */
export interface UsageRow {
  readonly day: string;
  readonly endpoint: string;
  readonly requester: string;
  readonly calls: number;
  readonly failed: number;
  readonly templates: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
}

/** A limit, and how much of it is used or reserved now; null is without a limit. */
export interface Budget {
  readonly endpoint: string;
  /** Whom it counts; empty for all callers together. */
  readonly principal: string;
  readonly period: "minute" | "day";
  readonly resets_at: string;
  readonly calls: number;
  readonly calls_max: number | null;
  readonly tokens: number;
  readonly tokens_max: number | null;
  readonly cost_usd: number;
  readonly cost_usd_max: number | null;
}

export interface Total {
  readonly key: string;
  readonly calls: number;
  readonly failed: number;
  readonly templates: number;
  readonly tokens: number;
  readonly costUsd: number;
}

/** Adds up rows that have the same key; in the order of the keys' first rows. */
export function totalsBy(rows: readonly UsageRow[], keyOf: (row: UsageRow) => string): Total[] {
  const totals = new Map<string, Total>();
  for (const row of rows) {
    const key = keyOf(row);
    const sum = totals.get(key) ?? {
      key,
      calls: 0,
      failed: 0,
      templates: 0,
      tokens: 0,
      costUsd: 0,
    };
    totals.set(key, {
      key,
      calls: sum.calls + row.calls,
      failed: sum.failed + row.failed,
      templates: sum.templates + row.templates,
      tokens: sum.tokens + row.input_tokens + row.output_tokens,
      costUsd: sum.costUsd + row.cost_usd,
    });
  }
  return [...totals.values()];
}

/** The days up to today, in UTC and newest first, also those without any call. */
export function daysUpTo(todayMillis: number, count: number): string[] {
  return Array.from({ length: count }, (_, ago) =>
    new Date(todayMillis - ago * 86_400_000).toISOString().slice(0, 10),
  );
}

export function circuitOf(circuit: string): { label: string; tone: Tone } {
  switch (circuit) {
    case "CLOSED":
      return { label: "Is asked", tone: "good" };
    case "HALF_OPEN":
      return { label: "Is tried again", tone: "warn" };
    case "OPEN":
      return { label: "Left alone", tone: "bad" };
    default:
      return { label: circuit.toLowerCase(), tone: "plain" };
  }
}

/** The parts of a budget that have a limit. */
export function limitsOf(
  budget: Budget,
): { what: "calls" | "tokens" | "cost"; used: number; max: number }[] {
  const all = [
    { what: "calls" as const, used: budget.calls, max: budget.calls_max },
    { what: "tokens" as const, used: budget.tokens, max: budget.tokens_max },
    { what: "cost" as const, used: budget.cost_usd, max: budget.cost_usd_max },
  ];
  return all.flatMap(({ what, used, max }) => (max === null ? [] : [{ what, used, max }]));
}

/** How much of the tightest limit is used, 0 to 1 and more; for the order of a list. */
export function shareOf(budget: Budget): number {
  return Math.max(0, ...limitsOf(budget).map(({ used, max }) => (max === 0 ? 1 : used / max)));
}

export function toneOf(used: number, max: number): Tone {
  return used >= max ? "bad" : used >= 0.8 * max ? "warn" : "good";
}
