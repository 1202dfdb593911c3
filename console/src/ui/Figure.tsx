import type { ReactNode } from "react";
import { Explain } from "./Explain.tsx";

interface FigureProps {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  /** A second line under the number. */
  readonly note?: ReactNode;
  readonly explanation?: ReactNode;
  /** A small chart behind the number's right side. */
  readonly chart?: ReactNode;
  readonly className?: string;
  /** schema.table of the number, for whoever measures the page. */
  readonly table?: string;
}

/** One number of a page, large. */
export function Figure({
  label,
  value,
  unit,
  note,
  explanation,
  chart,
  className = "",
  table,
}: FigureProps) {
  return (
    <div
      data-table={table}
      className={`relative flex min-w-0 flex-col rounded-card border border-line bg-surface px-4 py-3 shadow-[0_1px_2px_var(--shadow)] ${className}`}
    >
      <dt className="flex h-6 items-center gap-1 text-sm text-muted">
        {label}
        {explanation && <Explain about={label}>{explanation}</Explain>}
      </dt>
      <dd className="mt-0.5 flex items-end justify-between gap-x-3 gap-y-1.5 max-sm:flex-wrap">
        <span className="text-2xl font-semibold tracking-tight whitespace-nowrap">
          {value}
          {unit && <span className="ml-1 text-base font-normal text-muted">{unit}</span>}
        </span>
        {chart}
      </dd>
      {note && <dd className="mt-1 min-h-5 text-sm text-muted">{note}</dd>}
    </div>
  );
}
