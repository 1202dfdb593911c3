import { formatEuro, formatNumber } from "@lakemill/console/ui";

/** An honest currency has three letters. */
const CURRENCY_MAX = 4;

/**
 * An amount in the currency of its row. What is no currency code stands as it came, cut short, for
 * an invoice may say anything.
 */
export function formatMoney(amount: number | null, currency: string, digits = 2): string {
  if (currency === "EUR" || amount === null) {
    return formatEuro(amount, digits);
  }
  const said = currency.length > CURRENCY_MAX ? `${currency.slice(0, CURRENCY_MAX)}…` : currency;
  return `${formatNumber(amount, digits)} ${said}`;
}

/** Adds up amounts of at most two decimals without losing a cent. */
export function total(amounts: readonly (number | null)[]): number {
  return amounts.reduce<number>((sum, one) => sum + Math.round((one ?? 0) * 100), 0) / 100;
}

/** What so many grams cost, to the cent. */
export function costOf(grams: number | null, pricePerKg: number | null): number | null {
  return grams === null || pricePerKg === null
    ? null
    : Math.round((grams / 1_000) * pricePerKg * 100) / 100;
}
