/* The app's backend, at the same origin: what is asked of it once, and what people decide. */

export const API = new URL("/api/", document.baseURI);

export interface Me {
  readonly user: string;
  readonly email: string;
  readonly can_decide: boolean;
  readonly can_request: boolean;
}

export interface Models {
  readonly drafter: "template" | "model";
  readonly endpoint: string | null;
}

export type TraceKind =
  | "recommendation"
  | "stock"
  | "quote"
  | "rfq"
  | "order"
  | "invoice"
  | "posting";

/** How a number or an action came to be, newest last. */
export interface Trace {
  readonly title: string;
  readonly entries: readonly TraceEntry[];
}

export interface TraceEntry {
  readonly at: string | null;
  readonly who: string;
  readonly action: string;
  readonly detail: string;
  /** What has a trace of its own; null when it has none. */
  readonly kind: string | null;
  readonly id: string | null;
  readonly source: string;
}

export type Decision = "accept" | "edit" | "respond" | "ignore" | "delegate";

export interface DecisionBody {
  readonly decision: Decision;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly text?: string;
  readonly to?: string;
}

export interface RfqBody {
  readonly sku: string;
  readonly supplier_id: string;
  readonly grams: number;
}

export interface VarianceBody {
  readonly invoice_id: string;
  readonly rule: string;
  readonly line: number;
  readonly from: string;
  readonly to: "accepted" | "disputed" | "closed";
  readonly note?: string;
}

/** A request that the backend refused, in its own words. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  /** How to mend it; empty when there is no advice. */
  readonly hint: string;

  constructor(status: number, code: string, message: string, hint: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

const ANSWER_MAX_MILLIS = 30_000;

export const getMe = () => ask<Me>("me");
export const getModels = () => ask<Models>("models");
export const getTrace = (kind: string, id: string) =>
  ask<Trace>(`trace?${new URLSearchParams({ kind, id })}`);

export const requestQuote = (body: RfqBody) => send<{ id: string }>("rfqs", body);
export const decide = (approvalId: string, body: DecisionBody) =>
  send<{ outcome: string }>(`approvals/${encodeURIComponent(approvalId)}`, body);
export const decideVariance = (body: VarianceBody) => send<{ state: string }>("variances", body);

function ask<T>(path: string): Promise<T> {
  return call(path, {});
}

/** A write says that a page of this origin sent it, which a form of another one cannot. */
function send<T>(path: string, body: object): Promise<T> {
  return call(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-requested-with": "lakemill" },
    body: JSON.stringify(body),
    // So that it arrives also when the page is closed right after.
    keepalive: true,
  });
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  const signal = AbortSignal.timeout(ANSWER_MAX_MILLIS);
  const response = await fetch(new URL(path, API), { redirect: "manual", signal, ...init }).catch(
    () => {
      throw new Refused(0, "UNAVAILABLE", "The server does not answer.", "Try again in a moment.");
    },
  );
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) {
    return body as T;
  }
  throw refusedBy(response.status, body);
}

/** What an answer that is not a success says; a redirect (status 0) leads to the login. */
export function refusedBy(status: number, body: unknown): Refused {
  const error = (body as { error?: Record<string, unknown> } | null)?.error;
  const word = (value: unknown) => (typeof value === "string" ? value : "");
  if (word(error?.message) !== "") {
    return new Refused(status, word(error?.code), word(error?.message), word(error?.hint));
  }
  if (status === 0 || status === 401) {
    return new Refused(status, "UNAUTHENTICATED", "You are logged out.", "Reload the page.");
  }
  return new Refused(
    status,
    "INTERNAL",
    `The server answered ${status}.`,
    "Try again in a moment.",
  );
}
