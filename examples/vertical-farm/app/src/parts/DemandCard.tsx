import { useRows } from "@lakemill/console/live";
import {
  Card,
  Empty,
  Flash,
  formatNumber,
  Meter,
  MoreButton,
  TimeSeries,
  useSteadyOrder,
  Waiting,
} from "@lakemill/console/ui";
import { useMemo, useState } from "react";
import { byDemand, demandChart, familyColors, sum } from "../derive/supply.ts";
import { Fresh } from "../frame/Fresh.tsx";
import { DEMAND_1H, DEMAND_24H, type Demand, type FamilyDemand, TABLES } from "../tables.ts";

const SHOWN = 16;
const skuOf = (row: Demand) => row.sku;
const formatTrays = (value: number | null) => `${formatNumber(value, 1)} trays/h`;
const formatAxis = (value: number) => formatNumber(value);

export function DemandCard({ className = "" }: { className?: string }) {
  const families = useRows(TABLES.demandByFamily, DEMAND_24H);
  const skus = useRows(TABLES.demand, DEMAND_1H);
  const nothing = families?.length === 0 && skus?.length === 0;
  return (
    <Card
      title="Planting demand"
      className={className}
      table={TABLES.demand}
      actions={<Fresh tables={[TABLES.demandByFamily, TABLES.demand]} />}
      explanation="Trays that customers ask for per hour. Above: the last 24 hours by family, in quarters of an hour. Below: the last hour by SKU."
    >
      {(families === undefined || skus === undefined) && <Waiting lines={9} />}
      {nothing && (
        <Empty title="No demand yet" command="./lakemill demo">
          Demand events of the last 24 hours are shown here. The simulators send them:
        </Empty>
      )}
      {families !== undefined && families.length > 0 && <Day rows={families} />}
      {skus !== undefined && !nothing && <Hour rows={skus} />}
    </Card>
  );
}

function Day({ rows }: { rows: readonly FamilyDemand[] }) {
  const { times, series } = useMemo(() => demandChart(rows), [rows]);
  const now = sum(series.map(({ values }) => values.at(-1) ?? null));
  return (
    <TimeSeries
      label={`Demand of the last 24 hours by family, ${formatTrays(now)} at the end`}
      times={times}
      series={series}
      stacked
      height={210}
      format={formatTrays}
      formatAxis={formatAxis}
    />
  );
}

function Hour({ rows }: { rows: readonly Demand[] }) {
  const sorted = useSteadyOrder(rows, skuOf, byDemand);
  const [all, setAll] = useState(false);
  const colors = useMemo(() => familyColors(rows), [rows]);
  const most = Math.max(...rows.map((row) => row.trays_per_hour ?? 0));
  return (
    <>
      <h3 className="border-t border-line px-4 pt-3 pb-1 font-medium sm:px-5">
        Last hour by SKU{" "}
        <span className="font-normal text-muted">in trays/h, coloured by family</span>
      </h3>
      {rows.length === 0 ? (
        <p className="px-4 pt-1 pb-4 text-sm text-muted sm:px-5">
          No demand event within the last hour.
        </p>
      ) : (
        <ol className="gap-x-8 px-4 pb-3 sm:columns-2 sm:px-5">
          {sorted.slice(0, all ? sorted.length : SHOWN).map((row) => (
            <li
              key={row.sku}
              className={`flex h-8 break-inside-avoid items-center gap-3 ${all ? "" : "max-sm:nth-[n+9]:hidden"}`}
            >
              <span className="w-36 shrink-0 truncate">{row.name}</span>
              <Meter
                value={row.trays_per_hour}
                max={most}
                tone={colors.get(row.family) ?? "plain"}
                className="grow"
              />
              <span className="w-14 shrink-0 text-right">
                <Flash>{formatNumber(row.trays_per_hour, 1)}</Flash>
              </span>
            </li>
          ))}
        </ol>
      )}
      {sorted.length > SHOWN && (
        <MoreButton all={all} onChange={setAll} what={`all ${sorted.length} SKUs`} />
      )}
    </>
  );
}
