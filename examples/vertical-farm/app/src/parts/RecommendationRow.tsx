import {
  Chip,
  Flash,
  formatDays,
  formatDue,
  formatEuro,
  formatGrams,
  formatMoment,
  formatShare,
  useNow,
} from "@lakemill/console/ui";
import type { ReactNode } from "react";
import { coverLevel } from "../derive/supply.ts";
import { TraceLink } from "../frame/TraceLink.tsx";
import type { Recommendation } from "../tables.ts";
import { RequestButton, type Wish } from "./RequestButton.tsx";

interface RecommendationRowProps {
  readonly row: Recommendation;
  readonly isChosen: boolean;
  readonly keyHint?: string;
  /** The name, which chooses the row. */
  readonly children: ReactNode;
}

export function wishOf(row: Recommendation): Wish {
  return {
    sku: row.sku,
    name: row.name,
    supplierId: row.supplier_id,
    supplierName: row.supplier_name,
    grams: row.grams ?? 0,
  };
}

export function RecommendationRow({ row, isChosen, keyHint, children }: RecommendationRowProps) {
  const now = useNow();
  const { label, tone } = coverLevel(row.days_of_cover, null);
  const due = formatDue(row.deadline, now);
  const perKg =
    row.expected_cost !== null && row.grams ? (row.expected_cost / row.grams) * 1_000 : null;
  return (
    <li
      className={`relative grid grid-cols-[1fr_auto] items-start gap-x-4 gap-y-1 border-t border-line px-4 py-3 transition-colors hover:bg-sunken sm:grid-cols-[minmax(0,4fr)_minmax(0,6fr)_auto_auto] sm:px-5 lg:grid-cols-[minmax(0,4fr)_minmax(0,7fr)_6.5rem_7rem_7.5rem] ${isChosen ? "bg-accent-tint/50 shadow-[inset_3px_0_var(--accent)]" : ""}`}
    >
      <div className="flex min-w-0 flex-col items-start gap-1">
        {children}
        <Chip tone={tone}>
          {label}, {formatDays(row.days_of_cover)} left
        </Chip>
      </div>
      <div className="order-3 col-span-2 min-w-0 sm:order-none sm:col-span-1">
        <p>
          <span className="font-semibold">
            <Flash>{formatGrams(row.grams)}</Flash>
          </span>{" "}
          from <bdi>{row.supplier_name}</bdi>{" "}
          <span className="text-sm whitespace-nowrap text-muted">
            · {formatShare(row.confidence)} sure
          </span>
        </p>
        <p className="text-sm text-pretty break-words text-muted">
          <bdi>{row.reason}</bdi>
        </p>
      </div>
      <div className="text-right">
        <p className="inline-flex items-center gap-0.5 font-semibold">
          <TraceLink
            kind="recommendation"
            id={row.sku}
            of={`the recommendation of ${row.name}`}
            className="relative z-10"
          />
          <Flash>{formatEuro(row.expected_cost)}</Flash>
        </p>
        <p className="text-sm text-muted">{formatEuro(perKg)}/kg</p>
      </div>
      <div className="order-4 self-center max-lg:order-4 max-sm:text-sm sm:order-none sm:text-right">
        <p className="whitespace-nowrap max-sm:inline max-sm:text-muted">
          by {formatMoment(row.deadline)}{" "}
        </p>
        <p
          className={`text-sm max-sm:inline ${due === "now" ? "font-medium text-bad" : "text-muted"}`}
        >
          {due}
        </p>
      </div>
      <div className="relative z-10 order-5 flex justify-end self-center sm:max-lg:col-span-4 lg:order-none">
        <RequestButton wish={wishOf(row)} {...(keyHint ? { keyHint } : {})} />
      </div>
    </li>
  );
}
