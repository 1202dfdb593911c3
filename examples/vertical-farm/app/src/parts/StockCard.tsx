import { useRows } from "@lakemill/console/live";
import {
  Card,
  Chip,
  Empty,
  Flash,
  formatDays,
  formatGrams,
  formatNumber,
  Meter,
  MoreButton,
  useSteadyOrder,
  Waiting,
} from "@lakemill/console/ui";
import { useState } from "react";
import { byUrgency, coverLevel, spoken } from "../derive/supply.ts";
import { Fresh } from "../frame/Fresh.tsx";
import { TraceLink } from "../frame/TraceLink.tsx";
import { STOCK, type Stock, TABLES } from "../tables.ts";
import { SkuButton } from "./SkuButton.tsx";

const SHOWN = 10;
/** A full bar: more cover than this looks the same. */
const COVER_DAYS_MAX = 14;
const NONE: readonly Stock[] = [];
const skuOf = (row: Stock) => row.sku;

interface StockCardProps {
  readonly chosen: string | null;
  readonly onChoose: (sku: string) => void;
  readonly className?: string;
}

export function StockCard({ chosen, onChoose, className }: StockCardProps) {
  const rows = useRows(TABLES.stock, STOCK);
  const sorted = useSteadyOrder(rows ?? NONE, skuOf, byUrgency);
  const [all, setAll] = useState(false);
  return (
    <Card
      title="Stock and cover"
      className={className ?? ""}
      table={TABLES.stock}
      actions={<Fresh tables={[TABLES.stock]} />}
      explanation="How long the seed on hand lasts: grams on hand divided by the trays of the last 24 hours times the grams that a tray takes."
    >
      {rows === undefined && <Waiting lines={8} />}
      {rows?.length === 0 && (
        <Empty title="No stock yet" command="./lakemill demo">
          Stock is the sum of inventory movements. The simulators send them:
        </Empty>
      )}
      {sorted.length > 0 && (
        <table className="w-full">
          <thead className="text-sm text-muted">
            <tr>
              <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
                SKU
              </th>
              <th scope="col" className="px-3 py-1.5 text-left font-normal">
                Cover
              </th>
              <th scope="col" className="py-1.5 pr-4 text-right font-normal sm:pr-5">
                On hand
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, all ? sorted.length : SHOWN).map((row) => (
              <StockRow
                key={row.sku}
                row={row}
                chosen={row.sku === chosen}
                onChoose={() => onChoose(row.sku)}
              />
            ))}
          </tbody>
        </table>
      )}
      {sorted.length > SHOWN && (
        <MoreButton all={all} onChange={setAll} what={`all ${sorted.length} SKUs`} />
      )}
    </Card>
  );
}

interface StockRowProps {
  readonly row: Stock;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function StockRow({ row, chosen, onChoose }: StockRowProps) {
  const { label, tone } = coverLevel(row.days_of_cover, row.on_hand_grams);
  return (
    <tr
      className={`relative border-t border-line align-top transition-colors hover:bg-sunken ${chosen ? "bg-accent-tint/50 shadow-[inset_3px_0_var(--accent)]" : ""}`}
    >
      <th scope="row" className="py-2 pl-4 text-left font-normal sm:pl-5">
        <SkuButton name={row.name} chosen={chosen} onChoose={onChoose} />
        <p className="text-xs text-muted max-sm:hidden">{spoken(row.family)}</p>
        <p className="mt-0.5 sm:hidden">
          <Chip tone={tone}>{label}</Chip>
        </p>
      </th>
      <td className="w-1/3 px-3 py-2 sm:w-2/5">
        <div className="flex items-center justify-between gap-x-2">
          <span className="font-medium whitespace-nowrap">
            <Flash>{formatDays(row.days_of_cover)}</Flash>
          </span>
          <span className="max-sm:hidden">
            <Chip tone={tone}>{label}</Chip>
          </span>
        </div>
        <Meter value={row.days_of_cover} max={COVER_DAYS_MAX} tone={tone} className="mt-1.5" />
      </td>
      <td className="py-2 pr-4 text-right whitespace-nowrap sm:pr-5">
        <span className="inline-flex items-center gap-0.5">
          <TraceLink
            kind="stock"
            id={row.sku}
            of={`the stock of ${row.name}`}
            className="relative z-10 max-sm:hidden"
          />
          <Flash>{formatGrams(row.on_hand_grams)}</Flash>
        </span>
        <p className="text-xs text-muted">{formatNumber(row.demand_trays_24h)} trays/24 h</p>
      </td>
    </tr>
  );
}
