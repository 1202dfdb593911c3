import type { ReactNode } from "react";
import { Flash, formatDuration, formatNumber, Icon } from "../ui/index.ts";
import type { LayerTables } from "./layers.ts";

interface PathProps {
  readonly layers: readonly LayerTables[];
  readonly rowsPerSecond: number;
}

/** The way of a row, from the door to Postgres, with how far each layer is behind where that is known. */
export function Path({ layers, rowsPerSecond }: PathProps) {
  return (
    <ol
      aria-label="The way of a row"
      className="grid overflow-hidden rounded-card border border-line bg-surface shadow-[0_1px_2px_var(--shadow)] sm:grid-cols-2 lg:grid-cols-5"
    >
      <Stage title="Incoming" means="at the door" value={formatNumber(rowsPerSecond)}>
        rows/s
      </Stage>
      {layers.map(({ layer, title, means, tables, rows, freshnessMillis }) => (
        <Stage
          key={layer}
          title={title}
          means={means}
          value={freshnessMillis === null ? formatNumber(rows) : formatDuration(freshnessMillis)}
        >
          {freshnessMillis === null ? "" : `behind · ${formatNumber(rows)} `}
          rows in {tables.length} tables
        </Stage>
      ))}
    </ol>
  );
}

interface StageProps {
  readonly title: string;
  readonly means: string;
  readonly value: string;
  readonly children: ReactNode;
}

function Stage({ title, means, value, children }: StageProps) {
  return (
    <li className="group relative -mt-px -ml-px border-t border-l border-line px-5 py-4">
      <p className="font-medium">
        {title} <span className="font-normal text-muted">{means}</span>
      </p>
      <p className="mt-1 text-2xl font-semibold tracking-tight">
        <Flash>{value}</Flash>
      </p>
      <p className="text-sm text-muted">{children}</p>
      <span
        aria-hidden="true"
        className="absolute top-1/2 -right-3 z-10 hidden size-6 -translate-y-1/2 place-items-center rounded-full border border-line bg-surface text-muted group-last:hidden lg:grid"
      >
        <Icon name="arrow" className="size-3" />
      </span>
    </li>
  );
}
