/*
 * Numbers and times as a reader sees them: in the browser's language and time zone, always with a
 * unit. Nothing to show is an en dash, never 0.
 */

const NOTHING = "–";
// Outside a browser, in tests, the language is fixed.
const locale = typeof document === "undefined" ? "en-GB" : navigator.language;

const numberFormats = new Map<string, Intl.NumberFormat>();
const timeFormats = new Map<string, Intl.DateTimeFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  const known = numberFormats.get(key) ?? new Intl.NumberFormat(locale, options);
  numberFormats.set(key, known);
  return known;
}

function times(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options);
  const known = timeFormats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  timeFormats.set(key, known);
  return known;
}

type Value = number | null | undefined;

function isNothing(value: Value): value is null | undefined {
  return value === null || value === undefined || !Number.isFinite(value);
}

export function formatNumber(value: Value, digits = 0): string {
  return isNothing(value)
    ? NOTHING
    : numbers({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** The number with a sign, also when it is positive; a true minus sign. */
export function formatSigned(value: Value, digits = 0): string {
  return isNothing(value)
    ? NOTHING
    : numbers({
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
        signDisplay: "exceptZero",
      })
        .format(value)
        .replace("-", "−");
}

/** Grams as g, kg or t, whichever a grower would say. */
export function formatGrams(grams: Value): string {
  if (isNothing(grams)) {
    return NOTHING;
  }
  const size = Math.abs(grams);
  if (size < 1_000) {
    return `${formatNumber(grams)} g`;
  }
  return size < 1_000_000
    ? `${formatNumber(grams / 1_000, size < 100_000 ? 1 : 0)} kg`
    : `${formatNumber(grams / 1_000_000, 2)} t`;
}

/** An amount in euro. */
export function formatEuro(value: Value, digits = 2): string {
  return isNothing(value)
    ? NOTHING
    : numbers({
        style: "currency",
        currency: "EUR",
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      })
        .format(value)
        .replace("-", "−");
}

/** A ratio of 0 to 1 as a percentage. */
export function formatShare(ratio: Value, digits = 0): string {
  return isNothing(ratio)
    ? NOTHING
    : numbers({
        style: "percent",
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(ratio);
}

/** A relative difference, 0.05 as +5 %. */
export function formatDifference(ratio: Value, digits = 1): string {
  return isNothing(ratio)
    ? NOTHING
    : numbers({
        style: "percent",
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
        signDisplay: "exceptZero",
      })
        .format(ratio)
        .replace("-", "−");
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something takes or took, in its largest fitting unit. */
export function formatDuration(millis: Value): string {
  if (isNothing(millis)) {
    return NOTHING;
  }
  const size = Math.abs(millis);
  if (size < SECOND) {
    return `${formatNumber(millis)} ms`;
  }
  if (size < MINUTE) {
    return `${formatNumber(millis / SECOND, size < 10 * SECOND ? 1 : 0)} s`;
  }
  if (size < 2 * HOUR) {
    return `${formatNumber(millis / MINUTE)} min`;
  }
  return size < 2 * DAY
    ? `${formatNumber(millis / HOUR)} h`
    : `${formatNumber(millis / DAY, size < 10 * DAY ? 1 : 0)} days`;
}

/** Days of cover: hours when it is less than two days. */
export function formatDays(days: Value): string {
  if (isNothing(days)) {
    return NOTHING;
  }
  return Math.abs(days) < 2
    ? `${formatNumber(days * 24)} h`
    : `${formatNumber(days, Math.abs(days) < 10 ? 1 : 0)} days`;
}

/** A moment as time to or since now: "in 18 h", "3 s ago". */
export function formatAway(atMillis: Value, nowMillis: number): string {
  if (isNothing(atMillis)) {
    return NOTHING;
  }
  const away = atMillis - nowMillis;
  if (Math.abs(away) < SECOND) {
    return "now";
  }
  const span =
    Math.abs(away) < MINUTE
      ? `${formatNumber(Math.trunc(Math.abs(away) / SECOND))} s`
      : formatDuration(Math.abs(away));
  return away > 0 ? `in ${span}` : `${span} ago`;
}

/** How long there is until a deadline; one that has passed is due now. */
export function formatDue(deadlineMillis: Value, nowMillis: number): string {
  return (deadlineMillis ?? Number.POSITIVE_INFINITY) <= nowMillis
    ? "now"
    : formatAway(deadlineMillis, nowMillis);
}

/** The time of day, 14:03:22. */
export function formatClock(atMillis: Value, seconds = true): string {
  return isNothing(atMillis)
    ? NOTHING
    : times({
        hour: "2-digit",
        minute: "2-digit",
        ...(seconds ? { second: "2-digit" } : {}),
        hourCycle: "h23",
      }).format(atMillis);
}

/** A moment within about a week, Tue 14:30. */
export function formatMoment(atMillis: Value): string {
  return isNothing(atMillis)
    ? NOTHING
    : times({ weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
        atMillis,
      );
}

/** A moment of this year, 24 Nov, 14:30. */
export function formatDate(atMillis: Value): string {
  return isNothing(atMillis)
    ? NOTHING
    : times({
        day: "numeric",
        month: "short",
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
      }).format(atMillis);
}

/** A day, Sun 29 Nov 2026. */
export function formatDay(atMillis: Value): string {
  return isNothing(atMillis)
    ? NOTHING
    : times({ weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(atMillis);
}

/** The short name of the time zone at a moment, CET or GMT+1. */
export function zoneName(atMillis: number): string {
  const parts = times({ timeZoneName: "short" }).formatToParts(atMillis);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}
