import type { Tone } from "../../ui/index.ts";
import { type Author, authorOf } from "../parts/author.ts";
import type { Approval, Effect, Mail, Run, Step } from "./agents.ts";

/** One thing that a run has done, or is at. */
export interface Entry {
  readonly seq: number;
  readonly name: string;
  /** What kind of thing, in words. */
  readonly what: string;
  readonly tone: Tone;
  readonly state: string;
  readonly atMillis: number;
  readonly millis: number | null;
  readonly tokens: number | null;
  readonly costMicros: number | null;
  readonly author: Author | null;
  readonly step: Step | null;
  readonly approval: Approval | null;
  readonly mail: Mail | null;
  readonly effect: Effect | null;
}

const KINDS: Record<Step["kind"], string> = {
  llm: "Asked a model",
  tool: "Read",
  effect: "Wrote",
  wait: "Waited",
  note: "Noted",
};

/**
 * What a run did, in the order of its steps. A step that waits for people or for another system is
 * not in the journal before it has ended; its approval or effect stands in its place.
 */
export function timelineOf(run: Pick<Run, "steps" | "effects" | "approvals" | "outbox">): Entry[] {
  const bySeq = <T extends { readonly seq: number }>(all: readonly T[]) =>
    new Map(all.map((one) => [one.seq, one]));
  const steps = bySeq(run.steps);
  const approvals = bySeq(run.approvals);
  const effects = bySeq(run.effects);
  const mails = bySeq(run.outbox);
  const places = new Set([
    ...steps.keys(),
    ...approvals.keys(),
    ...effects.keys(),
    ...mails.keys(),
  ]);
  return [...places]
    .sort((a, b) => a - b)
    .map((seq) => {
      const step = steps.get(seq) ?? null;
      const approval = approvals.get(seq) ?? null;
      const effect = effects.get(seq) ?? null;
      const mail = mails.get(seq) ?? null;
      return {
        seq,
        name: step?.name ?? approval?.name ?? effect?.name ?? "",
        what: what(step, approval, mail),
        ...state(step, approval, effect, mail),
        atMillis: Date.parse(step?.created_at ?? approval?.created_at ?? effect?.created_at ?? ""),
        millis: step !== null && step.kind !== "wait" && step.ms > 0 ? step.ms : null,
        tokens: step !== null && step.kind === "llm" ? step.tokens_in + step.tokens_out : null,
        costMicros: step !== null && step.kind === "llm" ? step.cost_micros : null,
        author: mail !== null ? authorOf(mail.drafted_by, mail.model) : authorOfStep(step),
        step,
        approval,
        mail,
        effect,
      };
    });
}

function authorOfStep(step: Step | null): Author | null {
  return step !== null && step.kind === "llm" ? authorOf("model", step.model) : null;
}

function what(step: Step | null, approval: Approval | null, mail: Mail | null): string {
  if (mail !== null) {
    return `E-mail to ${mail.recipient}`;
  }
  if (approval !== null) {
    return "Asked people";
  }
  return step === null ? "Changes another system" : KINDS[step.kind];
}

function state(
  step: Step | null,
  approval: Approval | null,
  effect: Effect | null,
  mail: Mail | null,
): { state: string; tone: Tone } {
  if (approval !== null && approval.state !== "decided") {
    return approval.state === "pending"
      ? { state: "waits for people", tone: "warn" }
      : { state: approval.state, tone: "plain" };
  }
  if (approval !== null) {
    const state = `${PAST[approval.decision] ?? approval.decision} by ${approval.decided_by}`;
    return { state: mail === null ? state : `${state}, ${mailState(mail)}`, tone: mailTone(mail) };
  }
  if (mail !== null) {
    return { state: mailState(mail), tone: mailTone(mail) };
  }
  if (effect !== null && step === null) {
    return { state: effect.state, tone: effect.state === "failed" ? "bad" : "warn" };
  }
  return { state: "done", tone: "good" };
}

const PAST: Record<string, string> = {
  accept: "accepted",
  edit: "edited",
  respond: "answered",
  ignore: "ignored",
};

function mailState({ state, error }: Mail): string {
  switch (state) {
    case "draft":
      return "not sent";
    case "approved":
      return "to be sent";
    case "sent":
      return "sent";
    case "dead":
      return PAST[error] === undefined ? `not sent: ${error}` : "not sent";
  }
}

function mailTone(mail: Mail | null): Tone {
  if (mail === null || mail.state === "sent") {
    return "good";
  }
  return mail.state === "dead" ? (PAST[mail.error] === undefined ? "bad" : "plain") : "warn";
}
