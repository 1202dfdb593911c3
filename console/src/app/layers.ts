import type { LoadStatus, TableStatus } from "../live/index.ts";
import { formatDuration } from "../ui/format.ts";

/** Where a table stands on the way of a row, in this order. */
export const LAYERS = ["bronze", "silver", "gold", "serving"] as const;
export type Layer = (typeof LAYERS)[number];

export interface LayerTables {
  readonly layer: Layer;
  readonly title: string;
  /** What its tables are. */
  readonly means: string;
  readonly tables: readonly TableStatus[];
  readonly rows: number;
  /** The oldest of its tables' freshness; null when none has any. */
  readonly freshnessMillis: number | null;
}

const TITLES: Record<Layer, { title: string; means: string }> = {
  bronze: { title: "Bronze", means: "as it was sent" },
  silver: { title: "Silver", means: "checked and cleaned" },
  gold: { title: "Gold", means: "answers to questions" },
  serving: { title: "Postgres", means: "ready to be read" },
};

/** The layer that a word names. */
export function layerOf(word: unknown): Layer | null {
  return LAYERS.find((layer) => layer === word) ?? null;
}

/** All layers in order, each with its tables in the order of their names. */
export function byLayer(tables: readonly TableStatus[]): LayerTables[] {
  return LAYERS.map((layer) => {
    const own = tables
      .filter((table) => layerOfTable(table) === layer)
      .sort((a, b) => a.name.localeCompare(b.name));
    const freshness = own.map((table) => table.freshness_ms).filter((millis) => millis !== null);
    return {
      layer,
      ...TITLES[layer],
      tables: own,
      rows: own.reduce((sum, table) => sum + table.rows, 0),
      freshnessMillis: freshness.length > 0 ? Math.max(...freshness) : null,
    };
  });
}

/** By its kind first, because schemas are named as their owner likes. */
function layerOfTable(table: TableStatus): Layer {
  switch (table.kind) {
    case "INGESTED":
      return "bronze";
    case "SYNCED":
      return "serving";
    case "QUARANTINE":
    case "STREAMING_TABLE":
      return "silver";
    case "MATERIALIZED_VIEW":
      return layerOf(table.name.split(".")[1]) === "silver" ? "silver" : "gold";
  }
}

const KINDS: Record<TableStatus["kind"], string> = {
  INGESTED: "ingested",
  STREAMING_TABLE: "streaming table",
  QUARANTINE: "quarantine",
  MATERIALIZED_VIEW: "view",
  SYNCED: "synced table",
};

export function kindOf(table: TableStatus): string {
  return KINDS[table.kind];
}

/** How far the copying of a synced table is, in words. */
export function loading(load: LoadStatus): string {
  const percent = Math.floor(100 * load.sync_progress_completion);
  const left = load.estimated_completion_time_seconds;
  return left > 0
    ? `loading: ${percent} %, ${formatDuration(1000 * left)} left`
    : `loading: ${percent} %`;
}

const CONSEQUENCES: Record<string, string> = {
  WARN: "counted, and kept",
  DROP_ROW: "dropped",
  QUARANTINE: "set aside",
  FAIL_UPDATE: "stops the pipeline",
};

/** What happens to a row that fails an expectation, in words. */
export function consequence(action: string): string {
  return CONSEQUENCES[action] ?? action.toLowerCase();
}
