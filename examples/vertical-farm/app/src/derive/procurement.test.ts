import { describe, expect, it } from "vitest";
import type { Approval, Email, Invoice, Offer, Order, Rfq, Variance } from "../tables.ts";
import { costOf, formatMoney, total } from "./money.ts";
import { argsOf, isEditable, negotiations, openRfq, standing, strongParts } from "./negotiation.ts";
import { byRule, byStakes, type OrderTables, orderViews, strayInvoices } from "./orders.ts";
import { reasons, strongest, summary } from "./why.ts";

const rfq = (id: string, state: string, created_at: number): Rfq => ({
  id,
  sku: `sku-${id}`,
  supplier_id: "nord",
  grams: 1_000,
  quoted_price_per_kg: 10,
  currency: "EUR",
  expected_cost: 10,
  needed_by: 0,
  reason: "",
  requested_by: "ada",
  state,
  created_at,
});
const email = (rfq_id: string, state: string): Email => ({
  id: `mail-${rfq_id}`,
  rfq_id,
  supplier_id: "nord",
  subject: "",
  body: "",
  cost: 10,
  currency: "EUR",
  drafted_by: "template",
  model: "",
  state,
  decided_by: "",
  blocked_reason: "",
  created_at: 1,
  committed_at: null,
  sent_at: null,
});
const approval = (rfq_id: string, action: string, args: string, requested_at = 5): Approval => ({
  approval_id: `approval-${rfq_id}`,
  run_id: "",
  agent: "negotiator",
  action,
  args,
  markdown: "",
  requested_at,
  expires_at: null,
  rfq_id,
});
const DRAFT = JSON.stringify({ subject: "Request", body: "Dear" });

describe("negotiations", () => {
  const nothing = { rfqs: [], emails: [], replies: [], inbox: [], orders: [] };

  it("put what waits for the reader first, the longest waiting before all", () => {
    const all = negotiations({
      ...nothing,
      rfqs: [rfq("new", "requested", 90), rfq("b", "drafted", 20), rfq("a", "drafted", 10)],
      inbox: [approval("b", "send_rfq", DRAFT, 21), approval("a", "send_rfq", DRAFT, 11)],
    });
    expect(all.map(({ id, box }) => [id, box])).toEqual([
      ["a", "decide"],
      ["b", "decide"],
      ["new", "underway"],
    ]);
  });

  it("keep an approval whose request is not at hand", () => {
    const [only] = negotiations({ ...nothing, inbox: [approval("gone", "send_rfq", DRAFT)] });
    expect(only).toMatchObject({ id: "approval-gone", rfq: null, box: "decide" });
  });

  it.each([
    ["requested", null, "Being drafted"],
    ["drafted", "draft", "With an approver"],
    ["drafted", "approved", "Being sent"],
    ["drafted", "committed", "Being sent"],
    ["sent", "sent", "Waiting for an answer"],
    ["ordered", "sent", "Ordered"],
    ["declined", "sent", "Declined"],
    ["blocked", "blocked", "Over budget"],
    ["dismissed", "dismissed", "Dismissed"],
  ])("say of a request that is %s, its e-mail %s: %s", (state, mail, label) => {
    const [only] = negotiations({
      ...nothing,
      rfqs: [rfq("a", state, 1)],
      emails: mail === null ? [] : [email("a", mail)],
    });
    expect(standing(only!).label).toBe(label);
  });

  it("know the one request that is open for a SKU", () => {
    const rfqs = [rfq("a", "ordered", 1), rfq("b", "sent", 2)];
    expect(openRfq(rfqs, "sku-b")?.id).toBe("b");
    expect(openRfq(rfqs, "sku-a")).toBeUndefined();
  });
});

describe("approvals", () => {
  it("can be edited when they are of an e-mail, and only then", () => {
    expect(isEditable(approval("a", "send_rfq", DRAFT))).toBe(true);
    expect(isEditable(approval("a", "accept_counter_offer", '{"price_per_kg":"9"}'))).toBe(false);
    expect(argsOf(approval("a", "x", "no JSON"))).toEqual({});
    expect(argsOf(approval("a", "x", "[1]"))).toEqual({});
  });

  it("are described with strong parts, and nothing else is looked at", () => {
    expect(strongParts("**5 g** from <b>Nord</b> [x](javascript:1)")).toEqual([
      { text: "5 g", strong: true },
      { text: " from <b>Nord</b> [x](javascript:1)", strong: false },
    ]);
    expect(strongParts("a ** b")).toEqual([{ text: "a ** b", strong: false }]);
  });
});

