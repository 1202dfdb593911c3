import type { Tone } from "../../ui/index.ts";

/** What GET /api/2.0/agents answers. */
export interface Agents {
  readonly agents: readonly Agent[];
  readonly switch: KillSwitch;
  /** Whether the reader may turn the switch. */
  readonly may_stop_all: boolean;
}

export interface KillSwitch {
  readonly stopped: boolean;
  readonly changed_by: string;
  readonly changed_at: string;
}

export interface Agent {
  readonly name: string;
  readonly principal: string;
  readonly owner: string;
  readonly description: string;
  readonly callers: readonly string[];
  readonly approvers: readonly string[];
  readonly steps_max: number;
  readonly tokens_max: number;
  readonly cost_micros_max: number;
  readonly seconds_max: number;
  readonly failures_max: number;
  readonly paused: boolean;
  readonly address_table: string;
  readonly mail_needs_approval: boolean;
  readonly may_manage: boolean;
  readonly queued: number;
  readonly running: number;
  readonly waiting: number;
}

export const STATUSES = [
  "queued",
  "running",
  "waiting",
  "succeeded",
  "failed",
  "cancelled",
] as const;
export type Status = (typeof STATUSES)[number];

export interface RunLine {
  readonly run_id: string;
  readonly agent: string;
  readonly status: Status;
  readonly paused: boolean;
  readonly trigger_kind: string;
  readonly trigger_key: string;
  readonly started_by: string;
  readonly on_behalf_of: string;
  readonly error_code: string;
  readonly error: string;
  readonly steps_used: number;
  readonly tokens_used: number;
  readonly cost_micros_used: number;
  readonly ran_ms: number;
  readonly failures: number;
  readonly takeovers: number;
  readonly created_at: string;
  readonly finished_at: string | null;
}

export interface Step {
  readonly seq: number;
  readonly kind: "llm" | "tool" | "effect" | "wait" | "note";
  readonly name: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly model: string;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly cost_micros: number;
  readonly ms: number;
  readonly created_at: string;
}

export interface Effect {
  readonly idempotency_key: string;
  readonly seq: number;
  readonly name: string;
  readonly state: "intended" | "done" | "failed";
  readonly created_at: string;
}

export interface Approval {
  readonly approval_id: string;
  readonly run_id: string;
  readonly seq: number;
  readonly agent: string;
  readonly name: string;
  readonly action: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly description: string;
  readonly allowed: readonly string[];
  readonly assignees: readonly string[];
  readonly state: "pending" | "decided" | "expired" | "cancelled";
  readonly decision: string;
  readonly response: string;
  readonly decided_by: string;
  readonly decided_at: string | null;
  readonly created_at: string;
  readonly expires_at: string;
}

export interface Mail {
  readonly seq: number;
  readonly recipient: string;
  readonly subject: string;
  readonly body: string;
  readonly drafted_by: string;
  readonly model: string;
  readonly state: "draft" | "approved" | "sent" | "dead";
  readonly attempts: number;
  readonly error: string;
  readonly sent_at: string | null;
}

/** What somebody sent the run while it went on. */
export interface Message {
  readonly id: number;
  readonly key: string;
  readonly sender: string;
  readonly on_behalf_of: string;
  readonly message: unknown;
  readonly created_at: string;
  /** The step that took it; null while it waits. */
  readonly seq: number | null;
}

/** What GET /api/2.0/agent-runs/ID answers. */
export interface Run extends RunLine {
  readonly input: unknown;
  readonly output: unknown;
  readonly steps: readonly Step[];
  readonly effects: readonly Effect[];
  readonly approvals: readonly Approval[];
  readonly outbox: readonly Mail[];
  readonly messages: readonly Message[];
  readonly reads: readonly string[];
}

export const AGENTS = "/api/2.0/agents";
export const RUNS = "/api/2.0/agent-runs";
export const SWITCH = "/api/2.0/agent-switch";
export const APPROVALS = "/api/2.0/agent-approvals";

export function statusOf(word: unknown): Status | null {
  return STATUSES.find((status) => status === word) ?? null;
}

/** How a run stands, in a word and a tone. */
export function lookOf({ status, paused }: { status: Status; paused: boolean }): {
  label: string;
  tone: Tone;
} {
  if (paused && isOpen(status)) {
    return { label: `Paused, ${status}`, tone: "warn" };
  }
  switch (status) {
    case "queued":
      return { label: "Queued", tone: "plain" };
    case "running":
      return { label: "Running", tone: "good" };
    case "waiting":
      return { label: "Waiting", tone: "warn" };
    case "succeeded":
      return { label: "Succeeded", tone: "good" };
    case "failed":
      return { label: "Failed", tone: "bad" };
    case "cancelled":
      return { label: "Cancelled", tone: "plain" };
  }
}

export function isOpen(status: Status): boolean {
  return status === "queued" || status === "running" || status === "waiting";
}

const TRIGGERS: Record<string, string> = {
  api: "by a request",
  message: "by a message",
  schedule: "by schedule",
  row_change: "by a changed row",
};

export function triggerOf(kind: string): string {
  return TRIGGERS[kind] ?? kind;
}
