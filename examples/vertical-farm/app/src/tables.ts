import { instant, number, type RowOf, text } from "@lakemill/console/live";

/*
 * The tables that the app follows, with the columns that it uses, named as in Postgres. Grams are
 * whole grams, prices EUR per kg unless a currency stands beside them, times milliseconds since the
 * epoch. Of the tables of procurement only the newest rows come, ROWS_MAX of each; what is added up
 * of all of them is added up in Postgres.
 */

export const ROWS_MAX = 500;

export const STOCK = {
  sku: text,
  name: text,
  family: text,
  on_hand_grams: number,
  demand_trays_24h: number,
  grams_per_tray: number,
  days_of_cover: number,
  last_movement_at: instant,
};
export type Stock = RowOf<typeof STOCK>;

export const DEMAND_1H = {
  sku: text,
  name: text,
  family: text,
  trays_per_hour: number,
  events: number,
  last_at: instant,
};
export type Demand = RowOf<typeof DEMAND_1H>;

export const DEMAND_24H = { bucket: instant, family: text, trays_per_hour: number };
export type FamilyDemand = RowOf<typeof DEMAND_24H>;

/** Prices are in EUR per unit. */
export const INPUT_TREND = {
  commodity: text,
  unit: text,
  price_now: number,
  mean_24h: number,
  slope_per_hour: number,
  z_score: number,
  observed_at: instant,
};
export type InputTrend = RowOf<typeof INPUT_TREND>;

export const INPUT_PRICES = { bucket: instant, commodity: text, price: number };
export type InputPrice = RowOf<typeof INPUT_PRICES>;

export const QUOTES = {
  sku: text,
  supplier_id: text,
  event_id: text,
  price_per_kg: number,
  valid_until: instant,
  quoted_at: instant,
};
export type Quote = RowOf<typeof QUOTES>;

export const TRAY_COST = {
  sku: text,
  seed_cost: number,
  input_cost: number,
  total_cost: number,
};

/** Each `why_` is the score minus what it would be with that feature at its typical value. */
export const LEADERBOARD = {
  sku: text,
  supplier_id: text,
  supplier_name: text,
  rank: number,
  score: number,
  price_per_kg: number,
  price_vs_median: number,
  lead_time_hours: number,
  reliability: number,
  min_order_grams: number,
  model_version: number,
  why_demand: number,
  why_lead_time: number,
  why_price: number,
  why_price_trend: number,
  why_reliability: number,
};
export type Offer = RowOf<typeof LEADERBOARD>;

export const RECOMMENDATIONS = {
  sku: text,
  name: text,
  supplier_id: text,
  supplier_name: text,
  grams: number,
  expected_cost: number,
  deadline: instant,
  days_of_cover: number,
  reason: text,
  confidence: number,
};
export type Recommendation = RowOf<typeof RECOMMENDATIONS>;

export const SUPPLIERS = {
  supplier_id: text,
  name: text,
  country: text,
  email: text,
  payment_terms_days: number,
};
export type Supplier = RowOf<typeof SUPPLIERS>;

export const RFQS = {
  id: text,
  sku: text,
  supplier_id: text,
  grams: number,
  quoted_price_per_kg: number,
  currency: text,
  expected_cost: number,
  needed_by: instant,
  reason: text,
  requested_by: text,
  state: text,
  created_at: instant,
};
export type Rfq = RowOf<typeof RFQS>;

export const EMAILS = {
  id: text,
  rfq_id: text,
  supplier_id: text,
  subject: text,
  body: text,
  cost: number,
  currency: text,
  drafted_by: text,
  model: text,
  state: text,
  decided_by: text,
  blocked_reason: text,
  created_at: instant,
  committed_at: instant,
  sent_at: instant,
};
export type Email = RowOf<typeof EMAILS>;

export const REPLIES = {
  id: text,
  rfq_id: text,
  supplier_id: text,
  kind: text,
  price_per_kg: number,
  grams: number,
  text: text,
  received_at: instant,
};
export type Reply = RowOf<typeof REPLIES>;

/** What waits for the decision of whoever is logged in. */
export const INBOX = {
  approval_id: text,
  run_id: text,
  agent: text,
  action: text,
  args: text,
  markdown: text,
  requested_at: instant,
  expires_at: instant,
  rfq_id: text,
};
export type Approval = RowOf<typeof INBOX>;

export const ORDERS = {
  number: text,
  rfq_id: text,
  supplier_id: text,
  currency: text,
  tax_percent: number,
  total: number,
  ordered_at: instant,
};
export type Order = RowOf<typeof ORDERS>;

export const ORDER_LINES = {
  po_number: text,
  line: number,
  sku: text,
  grams: number,
  price_per_kg: number,
};
export type OrderLine = RowOf<typeof ORDER_LINES>;

export const RECEIPTS = {
  id: text,
  po_number: text,
  line: number,
  grams: number,
  received_at: instant,
};
export type Receipt = RowOf<typeof RECEIPTS>;

/** As it came: nothing of it is held to be true. */
export const INVOICES = {
  id: text,
  supplier_id: text,
  number: text,
  po_number: text,
  currency: text,
  net: number,
  tax: number,
  state: text,
  received_at: instant,
};
export type Invoice = RowOf<typeof INVOICES>;

export const INVOICE_LINES = {
  invoice_id: text,
  line: number,
  sku: text,
  grams: number,
  price_per_kg: number,
};
export type InvoiceLine = RowOf<typeof INVOICE_LINES>;

export const VARIANCES = {
  invoice_id: text,
  rule: text,
  line: number,
  expected: text,
  found: text,
  amount: number,
  explanation: text,
  drafted_by: text,
  state: text,
  decided_by: text,
  note: text,
  created_at: instant,
};
export type Variance = RowOf<typeof VARIANCES>;

/** `month` is its first day, 2026-11-01. */
export const BUDGETS = { month: text, currency: text, amount: number, committed: number };
export type Budget = RowOf<typeof BUDGETS>;

export const POSTINGS = {
  id: text,
  key: text,
  month: text,
  amount: number,
  memo: text,
  posted_at: instant,
};
export type Posting = RowOf<typeof POSTINGS>;

export const ENTRIES = { posting_id: text, side: text, account: text, amount: number };
export type Entry = RowOf<typeof ENTRIES>;

/** Of all entries of a month. */
export const BALANCES = { month: text, account: text, debits: number, credits: number };
export type Balance = RowOf<typeof BALANCES>;

export const TABLES = {
  stock: "serving.stock_position",
  demand: "serving.demand_1h",
  demandByFamily: "serving.demand_24h",
  inputTrend: "serving.input_trend_24h",
  inputPrices: "serving.input_prices_24h",
  quotes: "serving.live_quotes",
  trayCost: "serving.tray_cost",
  leaderboard: "serving.supplier_leaderboard",
  recommendations: "serving.procurement_recommendations",
  suppliers: "serving.suppliers",
  rfqs: "procurement.rfq",
  emails: "procurement.email_outbox",
  replies: "procurement.supplier_reply",
  inbox: "procurement.inbox",
  orders: "procurement.purchase_order",
  orderLines: "procurement.po_line",
  receipts: "procurement.goods_receipt",
  invoices: "procurement.invoice",
  invoiceLines: "procurement.invoice_line",
  variances: "procurement.variance_review",
  budgets: "procurement.budget",
  postings: "procurement.ledger_posting",
  entries: "procurement.ledger_entry",
  balances: "procurement.ledger_balance",
} as const;
