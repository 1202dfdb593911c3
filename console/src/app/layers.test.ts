import { describe, expect, it } from "vitest";
import type { TableKind, TableStatus } from "../live/index.ts";
import { byLayer, consequence, layerOf, loading } from "./layers.ts";

const table = (name: string, kind: TableKind, rows = 1, freshness: number | null = 10) =>
  ({ name, kind, rows, position: 1, freshness_ms: freshness }) satisfies TableStatus;

describe("byLayer", () => {
  it("gives every table one layer, all layers in order, tables by name", () => {
    const layers = byLayer([
      table("farm.serving.stock_position", "SYNCED"),
      table("farm.bronze.supplier_quotes", "INGESTED"),
      table("farm.bronze.demand_events", "INGESTED"),
      table("farm.silver.skus", "MATERIALIZED_VIEW"),
      table("farm.silver.demand_events", "STREAMING_TABLE"),
      table("farm.silver.demand_events_quarantine", "QUARANTINE"),
      table("farm.gold.stock_position", "MATERIALIZED_VIEW"),
    ]);
    expect(layers.map(({ layer, tables }) => [layer, tables.map(({ name }) => name)])).toEqual([
      ["bronze", ["farm.bronze.demand_events", "farm.bronze.supplier_quotes"]],
      [
        "silver",
        ["farm.silver.demand_events", "farm.silver.demand_events_quarantine", "farm.silver.skus"],
      ],
      ["gold", ["farm.gold.stock_position"]],
      ["serving", ["farm.serving.stock_position"]],
    ]);
  });

  it("adds up rows and takes the oldest freshness", () => {
    const [bronze] = byLayer([
      table("a.b.c", "INGESTED", 5, 20),
      table("a.b.d", "INGESTED", 7, 90),
      table("a.b.e", "INGESTED", 1, null),
    ]);
    expect(bronze).toMatchObject({ rows: 13, freshnessMillis: 90 });
  });

  it("knows no freshness of a layer without data", () => {
    expect(byLayer([])[0]).toMatchObject({ rows: 0, freshnessMillis: null, tables: [] });
  });
});

it("takes only a layer's name for a layer", () => {
  expect(layerOf("gold")).toBe("gold");
  expect(layerOf("platinum")).toBeNull();
  expect(layerOf(undefined)).toBeNull();
});

it("says in words what becomes of a row that fails", () => {
  expect(consequence("QUARANTINE")).toBe("set aside");
  expect(consequence("SOMETHING_NEW")).toBe("something_new");
});

describe("loading", () => {
  const load = (completion: number, seconds: number) =>
    loading({
      synced_row_count: 5,
      total_row_count: 10,
      sync_progress_completion: completion,
      estimated_completion_time_seconds: seconds,
    });

  it("tells how far it is and how long it takes yet", () => {
    expect(load(0.437, 83)).toBe("loading: 43 %, 1 min left");
  });

  it("says nothing of the time before it knows the pace", () => {
    expect(load(0, 0)).toBe("loading: 0 %");
  });
});
