import type { Offer } from "../tables.ts";

/** What a feature of an offer adds to its score, or takes from it, in points of 100. */
export interface Reason {
  readonly feature: string;
  readonly points: number;
}

const FEATURES = [
  ["Price", "why_price"],
  ["Lead time", "why_lead_time"],
  ["Reliability", "why_reliability"],
  ["Price trend", "why_price_trend"],
  ["Demand", "why_demand"],
] as const;

/** Why an offer has its score, in a settled order; empty when the server does not tell. */
export function reasons(offer: Offer): Reason[] {
  return FEATURES.flatMap(([feature, column]) => {
    const share = offer[column];
    return share === null ? [] : [{ feature, points: share * 100 }];
  });
}

/** The greatest of all, so that bars of different offers can be compared; 0 of nothing. */
export function strongest(offers: readonly Offer[]): number {
  return Math.max(
    0,
    ...offers.flatMap((offer) => reasons(offer).map(({ points }) => Math.abs(points))),
  );
}

/** In words: what speaks most for an offer, and what most against it. */
export function summary(offer: Offer): string {
  const sorted = reasons(offer).toSorted((a, b) => b.points - a.points);
  const best = sorted[0];
  const worst = sorted.at(-1);
  const words = [
    best && best.points >= 0.5 ? `helped by ${best.feature.toLowerCase()}` : "",
    worst && worst.points <= -0.5 ? `held back by ${worst.feature.toLowerCase()}` : "",
  ].filter((part) => part !== "");
  return words.join(", ") || (sorted.length > 0 ? "usual in every respect" : "");
}
