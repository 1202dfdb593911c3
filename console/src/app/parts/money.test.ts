import { expect, it } from "vitest";
import { formatMicros, formatUsd } from "./money.ts";

it("shows fractions of a cent rather than nothing", () => {
  expect(formatMicros(42)).toBe("$0.000042");
  expect(formatUsd(0.0421)).toBe("$0.042");
  expect(formatUsd(12.3)).toBe("$12.30");
  expect(formatUsd(0)).toBe("$0.00");
  expect(formatUsd(null)).toBe("–");
});
