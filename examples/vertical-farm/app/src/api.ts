import { Refused, refusedBy } from "./refused.ts";

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

/** The mean of what a supplier quoted in a quarter hour, which begins at `bucket`. */
export interface QuotedPrice {
  readonly bucket: number;
  readonly supplier_id: string;
  readonly price: number;
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

const ANSWER_MAX_MILLIS = 30_000;

export const getMe = () => ask<Me>("me");
export const getModels = () => ask<Models>("models");
export const getTrace = (kind: string, id: string) =>
  ask<Trace>(`trace?${new URLSearchParams({ kind, id })}`);

export const getPrices = (sku: string) =>
  ask<{ prices: readonly QuotedPrice[] }>(`prices?${new URLSearchParams({ sku })}`);

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
