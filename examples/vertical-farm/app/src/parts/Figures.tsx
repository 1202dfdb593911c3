import { useLive, useRows } from "@lakemill/console/live";
import {
  Figure,
  formatDue,
  formatDuration,
  formatEuro,
  formatMoment,
  formatNumber,
  Sparkline,
  useNow,
} from "@lakemill/console/ui";
import { quantile, sum } from "../derive.ts";
import { DEMAND_1H, RECOMMENDATIONS, STOCK, TABLES } from "../tables.ts";

/** The board in six numbers. */
export function Figures() {
  return (
    <dl className="grid grid-cols-2 gap-3 sm:gap-4 md:grid-cols-3 xl:grid-cols-5">
      <Freshness />
      <RowsPerSecond />
      <ToBuy />
      <Spend />
      <DemandNow />
    </dl>
  );
}

/** While nothing arrives, freshness is the age of what is shown, and no longer the last batch's. */
function Freshness() {
  const sync = useLive((state) => state.sync);
  const history = useLive((state) => state.history);
  const silence = useSilence();
  const values = history.map((one) => one.freshnessMillis);
  const within = quantile(
    values.filter((value) => value !== null),
    0.95,
  );
  return (
    <Figure
      label="Freshness"
      value={formatDuration(silence ?? sync?.freshnessMillis)}
      explanation="From the moment an event was acknowledged to the moment its effect stood in Postgres, for the newest batch."
      note={
        silence !== null
          ? "since the last news"
          : within === null
            ? "no events yet"
            : `95 % within ${formatDuration(within)}`
      }
      chart={<Sparkline values={values} />}
    />
  );
}

/** For how long there were no news; null while they come, and before the first. */
function useSilence(): number | null {
  const connection = useLive((state) => state.connection);
  const last = useLive((state) => state.lastEventMillis);
  const now = useNow();
  return connection === "live" || last === null ? null : now - last;
}

function RowsPerSecond() {
  const sync = useLive((state) => state.sync);
  const history = useLive((state) => state.history);
  const silence = useSilence();
  return (
    <Figure
      label="Events"
      value={formatNumber(silence === null ? sync?.rowsPerSecond : null)}
      unit="rows/s"
      explanation="Rows that came in over the four streams: demand, inventory, quotes, input prices."
      note={sync ? `batch ${formatNumber(sync.batch)}` : "no events yet"}
      chart={<Sparkline values={history.map((one) => one.rowsPerSecond)} />}
    />
  );
}

function ToBuy() {
  const rows = useRows(TABLES.recommendations, RECOMMENDATIONS);
  const stock = useRows(TABLES.stock, STOCK);
  const now = useNow();
  const deadlines = (rows ?? []).map((row) => row.deadline).filter((at) => at !== null);
  const due = deadlines.filter((at) => at <= now).length;
  const first = deadlines.length > 0 ? Math.min(...deadlines) : null;
  return (
    <Figure
      label="To buy"
      value={formatNumber(rows?.length)}
      unit={stock ? `of ${formatNumber(stock.length)} SKUs` : "SKUs"}
      note={
        due > 0
          ? `${due} of them at once`
          : first === null
            ? "no deadline"
            : `first by ${formatMoment(first)}, ${formatDue(first, now)}`
      }
    />
  );
}

function Spend() {
  const rows = useRows(TABLES.recommendations, RECOMMENDATIONS);
  const suppliers = new Set(rows?.map((row) => row.supplier_id)).size;
  return (
    <Figure
      label="Expected cost"
      value={rows ? formatEuro(sum(rows.map((row) => row.expected_cost)), 0) : "–"}
      note={suppliers === 0 ? "nothing to order" : `at ${suppliers} suppliers`}
    />
  );
}

function DemandNow() {
  const rows = useRows(TABLES.demand, DEMAND_1H);
  return (
    <Figure
      label="Demand, last hour"
      value={rows ? formatNumber(sum(rows.map((row) => row.trays_per_hour)), 1) : "–"}
      unit="trays/h"
      note={rows ? `${formatNumber(sum(rows.map((row) => row.events)))} events` : "no events yet"}
      className="max-md:col-span-2"
    />
  );
}
