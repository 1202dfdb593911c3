import type { Tone } from "@lakemill/console/ui";
import type { Approval, Email, Order, Reply, Rfq } from "../tables.ts";
import { groupBy } from "./group.ts";

/** Where a negotiation stands, as people sort their mail. */
export type Box = "decide" | "underway" | "answered" | "closed";

export const BOXES: readonly { readonly box: Box; readonly label: string }[] = [
  { box: "decide", label: "To decide" },
  { box: "underway", label: "Under way" },
  { box: "answered", label: "Ordered" },
  { box: "closed", label: "Closed" },
];

/** One request for a quotation with all that belongs to it. */
export interface Negotiation {
  /** Of the request; of the approval when that belongs to no request that is known. */
  readonly id: string;
  readonly rfq: Rfq | null;
  readonly email: Email | null;
  readonly replies: readonly Reply[];
  readonly approval: Approval | null;
  readonly order: Order | null;
  readonly box: Box;
  /** When something last happened to it. */
  readonly atMillis: number;
}

interface Tables {
  readonly rfqs: readonly Rfq[];
  readonly emails: readonly Email[];
  readonly replies: readonly Reply[];
  readonly inbox: readonly Approval[];
  readonly orders: readonly Order[];
}

/** All negotiations: what waits for the reader first, the oldest of it before all; then by news. */
export function negotiations({ rfqs, emails, replies, inbox, orders }: Tables): Negotiation[] {
  const emailOf = new Map(emails.map((email) => [email.rfq_id, email]));
  const orderOf = new Map(orders.map((order) => [order.rfq_id, order]));
  const approvalOf = new Map(inbox.map((approval) => [approval.rfq_id, approval]));
  const repliesOf = groupBy(replies, (reply) => reply.rfq_id);
  const known = new Set(rfqs.map((rfq) => rfq.id));
  const all = rfqs.map((rfq) =>
    negotiation(
      rfq,
      emailOf.get(rfq.id) ?? null,
      (repliesOf.get(rfq.id) ?? []).toSorted((a, b) => (a.received_at ?? 0) - (b.received_at ?? 0)),
      approvalOf.get(rfq.id) ?? null,
      orderOf.get(rfq.id) ?? null,
    ),
  );
  const others = inbox
    .filter((approval) => !known.has(approval.rfq_id))
    .map((approval) => ({
      id: approval.approval_id,
      rfq: null,
      email: null,
      replies: [],
      approval,
      order: null,
      box: "decide" as const,
      atMillis: approval.requested_at ?? 0,
    }));
  return [...all, ...others].sort(byNews);
}

function negotiation(
  rfq: Rfq,
  email: Email | null,
  replies: readonly Reply[],
  approval: Approval | null,
  order: Order | null,
): Negotiation {
  const times = [
    rfq.created_at,
    email?.created_at,
    email?.committed_at,
    email?.sent_at,
    replies.at(-1)?.received_at,
    approval?.requested_at,
    order?.ordered_at,
  ];
  const atMillis = Math.max(...times.map((at) => at ?? 0));
  return { id: rfq.id, rfq, email, replies, approval, order, box: boxOf(rfq, approval), atMillis };
}

function boxOf(rfq: Rfq, approval: Approval | null): Box {
  if (approval !== null) {
    return "decide";
  }
  switch (rfq.state) {
    case "requested":
    case "drafted":
    case "sent":
      return "underway";
    case "ordered":
      return "answered";
    default:
      return "closed";
  }
}

function byNews(a: Negotiation, b: Negotiation): number {
  const decide = Number(b.box === "decide") - Number(a.box === "decide");
  const age = a.box === "decide" ? a.atMillis - b.atMillis : b.atMillis - a.atMillis;
  return decide || age || a.id.localeCompare(b.id);
}

export interface Standing {
  readonly label: string;
  readonly tone: Tone;
}

/** Where it stands, in a word or three. */
export function standing({ rfq, email, replies, approval }: Negotiation): Standing {
  if (approval !== null) {
    return approval.action === "accept_counter_offer"
      ? { label: "Counter-offer", tone: "warn" }
      : { label: "Draft to approve", tone: "warn" };
  }
  switch (rfq?.state) {
    case "requested":
      return { label: "Being drafted", tone: "plain" };
    case "drafted":
      return email?.state === "committed" || email?.state === "approved"
        ? { label: "Being sent", tone: "plain" }
        : { label: "With an approver", tone: "plain" };
    case "sent":
      return replies.length > 0
        ? { label: "Answered", tone: "plain" }
        : { label: "Waiting for an answer", tone: "plain" };
    case "ordered":
      return { label: "Ordered", tone: "good" };
    case "declined":
      return { label: "Declined", tone: "bad" };
    case "blocked":
      return { label: "Over budget", tone: "bad" };
    case "dismissed":
      return { label: "Dismissed", tone: "plain" };
    default:
      return { label: rfq?.state ?? "Unknown", tone: "plain" };
  }
}

/** The request that is open for a SKU; there is one at most. */
export function openRfq(rfqs: readonly Rfq[], sku: string): Rfq | undefined {
  return rfqs.find(
    (rfq) => rfq.sku === sku && ["requested", "drafted", "sent"].includes(rfq.state),
  );
}

/** What an approval would do, as its arguments say; empty when they are no object. */
export function argsOf(approval: Approval): Readonly<Record<string, unknown>> {
  try {
    const args: unknown = JSON.parse(approval.args);
    return typeof args === "object" && args !== null && !Array.isArray(args)
      ? (args as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

/** Whether people may change what would be done: the words of an e-mail, and nothing else. */
export function isEditable(approval: Approval): boolean {
  const { subject, body } = argsOf(approval);
  return typeof subject === "string" && typeof body === "string";
}

/** Text with **strong** parts, as approvals are described. Anything else stands as it is. */
export function strongParts(
  markdown: string,
): { readonly text: string; readonly strong: boolean }[] {
  return markdown
    .split(/\*\*([^*\n]+)\*\*/)
    .map((text, index) => ({ text, strong: index % 2 === 1 }))
    .filter(({ text }) => text !== "");
}
