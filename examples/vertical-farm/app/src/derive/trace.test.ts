import { describe, expect, it } from "vitest";
import type { TraceEntry } from "../api.ts";
import { steps } from "./trace.ts";

const entry = (at: string | null, who: string, source: string, action = ""): TraceEntry => ({
  at,
  who,
  action,
  detail: "",
  kind: null,
  id: null,
  source,
});

describe("steps", () => {
  it("tell how long after one another they were, and where a day begins", () => {
    const made = steps([
      entry("2026-11-28T22:59:58Z", "supplier", ""),
      entry("2026-11-28T23:00:01Z", "model", ""),
      entry(null, "model", ""),
      entry("2026-11-28T23:00:02Z", "model", ""),
    ]);
    expect(made.map(({ afterMillis }) => afterMillis)).toEqual([null, 3_000, null, 1_000]);
    // The tests' time zone is an hour ahead of UTC.
    expect(made.map(({ day }) => day)).toEqual([
      "Sat, 28 Nov 2026",
      "Sun, 29 Nov 2026",
      null,
      null,
    ]);
  });

  it.each([
    ["farm_lead", "approved", "procurement.email_outbox", "person"],
    ["agent budget", "approved", "procurement.budget", "agent"],
    ["agent of Nordfrø", "replied", "procurement.supplier_reply", "source"],
    ["template", "drafted", "procurement.email_outbox", "agent"],
    ["ledger", "posted", "procurement.ledger_posting", "system"],
  ])("of %s, who %s, from %s, are of the kind %s", (who, action, source, by) => {
    expect(steps([entry(null, who, source, action)])[0]?.by).toBe(by);
  });

  it.each([
    ["nordfroe", "farm.silver.supplier_quotes event_id q-7f3a-12", "source"],
    ["agent dispatcher", "procurement.email_outbox", "agent"],
    ["farm_pipeline", "lakemill.agent_steps", "agent"],
    ["ada@example.org", "procurement.rfq", "person"],
    ["ada@example.org", "lakemill.agent_approvals", "person"],
    ["Budget agent Seeds", "procurement.supplier_reply", "system"],
    ["farm_pipeline", "farm.gold.supplier_leaderboard", "system"],
  ])("of %s, from %s, are of the kind %s below", (who, source, by) => {
    expect(steps([entry(null, who, source)])[0]?.by).toBe(by);
  });
});
