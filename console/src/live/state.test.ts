import { describe, expect, it } from "vitest";
import type { SyncEvent, TableEvent } from "./events.ts";
import {
  initialState,
  type LiveAction,
  type LiveState,
  reduce,
  STALE_AFTER_MILLIS,
} from "./state.ts";

const table = (name: string, batch: number): TableEvent => ({
  table: name,
  columns: ["sku"],
  rows: [["pea"]],
  batch,
});
const sync = (batch: number): SyncEvent => ({
  pipeline: "farm",
  batch,
  appliedAtMillis: 0,
  freshnessMillis: 100,
  rowsPerSecond: 2_000,
});
const after = (...actions: LiveAction[]): LiveState => actions.reduce(reduce, initialState);

describe("reduce", () => {
  it("is live as soon as the connection stands", () => {
    expect(after({ type: "opened", atMillis: 5 }).connection).toBe("live");
  });

  it("keeps the newest content of each table, and the identity of the others", () => {
    const first = after(
      { type: "table", atMillis: 1, event: table("serving.a", 1) },
      { type: "table", atMillis: 1, event: table("serving.b", 1) },
    );
    const next = reduce(first, { type: "table", atMillis: 2, event: table("serving.a", 2) });
    expect(next.tables.get("serving.a")?.batch).toBe(2);
    expect(next.tables.get("serving.b")).toBe(first.tables.get("serving.b"));
    expect(first.tables.get("serving.a")?.batch).toBe(1);
  });

  it("turns stale only after the whole silence, and live again with the next event", () => {
    const opened = after({ type: "opened", atMillis: 1_000 });
    const almost = reduce(opened, { type: "tick", atMillis: 1_000 + STALE_AFTER_MILLIS - 1 });
    const silent = reduce(opened, { type: "tick", atMillis: 1_000 + STALE_AFTER_MILLIS });
    expect(almost).toBe(opened);
    expect(silent.connection).toBe("stale");
    expect(reduce(silent, { type: "sync", atMillis: 9_000, event: sync(1) }).connection).toBe(
      "live",
    );
  });

  it("says when it tries again, counts the failures, and keeps what it knew", () => {
    const lost = after(
      { type: "table", atMillis: 1, event: table("serving.a", 1) },
      { type: "lost", atMillis: 10, retryInMillis: 400 },
      { type: "lost", atMillis: 500, retryInMillis: 900 },
    );
    expect(lost).toMatchObject({ connection: "reconnecting", failures: 2, retryAtMillis: 1_400 });
    expect(lost.tables.size).toBe(1);
  });

  it("does not call a lost connection stale", () => {
    const lost = after({ type: "lost", atMillis: 0, retryInMillis: 400 });
    expect(reduce(lost, { type: "tick", atMillis: 60_000 }).connection).toBe("reconnecting");
  });

  it("forgets the problem once it is solved, and ignores an explanation that comes late", () => {
    const explained = after(
      { type: "lost", atMillis: 0, retryInMillis: 400 },
      { type: "explained", problem: "not ready" },
    );
    expect(explained.problem).toBe("not ready");
    const solved = reduce(explained, { type: "opened", atMillis: 500 });
    expect(solved.problem).toBeNull();
    expect(reduce(solved, { type: "explained", problem: "not ready" })).toBe(solved);
  });

  it("keeps a limited history, oldest first", () => {
    const actions = Array.from({ length: 500 }, (_, batch): LiveAction => {
      return { type: "sync", atMillis: batch, event: sync(batch) };
    });
    const { history } = after(...actions);
    expect(history).toHaveLength(240);
    expect(history[0]?.batch).toBe(260);
    expect(history.at(-1)?.batch).toBe(499);
  });
});
