import { expect, it } from "vitest";
import {
  type Budget,
  circuitOf,
  daysUpTo,
  limitsOf,
  shareOf,
  toneOf,
  totalsBy,
  type UsageRow,
} from "./models.ts";

const row = (day: string, requester: string, calls: number, cost = 0): UsageRow => ({
  day,
  requester,
  endpoint: "writer",
  calls,
  failed: 1,
  templates: calls,
  input_tokens: 10,
  output_tokens: 5,
  cost_usd: cost,
});

it("adds up what one principal used over days", () => {
  const totals = totalsBy(
    [row("2026-11-29", "ada", 2, 0.5), row("2026-11-28", "bob", 1), row("2026-11-28", "ada", 3, 1)],
    ({ requester }) => requester,
  );
  expect(totals).toEqual([
    { key: "ada", calls: 5, failed: 2, templates: 5, tokens: 30, costUsd: 1.5 },
    { key: "bob", calls: 1, failed: 1, templates: 1, tokens: 15, costUsd: 0 },
  ]);
});

it("counts days in UTC, as the budgets do", () => {
  expect(daysUpTo(Date.parse("2026-11-29T00:30:00Z"), 3)).toEqual([
    "2026-11-29",
    "2026-11-28",
    "2026-11-27",
  ]);
});

const budget: Budget = {
  endpoint: "writer",
  principal: "ada",
  period: "day",
  resets_at: "2026-11-30T00:00:00Z",
  calls: 3,
  calls_max: null,
  tokens: 900,
  tokens_max: 1_000,
  cost_usd: 1,
  cost_usd_max: 5,
};

it("shows what is limited, and how near the tightest limit is", () => {
  expect(limitsOf(budget).map(({ what }) => what)).toEqual(["tokens", "cost"]);
  expect(shareOf(budget)).toBe(0.9);
  expect(shareOf({ ...budget, calls_max: 0 })).toBe(1);
  expect(toneOf(900, 1_000)).toBe("warn");
  expect(toneOf(1_000, 1_000)).toBe("bad");
});

it("says in words what a circuit does", () => {
  expect(circuitOf("OPEN")).toEqual({ label: "Left alone", tone: "bad" });
  expect(circuitOf("NEW_STATE").label).toBe("new_state");
});
