import { afterEach, describe, expect, it, vi } from "vitest";
import { explanation, fetchStatus, type Status } from "./status.ts";

const API = new URL("http://127.0.0.1:8080/api/");
const ready: Status = {
  ready: true,
  reasons: [],
  uptime_seconds: 9,
  rows_per_second: 2_000,
  tables: [],
  pipelines: [],
};
const answer = (body: string, status = 200) =>
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status })));

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("fetchStatus", () => {
  it("takes the status, also from a server that is not ready", async () => {
    answer(JSON.stringify({ ...ready, ready: false }), 503);
    expect((await fetchStatus(API)).ready).toBe(false);
  });

  it("says how to start a server that does not answer", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
    await expect(fetchStatus(API)).rejects.toThrow(
      "no answer from 127.0.0.1:8080: start Lakemill with ./lakemill demo",
    );
  });

  it("says so when something else answers", async () => {
    answer("<html>", 502);
    await expect(fetchStatus(API)).rejects.toThrow("answered 502 instead of Lakemill's status");
  });
});

describe("explanation", () => {
  it("has nothing to say of a server that is ready", () => {
    expect(explanation(ready)).toBeNull();
  });

  it("tells why a server is not ready", () => {
    expect(explanation({ ...ready, ready: false, reasons: ["postgres starts", "lag"] })).toBe(
      "Lakemill is not ready: postgres starts; lag",
    );
  });

  it("tells a pipeline's error first", () => {
    const pipeline = {
      name: "farm",
      state: "FAILED",
      batch: 1,
      batch_ms: 2,
      error: "no column x",
      outputs: [],
      expectations: [],
    } as const;
    expect(explanation({ ...ready, ready: false, reasons: ["-"], pipelines: [pipeline] })).toBe(
      "pipeline farm: no column x",
    );
  });
});