const order = (number: string, supplier_id = "nord"): Order => ({
  number,
  rfq_id: number,
  supplier_id,
  currency: "EUR",
  tax_percent: 7,
  total: 10,
  ordered_at: 1,
});
const invoice = (id: string, po_number: string, state: string, supplier_id = "nord"): Invoice => ({
  id,
  supplier_id,
  number: id,
  po_number,
  currency: "EUR",
  net: 10,
  tax: 0.7,
  state,
  received_at: 1,
});
const orderTables = (rest: Partial<OrderTables>): OrderTables => ({
  orders: [order("PO-1")],
  orderLines: [{ po_number: "PO-1", line: 1, sku: "pea", grams: 1_000, price_per_kg: 10 }],
  receipts: [],
  invoices: [],
  invoiceLines: [],
  variances: [],
  ...rest,
});
const receipt = (id: string, grams: number) => ({
  id,
  po_number: "PO-1",
  line: 1,
  grams,
  received_at: 1,
});

describe("orders", () => {
  it.each([
    ["nothing came", {}, "ordered"],
    ["some came", { receipts: [receipt("a", 400)] }, "partial"],
    ["all came, bag by bag", { receipts: [receipt("a", 400), receipt("b", 600)] }, "delivered"],
    ["it was billed rightly", { invoices: [invoice("i", "PO-1", "matched")] }, "billed"],
    [
      "one of two bills is wrong",
      { invoices: [invoice("i", "PO-1", "matched"), invoice("j", "PO-1", "varies")] },
      "varies",
    ],
  ])("when %s", (_what, tables, state) => {
    expect(orderViews(orderTables(tables))[0]?.state).toBe(state);
  });

  it("take no bill of another supplier for theirs", () => {
    const tables = orderTables({ invoices: [invoice("i", "PO-1", "varies", "other")] });
    expect(orderViews(tables)[0]?.invoices).toEqual([]);
    expect(strayInvoices(tables).map((one) => one.invoice.id)).toEqual(["i"]);
  });
});

const variance = (rule: string, amount: number, state = "open"): Variance => ({
  invoice_id: rule,
  rule,
  line: 0,
  expected: "",
  found: "",
  amount,
  explanation: "",
  drafted_by: "template",
  state,
  decided_by: "",
  note: "",
  created_at: 1,
});

describe("variances", () => {
  it("put the dearest open one first, also when it is in our favour", () => {
    const all = [variance("a", 5), variance("b", 900, "closed"), variance("c", -40)];
    expect(all.sort(byStakes).map(({ rule }) => rule)).toEqual(["c", "a", "b"]);
  });

  it("are added up by rule", () => {
    expect(byRule([variance("tax", 1), variance("price", 5), variance("tax", -9)])).toEqual([
      { rule: "tax", count: 2, amount: 10 },
      { rule: "price", count: 1, amount: 5 },
    ]);
  });
});

describe("money", () => {
  it("is added up without losing a cent", () => {
    expect(total(Array.from({ length: 10 }, () => 0.1))).toBe(1);
    expect(total([0.1, null, 0.2])).toBe(0.3);
    expect(costOf(12_345, 9.8765)).toBe(121.93);
  });

  it("stands in any currency that a bill names, also in none", () => {
    expect(formatMoney(12.5, "EUR")).toBe("€12.50");
    expect(formatMoney(12.5, "USD")).toBe("12.50 USD");
    expect(formatMoney(12.5, "<script>")).toBe("12.50 <scr…");
    expect(formatMoney(12.5, "W".repeat(400))).toBe("12.50 WWWW…");
    expect(formatMoney(null, "USD")).toBe("–");
  });
});

describe("reasons", () => {
  const offer = (why_price: number | null, why_lead_time: number | null): Offer => ({
    sku: "pea",
    supplier_id: "nord",
    supplier_name: "Nord",
    rank: 1,
    score: 0.7,
    price_per_kg: 1,
    price_vs_median: 0,
    lead_time_hours: 1,
    reliability: 1,
    min_order_grams: 1,
    model_version: 1,
    why_demand: why_price === null ? null : 0,
    why_lead_time,
    why_price,
    why_price_trend: why_price === null ? null : 0,
    why_reliability: why_price === null ? null : 0.01,
  });

  it("are told in points, and put in words", () => {
    expect(reasons(offer(0.12, -0.2)).map(({ feature, points }) => [feature, points])).toEqual([
      ["Price", 12],
      ["Lead time", -20],
      ["Reliability", 1],
      ["Price trend", 0],
      ["Demand", 0],
    ]);
    expect(summary(offer(0.12, -0.2))).toBe("helped by price, held back by lead time");
    expect(summary(offer(0, 0.001))).toBe("helped by reliability");
    expect(strongest([offer(0.12, 0), offer(0, -0.3)])).toBe(30);
  });

  it("are none where the server tells none", () => {
    expect(reasons(offer(null, null))).toEqual([]);
    expect(summary(offer(null, null))).toBe("");
    expect(strongest([])).toBe(0);
  });
});
