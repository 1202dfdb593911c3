import { describe, expect, it } from "vitest";
import {
  formatAway,
  formatClock,
  formatDate,
  formatDay,
  formatDays,
  formatDifference,
  formatDue,
  formatDuration,
  formatEuro,
  formatGrams,
  formatMoment,
  formatNumber,
  formatShare,
  formatSigned,
  zoneName,
} from "./format.ts";

describe("formatGrams", () => {
  it("says grams, kilograms or tonnes, whichever fits", () => {
    expect([0, 640, 999, 1_000, 12_345, 123_456, 1_234_567].map(formatGrams)).toEqual([
      "0 g",
      "640 g",
      "999 g",
      "1.0 kg",
      "12.3 kg",
      "123 kg",
      "1.23 t",
    ]);
  });

  it("keeps the sign of a stock below nothing", () => {
    expect(formatGrams(-2_500)).toBe("-2.5 kg");
  });
});

describe("formatDuration", () => {
  it("takes the largest unit that fits", () => {
    const millis = [0, 184, 999, 1_000, 9_950, 45_000, 90_000, 3_600_000, 36 * 3_600_000];
    expect(millis.map(formatDuration)).toEqual([
      "0 ms",
      "184 ms",
      "999 ms",
      "1.0 s",
      "10.0 s",
      "45 s",
      "2 min",
      "60 min",
      "36 h",
    ]);
    expect(formatDuration(60 * 3_600_000)).toBe("2.5 days");
  });
});

describe("formatDays", () => {
  it("says hours when it gets tight", () => {
    expect([0.25, 1.9, 2, 4.26, 31.6].map(formatDays)).toEqual([
      "6 h",
      "46 h",
      "2.0 days",
      "4.3 days",
      "32 days",
    ]);
  });
});

describe("formatAway", () => {
  const now = Date.parse("2026-11-22T10:00:00Z");

  it("looks ahead and back", () => {
    expect(formatAway(now + 18 * 3_600_000, now)).toBe("in 18 h");
    expect(formatAway(now - 3_400, now)).toBe("3 s ago");
  });

  it("calls less than a second now", () => {
    expect(formatAway(now + 999, now)).toBe("now");
    expect(formatAway(now - 999, now)).toBe("now");
  });
});

describe("formatDue", () => {
  it("counts down, and is due now once it has passed", () => {
    expect(formatDue(5 * 3_600_000, 0)).toBe("in 5 h");
    expect(formatDue(1_000, 600_000)).toBe("now");
    expect(formatDue(null, 0)).toBe("–");
  });
});

describe("amounts", () => {
  it("are in euro", () => {
    expect(formatEuro(1_234.5)).toBe("€1,234.50");
    expect(formatEuro(0.5041, 3)).toBe("€0.504");
  });

  it("show differences with their sign, and none for nothing", () => {
    expect(formatDifference(0.0512)).toBe("+5.1%");
    expect(formatDifference(-0.024)).toBe("−2.4%");
    expect(formatDifference(0)).toBe("0.0%");
    expect(formatSigned(-0.0011, 4)).toBe("−0.0011");
  });

  it("show shares as percentages", () => {
    expect(formatShare(0.826)).toBe("83%");
  });
});

describe("times", () => {
  const at = Date.parse("2026-11-22T22:16:05Z");

  it("are local, with the zone told apart", () => {
    expect(formatClock(at)).toBe("23:16:05");
    expect(formatClock(at, false)).toBe("23:16");
    expect(formatMoment(at)).toBe("Sun 23:16");
    expect(zoneName(at)).toBe("CET");
  });
});

it("shows nothing as a dash, never as 0", () => {
  const formats = [
    formatNumber,
    formatGrams,
    formatEuro,
    formatShare,
    formatDays,
    formatMoment,
    formatDate,
    formatDay,
  ];
  for (const format of formats) {
    expect(format(null)).toBe("–");
    expect(format(undefined)).toBe("–");
  }
  expect(formatNumber(Number.NaN)).toBe("–");
  expect(formatAway(null, 0)).toBe("–");
});
