import type { Tone } from "./Chip.tsx";
import { SERIES_FILLS, type SeriesColor } from "./Swatch.tsx";

const FILLS: Record<Tone | SeriesColor, string> = {
  ...SERIES_FILLS,
  good: "bg-good",
  warn: "bg-warn",
  bad: "bg-bad",
  plain: "bg-line-strong",
};

interface MeterProps {
  readonly value: number | null;
  readonly max: number;
  /** What is measured; without it the bar only repeats a number beside it, and is not read out. */
  readonly label?: string;
  readonly tone?: Tone | SeriesColor;
  readonly className?: string;
}

/** A bar of value against max. */
export function Meter({ value, max, label, tone = "good", className = "" }: MeterProps) {
  const share = max > 0 ? Math.min(1, Math.max(0, (value ?? 0) / max)) : 0;
  const read = label
    ? {
        role: "meter",
        "aria-label": label,
        "aria-valuemin": 0,
        "aria-valuemax": max,
        "aria-valuenow": value ?? 0,
      }
    : { "aria-hidden": true };
  return (
    <div {...read} className={`h-1.5 overflow-hidden rounded-full bg-sunken ${className}`}>
      <div className={`h-full rounded-full ${FILLS[tone]}`} style={{ width: `${share * 100}%` }} />
    </div>
  );
}
