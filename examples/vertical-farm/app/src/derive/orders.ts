import type { Tone } from "@lakemill/console/ui";
import type { Invoice, InvoiceLine, Order, OrderLine, Receipt, Variance } from "../tables.ts";
import { groupBy } from "./group.ts";
import { costOf } from "./money.ts";

/** A line as it was ordered, as it came, and as it was billed. */
export interface MatchedLine {
  readonly line: number;
  readonly sku: string;
  readonly orderedGrams: number;
  readonly receivedGrams: number;
  readonly pricePerKg: number | null;
  readonly cost: number | null;
}

export interface BilledInvoice {
  readonly invoice: Invoice;
  readonly lines: readonly InvoiceLine[];
  readonly variances: readonly Variance[];
}

export interface OrderView {
  readonly order: Order;
  readonly lines: readonly MatchedLine[];
  readonly receipts: readonly Receipt[];
  readonly invoices: readonly BilledInvoice[];
  readonly state: OrderState;
}

export type OrderState = "ordered" | "partial" | "delivered" | "billed" | "varies";

export const ORDER_STATES: Record<OrderState, { readonly label: string; readonly tone: Tone }> = {
  ordered: { label: "Under way", tone: "plain" },
  partial: { label: "Partly delivered", tone: "warn" },
  delivered: { label: "Delivered", tone: "good" },
  billed: { label: "Billed as agreed", tone: "good" },
  varies: { label: "Bill varies", tone: "bad" },
};

export interface OrderTables {
  readonly orders: readonly Order[];
  readonly orderLines: readonly OrderLine[];
  readonly receipts: readonly Receipt[];
  readonly invoices: readonly Invoice[];
  readonly invoiceLines: readonly InvoiceLine[];
  readonly variances: readonly Variance[];
}

/** Orders with what came and what was billed for them, the newest first. */
export function orderViews(tables: OrderTables): OrderView[] {
  const linesOf = groupBy(tables.orderLines, (line) => line.po_number);
  const receiptsOf = groupBy(tables.receipts, (receipt) => receipt.po_number);
  const billsOf = groupBy(billed(tables), ({ invoice }) => orderKey(invoice));
  return tables.orders
    .map((order) => {
      const receipts = receiptsOf.get(order.number) ?? [];
      const lines = (linesOf.get(order.number) ?? [])
        .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
        .map((line) => matched(line, receipts));
      const key = `${order.number} ${order.supplier_id}`;
      const invoices = (billsOf.get(key) ?? []).toSorted(byArrival);
      return { order, lines, receipts, invoices, state: stateOf(lines, invoices) };
    })
    .sort((a, b) => (b.order.ordered_at ?? 0) - (a.order.ordered_at ?? 0));
}

/** Invoices of no order that the farm has with that supplier, the newest first. */
export function strayInvoices(tables: OrderTables): BilledInvoice[] {
  const known = new Set(tables.orders.map(({ number, supplier_id }) => `${number} ${supplier_id}`));
  return billed(tables)
    .filter(({ invoice }) => !known.has(orderKey(invoice)))
    .sort((a, b) => byArrival(b, a));
}

/** An order number counts only with the supplier whom the order went to. */
function orderKey({ po_number, supplier_id }: Invoice): string {
  return `${po_number} ${supplier_id}`;
}

function byArrival(a: BilledInvoice, b: BilledInvoice): number {
  return (a.invoice.received_at ?? 0) - (b.invoice.received_at ?? 0);
}

function billed({ invoices, invoiceLines, variances }: OrderTables): BilledInvoice[] {
  const linesOf = groupBy(invoiceLines, (line) => line.invoice_id);
  const variancesOf = groupBy(variances, (variance) => variance.invoice_id);
  return invoices.map((invoice) => ({
    invoice,
    lines: (linesOf.get(invoice.id) ?? []).toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    variances: variancesOf.get(invoice.id) ?? [],
  }));
}

function matched(line: OrderLine, receipts: readonly Receipt[]): MatchedLine {
  const receivedGrams = receipts
    .filter((receipt) => receipt.line === line.line)
    .reduce((sum, receipt) => sum + (receipt.grams ?? 0), 0);
  return {
    line: line.line ?? 0,
    sku: line.sku,
    orderedGrams: line.grams ?? 0,
    receivedGrams,
    pricePerKg: line.price_per_kg,
    cost: costOf(line.grams, line.price_per_kg),
  };
}

function stateOf(lines: readonly MatchedLine[], invoices: readonly BilledInvoice[]): OrderState {
  if (invoices.some(({ invoice }) => invoice.state === "varies")) {
    return "varies";
  }
  if (invoices.some(({ invoice }) => invoice.state === "matched")) {
    return "billed";
  }
  if (lines.length > 0 && lines.every((line) => line.receivedGrams >= line.orderedGrams)) {
    return "delivered";
  }
  return lines.some((line) => line.receivedGrams > 0) ? "partial" : "ordered";
}

export const RULES: Readonly<Record<string, string>> = {
  duplicate: "Billed twice",
  unknown_order: "Unknown order",
  currency: "Wrong currency",
  quantity: "Wrong quantity",
  partial_delivery: "Billed in full, delivered in part",
  price: "Wrong price",
  tax: "Wrong tax",
  sum: "Wrong sum",
};

export const VARIANCE_TONES: Readonly<Record<string, Tone>> = {
  open: "warn",
  accepted: "good",
  disputed: "bad",
  closed: "plain",
};

/** A variance's own name among all. */
export function varianceKey({ invoice_id, rule, line }: Variance): string {
  return JSON.stringify([invoice_id, rule, line ?? 0]);
}

/** Open ones first and of these the dearest; then the newest. */
export function byStakes(a: Variance, b: Variance): number {
  const open = Number(b.state === "open") - Number(a.state === "open");
  const stakes = a.state === "open" ? Math.abs(b.amount ?? 0) - Math.abs(a.amount ?? 0) : 0;
  return (
    open ||
    stakes ||
    (b.created_at ?? 0) - (a.created_at ?? 0) ||
    varianceKey(a).localeCompare(varianceKey(b))
  );
}

export interface RuleShare {
  readonly rule: string;
  readonly count: number;
  readonly amount: number;
}

/** How many there are of each rule, and what they come to; the dearest rule first. */
export function byRule(variances: readonly Variance[]): RuleShare[] {
  return [...groupBy(variances, ({ rule }) => rule)]
    .map(([rule, of]) => ({
      rule,
      count: of.length,
      amount: of.reduce((sum, { amount }) => sum + Math.abs(amount ?? 0), 0),
    }))
    .sort((a, b) => b.amount - a.amount || a.rule.localeCompare(b.rule));
}
