import { formatNumber } from "../../ui/index.ts";

/** Dollars with as many digits as a small amount needs; models cost fractions of a cent. */
export function formatUsd(usd: number | null | undefined): string {
  if (usd === null || usd === undefined || !Number.isFinite(usd)) {
    return "–";
  }
  const digits = usd === 0 || Math.abs(usd) >= 1 ? 2 : Math.abs(usd) >= 0.01 ? 3 : 6;
  return `$${formatNumber(usd, digits)}`;
}

/** Of millionths of a dollar, which is what the server counts in. */
export function formatMicros(micros: number | null | undefined): string {
  return formatUsd(micros === null || micros === undefined ? null : micros / 1e6);
}
