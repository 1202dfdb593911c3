import { formatSigned } from "@lakemill/console/ui";
import type { Reason } from "../derive/why.ts";

interface WhyBarsProps {
  readonly reasons: readonly Reason[];
  /** Points that fill a bar. */
  readonly max: number;
}

/** What each feature adds to a score, to the right, or takes from it, to the left. */
export function WhyBars({ reasons, max }: WhyBarsProps) {
  return (
    <dl className="grid grid-cols-2 gap-x-5 gap-y-2 sm:grid-cols-5">
      {reasons.map(({ feature, points }) => (
        <div key={feature} className="min-w-0">
          <dt className="flex justify-between gap-2 text-xs text-muted">
            <span className="truncate">{feature}</span>
            <span className={points >= 0.05 ? "text-good" : points <= -0.05 ? "text-bad" : ""}>
              {formatSigned(points, 1)}
            </span>
          </dt>
          <dd className="relative mt-1 h-2 rounded-sm bg-sunken" aria-hidden="true">
            <span className="absolute inset-y-0 left-1/2 w-px bg-line-strong" />
            <span
              className={`absolute inset-y-0 rounded-sm ${points < 0 ? "bg-bad" : "bg-good"}`}
              style={barStyle(points, max)}
            />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function barStyle(points: number, max: number): { left: string; width: string } {
  const width = max > 0 ? Math.min(50, (Math.abs(points) / max) * 50) : 0;
  return { left: `${points < 0 ? 50 - width : 50}%`, width: `${width}%` };
}
