import type { Series, SeriesColor, Tone } from "@lakemill/console/ui";
import type { QuotedPrice } from "../api.ts";
import type { Demand, FamilyDemand, InputPrice, Offer, Recommendation, Stock } from "../tables.ts";

/* What the board concludes from rows: orders, levels and chart series. Nothing here keeps state. */

interface Level {
  readonly label: string;
  readonly tone: Tone;
}

/** How urgent a stock is, by its days of cover. */
export function coverLevel(days: number | null, onHandGrams: number | null): Level {
  if (onHandGrams !== null && onHandGrams <= 0) {
    return { label: "Out of stock", tone: "bad" };
  }
  if (days === null) {
    return { label: "No demand", tone: "plain" };
  }
  if (days < 2) {
    return { label: "Critical", tone: "bad" };
  }
  return days < 5 ? { label: "Low", tone: "warn" } : { label: "Enough", tone: "good" };
}

/** How unusual a price is, by its distance from the mean in standard deviations. */
export function priceLevel(zScore: number | null): Level {
  if (zScore === null) {
    return { label: "Unknown", tone: "plain" };
  }
  const side = zScore > 0 ? "high" : "low";
  if (Math.abs(zScore) >= 2) {
    return { label: `Unusually ${side}`, tone: zScore > 0 ? "bad" : "good" };
  }
  return Math.abs(zScore) >= 1
    ? { label: zScore > 0 ? "High" : "Low", tone: zScore > 0 ? "warn" : "good" }
    : { label: "Usual", tone: "plain" };
}

/** Least cover first, what needs none last; equal cover by name, so that the order is settled. */
export function byUrgency(
  a: Pick<Stock | Recommendation, "days_of_cover" | "name">,
  b: Pick<Stock | Recommendation, "days_of_cover" | "name">,
): number {
  return (
    (a.days_of_cover ?? Number.MAX_VALUE) - (b.days_of_cover ?? Number.MAX_VALUE) ||
    a.name.localeCompare(b.name)
  );
}

export function byDemand(a: Demand, b: Demand): number {
  return (b.trays_per_hour ?? 0) - (a.trays_per_hour ?? 0) || a.name.localeCompare(b.name);
}

/** The offers for one SKU, best first. */
export function offersFor(offers: readonly Offer[], sku: string): Offer[] {
  return offers
    .filter((offer) => offer.sku === sku)
    .sort(
      (a, b) => (a.rank ?? 0) - (b.rank ?? 0) || a.supplier_name.localeCompare(b.supplier_name),
    );
}

export interface FamilyOfSkus {
  readonly family: string;
  readonly skus: readonly { readonly sku: string; readonly name: string }[];
}

/** SKUs by family, both in the order of their names. */
export function skusByFamily(stock: readonly Stock[]): FamilyOfSkus[] {
  const families = [...new Set(stock.map((row) => row.family))].sort();
  return families.map((family) => ({
    family,
    skus: stock.filter((row) => row.family === family).sort((a, b) => a.name.localeCompare(b.name)),
  }));
}

const COLORS: readonly SeriesColor[] = [1, 2, 3, 4, 5, 6];

/** Each family's colour, the same wherever the family is shown. */
export function familyColors(
  rows: readonly { readonly family: string }[],
): ReadonlyMap<string, SeriesColor> {
  const families = [...new Set(rows.map((row) => row.family))].sort();
  return new Map(families.map((family, index) => [family, COLORS[index % COLORS.length]!]));
}

export interface Chart {
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

/** A series per family over the buckets of all; a bucket that a family lacks is null. */
export function demandChart(rows: readonly FamilyDemand[]): Chart {
  const times = timesOf(rows);
  const series = [...familyColors(rows)].map(([family, color]) => {
    const own = new Map(
      rows
        .filter((row) => row.family === family)
        .map((row) => [row.bucket, row.trays_per_hour] as const),
    );
    return { label: spoken(family), color, values: times.map((time) => own.get(time) ?? null) };
  });
  return { times, series };
}

/** One commodity's prices over time. */
export function priceChart(
  rows: readonly InputPrice[],
  commodity: string,
  color: SeriesColor,
): Chart {
  const own = rows
    .filter((row) => row.commodity === commodity && row.bucket !== null)
    .sort((a, b) => a.bucket! - b.bucket!);
  return {
    times: own.map((row) => row.bucket!),
    series: [{ label: "Price", color, values: own.map((row) => row.price) }],
  };
}

/** A series per supplier, in the order given, over the quarter hours of all. */
export function quotedChart(
  rows: readonly QuotedPrice[],
  suppliers: readonly { readonly supplier_id: string; readonly supplier_name: string }[],
): Chart {
  const times = timesOf(rows);
  const series = suppliers.map(({ supplier_id, supplier_name }, index) => {
    const own = new Map(
      rows
        .filter((row) => row.supplier_id === supplier_id)
        .map((row) => [row.bucket, row.price] as const),
    );
    return {
      label: supplier_name,
      color: COLORS[index % COLORS.length]!,
      values: times.map((time) => own.get(time) ?? null),
    };
  });
  return { times, series: series.filter(({ values }) => values.some((value) => value !== null)) };
}

function timesOf(rows: readonly { readonly bucket: number | null }[]): number[] {
  const known = rows.map((row) => row.bucket).filter((bucket) => bucket !== null);
  return [...new Set(known)].sort((a, b) => a - b);
}

/** The value that a share of the values does not exceed; null of nothing. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
}

export function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

/** Scores come as 0 to 1; as many points of 100 as people say them. */
export function points(score: number | null): number | null {
  return score === null ? null : score * 100;
}

/** Enough digits to see a price of this size move. */
export function priceDigits(price: number | null): number {
  const size = Math.abs(price ?? 0);
  return size < 1 ? 4 : size < 100 ? 3 : 2;
}

/** A name of the data as a heading: "grow_lights" is "Grow lights". */
export function spoken(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
