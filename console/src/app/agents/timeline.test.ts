import { expect, it } from "vitest";
import type { Approval, Effect, Mail, Step } from "./agents.ts";
import { lookOf, statusOf } from "./agents.ts";
import { timelineOf } from "./timeline.ts";

const step = (seq: number, kind: Step["kind"], more: Partial<Step> = {}): Step => ({
  seq,
  kind,
  name: `step-${seq}`,
  input: null,
  output: null,
  model: "",
  tokens_in: 0,
  tokens_out: 0,
  cost_micros: 0,
  ms: 0,
  created_at: "2026-11-29T07:00:00Z",
  ...more,
});

const approval = (seq: number, more: Partial<Approval> = {}): Approval => ({
  approval_id: `a-${seq}`,
  run_id: "r",
  seq,
  agent: "negotiator",
  name: "send",
  action: "send_email",
  args: {},
  description: "",
  allowed: ["accept"],
  assignees: ["admins"],
  state: "pending",
  decision: "",
  response: "",
  decided_by: "",
  decided_at: null,
  created_at: "2026-11-29T07:00:01Z",
  expires_at: "2026-11-30T07:00:00Z",
  ...more,
});

const mail = (seq: number, more: Partial<Mail> = {}): Mail => ({
  seq,
  recipient: "sales@acme.example",
  subject: "RFQ",
  body: "Dear Acme",
  drafted_by: "template",
  model: "",
  state: "draft",
  attempts: 0,
  error: "",
  sent_at: null,
  ...more,
});

const none = { steps: [], effects: [], approvals: [], outbox: [] };

it("puts what waits for people behind the steps, where its step will be", () => {
  const entries = timelineOf({
    ...none,
    steps: [step(2, "llm", { tokens_in: 7, tokens_out: 5, cost_micros: 12 }), step(1, "tool")],
    approvals: [approval(3)],
    outbox: [mail(3)],
  });
  expect(entries.map(({ seq, what, state }) => [seq, what, state])).toEqual([
    [1, "Read", "done"],
    [2, "Asked a model", "done"],
    [3, "E-mail to sales@acme.example", "waits for people"],
  ]);
  expect(entries[1]).toMatchObject({ tokens: 12, costMicros: 12 });
});

it("says of each text who worded it", () => {
  const [read, asked, mailed] = timelineOf({
    ...none,
    steps: [step(1, "tool"), step(2, "llm", { model: "template" }), step(3, "wait")],
    outbox: [mail(3, { drafted_by: "human" })],
  });
  expect(read?.author).toBeNull();
  expect(asked?.author?.by).toBe("template");
  expect(mailed?.author?.by).toBe("human");
});

it("tells apart what people declined and what the mail server refused", () => {
  const decided = { state: "decided", decision: "ignore", decided_by: "ada" } as const;
  const [declined, refused, sent] = timelineOf({
    ...none,
    steps: [step(1, "wait"), step(2, "wait"), step(3, "wait")],
    approvals: [
      approval(1, decided),
      approval(2, { ...decided, decision: "accept" }),
      approval(3, { ...decided, decision: "edit" }),
    ],
    outbox: [
      mail(1, { state: "dead", error: "ignore" }),
      mail(2, { state: "dead", error: "550 no such user" }),
      mail(3, { state: "sent" }),
    ],
  });
  expect(declined).toMatchObject({ state: "ignored by ada, not sent", tone: "plain" });
  expect(refused).toMatchObject({
    state: "accepted by ada, not sent: 550 no such user",
    tone: "bad",
  });
  expect(sent).toMatchObject({ state: "edited by ada, sent", tone: "good" });
});

it("shows a change of another system that is under way", () => {
  const effect: Effect = {
    idempotency_key: "k",
    seq: 1,
    name: "order",
    state: "intended",
    created_at: "2026-11-29T07:00:00Z",
  };
  expect(timelineOf({ ...none, effects: [effect] })[0]).toMatchObject({
    name: "order",
    state: "intended",
    tone: "warn",
  });
  expect(
    timelineOf({ ...none, steps: [step(1, "effect")], effects: [{ ...effect, state: "done" }] })[0],
  ).toMatchObject({ what: "Wrote", state: "done" });
});

it("shows a paused run as paused only while it is open", () => {
  expect(lookOf({ status: "queued", paused: true }).label).toBe("Paused, queued");
  expect(lookOf({ status: "failed", paused: true }).label).toBe("Failed");
  expect(statusOf("failed")).toBe("failed");
  expect(statusOf("broken")).toBeNull();
});
