import { expect, it } from "vitest";
import { appended, canRollBack, formatBytes, holding, lookOf, type Version } from "./apps.ts";

const version = (active: boolean, state: string): Version => ({
  version: 1,
  active,
  status: { state, message: "" },
  files: 1,
  bytes: 1,
  creator: "ada",
  create_time: "2026-11-29T07:00:00Z",
});

it("offers to go back to versions that worked and are not the one that runs", () => {
  expect(canRollBack(version(false, "SUCCEEDED"))).toBe(true);
  expect(canRollBack(version(true, "SUCCEEDED"))).toBe(false);
  expect(canRollBack(version(false, "FAILED"))).toBe(false);
});

it("forgets the oldest lines of a log, not the newest", () => {
  expect(appended(["a", "b"], ["c", "d"], 3)).toEqual(["b", "c", "d"]);
  const same = ["a"];
  expect(appended(same, [], 3)).toBe(same);
});

it("finds lines whatever their case", () => {
  expect(holding(["GET /", "Error: no"], "error")).toEqual(["Error: no"]);
  expect(holding(["a"], "")).toEqual(["a"]);
});

it("says how an app stands, also in states that are new to it", () => {
  const at = (state: string, changing = false) =>
    lookOf({ app_status: { state, message: "" }, changing });
  expect(at("CRASHED")).toEqual({ label: "Crashed", tone: "bad" });
  expect(at("RUNNING", true).label).toBe("Changing");
  expect(at("SLEEPING").label).toBe("sleeping");
});

it("says sizes shortly", () => {
  expect([12, 34_500, 1_250_000].map(formatBytes)).toEqual(["12 B", "35 KB", "1.3 MB"]);
});
