import { describe, expect, it } from "vitest";
import type { Demand, Offer, Stock } from "../tables.ts";
import {
  byDemand,
  byUrgency,
  coverLevel,
  demandChart,
  offersFor,
  priceChart,
  priceDigits,
  priceLevel,
  quantile,
  quotedChart,
  skusByFamily,
  spoken,
  sum,
} from "./supply.ts";

const stock = (name: string, days: number | null, family = "Herbs"): Stock => ({
  sku: name.toLowerCase(),
  name,
  family,
  on_hand_grams: 100,
  demand_trays_24h: 1,
  grams_per_tray: 1,
  days_of_cover: days,
  last_movement_at: null,
});

describe("coverLevel", () => {
  it.each([
    [0.5, 100, "Critical"],
    [1.99, 100, "Critical"],
    [2, 100, "Low"],
    [4.99, 100, "Low"],
    [5, 100, "Enough"],
    [null, 100, "No demand"],
    [null, 0, "Out of stock"],
    [3, -20, "Out of stock"],
    [3, null, "Low"],
  ])("calls %s days with %s g on hand %s", (days, grams, label) => {
    expect(coverLevel(days, grams).label).toBe(label);
  });
});

describe("priceLevel", () => {
  it.each([
    [0.4, "Usual", "plain"],
    [1.2, "High", "warn"],
    [-1.2, "Low", "good"],
    [2.5, "Unusually high", "bad"],
    [-2.5, "Unusually low", "good"],
    [null, "Unknown", "plain"],
  ])("calls a z-score of %s %s", (z, label, tone) => {
    expect(priceLevel(z)).toEqual({ label, tone });
  });
});

describe("orders", () => {
  it("puts the least cover first and what needs none last", () => {
    const rows = [stock("Dill", null), stock("Rocket", 3), stock("Chia", 3), stock("Pea", 0.2)];
    expect(rows.sort(byUrgency).map((row) => row.name)).toEqual(["Pea", "Chia", "Rocket", "Dill"]);
  });

  it("puts the greatest demand first", () => {
    const demand = (name: string, trays_per_hour: number | null): Demand => ({
      sku: name,
      name,
      family: "Herbs",
      trays_per_hour,
      events: 1,
      last_at: null,
    });
    const rows = [demand("Dill", null), demand("Pea", 4), demand("Chia", 9)];
    expect(rows.sort(byDemand).map((row) => row.name)).toEqual(["Chia", "Pea", "Dill"]);
  });

  it("takes one SKU's offers by rank", () => {
    const offer = (sku: string, supplier_name: string, rank: number): Offer => ({
      sku,
      supplier_id: supplier_name,
      supplier_name,
      rank,
      score: 1,
      price_per_kg: 1,
      price_vs_median: 0,
      lead_time_hours: 1,
      reliability: 1,
      min_order_grams: 1,
      model_version: 1,
      why_demand: null,
      why_lead_time: null,
      why_price: null,
      why_price_trend: null,
      why_reliability: null,
    });
    const offers = [offer("pea", "B", 2), offer("dill", "C", 1), offer("pea", "A", 1)];
    expect(offersFor(offers, "pea").map((one) => one.supplier_name)).toEqual(["A", "B"]);
  });

  it("groups SKUs by family", () => {
    const rows = [stock("Rocket", 1, "Salads"), stock("Dill", 1), stock("Chives", 1)];
    expect(skusByFamily(rows)).toEqual([
      {
        family: "Herbs",
        skus: [
          expect.objectContaining({ sku: "chives" }),
          expect.objectContaining({ sku: "dill" }),
        ],
      },
      { family: "Salads", skus: [expect.objectContaining({ sku: "rocket" })] },
    ]);
  });
});

describe("charts", () => {
  it("give every family a value or nothing for every bucket", () => {
    const chart = demandChart([
      { bucket: 20, family: "salads", trays_per_hour: 2 },
      { bucket: 10, family: "Herbs", trays_per_hour: 1 },
      { bucket: 20, family: "Herbs", trays_per_hour: 3 },
      { bucket: null, family: "Herbs", trays_per_hour: 99 },
    ]);
    expect(chart).toEqual({
      times: [10, 20],
      series: [
        { label: "Herbs", color: 1, values: [1, 3] },
        { label: "Salads", color: 2, values: [null, 2] },
      ],
    });
  });

  it("show one commodity by time", () => {
    const rows = [
      { bucket: 20, commodity: "substrate", price: 2 },
      { bucket: 10, commodity: "substrate", price: 1 },
      { bucket: 10, commodity: "nutrient", price: 7 },
    ];
    expect(priceChart(rows, "substrate", 3)).toEqual({
      times: [10, 20],
      series: [{ label: "Price", color: 3, values: [1, 2] }],
    });
  });
});

describe("figures", () => {
  it("tell the value that most do not exceed", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(quantile(values, 0.95)).toBe(95);
    expect(quantile([7], 0.95)).toBe(7);
    expect(quantile([], 0.95)).toBeNull();
  });

  it("add up what is known", () => {
    expect(sum([1, null, 2])).toBe(3);
  });

  it("show as many digits as a price needs", () => {
    expect([0.1284, 3.482, 412].map(priceDigits)).toEqual([4, 3, 2]);
  });

  it("say names in words", () => {
    expect(spoken("grow_lights")).toBe("Grow lights");
  });
});

describe("quotedChart", () => {
  it("has a line for each supplier who quoted, with gaps where it did not", () => {
    const rows = [
      { bucket: 2, supplier_id: "a", price: 11 },
      { bucket: 1, supplier_id: "a", price: 10 },
      { bucket: 2, supplier_id: "b", price: 9 },
    ];
    const suppliers = ["b", "a", "c"].map((id) => ({
      supplier_id: id,
      supplier_name: `Supplier ${id}`,
    }));
    expect(quotedChart(rows, suppliers)).toEqual({
      times: [1, 2],
      series: [
        { label: "Supplier b", color: 1, values: [null, 9] },
        { label: "Supplier a", color: 2, values: [10, 11] },
      ],
    });
    expect(quotedChart([], suppliers)).toEqual({ times: [], series: [] });
  });
});
