import { instant, number, type RowOf, text } from "@lakemill/console/live";

/*
 * The synced tables that the board reads, with the columns that it uses, named as in Postgres.
 * Grams are whole grams, prices EUR per kg, times milliseconds since the epoch.
 */

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
} as const;
