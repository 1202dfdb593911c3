import { describe, expect, it } from "vitest";
import { instant, number, parseSyncEvent, parseTableEvent, rowsOf, text } from "./events.ts";

describe("parseTableEvent", () => {
  it("reads a table", () => {
    const data =
      '{"table":"serving.stock_position","columns":["sku","grams"],"rows":[["pea",12]],"batch":7}';
    expect(parseTableEvent(data)).toEqual({
      table: "serving.stock_position",
      columns: ["sku", "grams"],
      rows: [["pea", 12]],
      batch: 7,
    });
  });

  it.each(["", "nonsense", "null", "[]", '{"table":"x"}', '{"columns":[],"rows":[]}'])(
    "takes %j for no table",
    (data) => {
      expect(parseTableEvent(data)).toBeUndefined();
    },
  );
});

describe("parseSyncEvent", () => {
  it("reads a batch that was applied", () => {
    const data =
      '{"pipeline":"farm","batch":9,"applied_at":"2026-11-22T10:00:00.123456Z","freshness_ms":184,"rows_per_second":1999}';
    expect(parseSyncEvent(data)).toEqual({
      pipeline: "farm",
      batch: 9,
      appliedAtMillis: Date.parse("2026-11-22T10:00:00.123Z"),
      freshnessMillis: 184,
      rowsPerSecond: 1_999,
    });
  });

  it("knows no freshness for a batch without events", () => {
    const event = parseSyncEvent('{"pipeline":"farm","batch":9,"freshness_ms":null}');
    expect(event?.freshnessMillis).toBeNull();
  });

  it("takes what lacks a batch for no sync", () => {
    expect(parseSyncEvent('{"pipeline":"farm"}')).toBeUndefined();
  });
});

describe("rowsOf", () => {
  const shape = { sku: text, grams: number, at: instant };
  const event = {
    table: "serving.stock_position",
    columns: ["grams", "more", "sku", "at"],
    rows: [
      [12, true, "pea", "2026-11-22T10:00:00Z"],
      [null, false, "dill", null],
    ],
    batch: 1,
  };

  it("finds columns by name, in any order", () => {
    expect(rowsOf(event, shape)).toEqual([
      { sku: "pea", grams: 12, at: Date.parse("2026-11-22T10:00:00Z") },
      { sku: "dill", grams: null, at: null },
    ]);
  });

  it("reads a column that is missing as nothing", () => {
    const [row] = rowsOf({ ...event, columns: ["grams", "more", "sku", "other"] }, shape);
    expect(row?.at).toBeNull();
  });

  it("reads a decimal that came as text", () => {
    expect(number("41.2500")).toBe(41.25);
    expect(number("")).toBeNull();
    expect(number(true)).toBeNull();
  });

  it("has no rows before the first event", () => {
    expect(rowsOf(undefined, shape)).toEqual([]);
  });

  it("are made once, however many parts of a page read them", () => {
    const shape = { sku: text };
    const event = { table: "serving.a", columns: ["sku"], rows: [["pea"]], batch: 1 };
    expect(rowsOf(event, shape)).toBe(rowsOf(event, shape));
    expect(rowsOf({ ...event }, shape)).not.toBe(rowsOf(event, shape));
    expect(rowsOf(event, { sku: number })).toEqual([{ sku: null }]);
  });
});
