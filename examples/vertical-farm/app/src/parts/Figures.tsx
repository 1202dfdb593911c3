import { useLive, useRows } from "@lakemill/console/live";
import {
  Figure,
  formatDue,
  formatDuration,
  formatEuro,
  formatMoment,
  formatNumber,
  formatShare,
  Sparkline,
  useNow,
} from "@lakemill/console/ui";
import { currentBudget } from "../derive/ledger.ts";
import { quantile, sum } from "../derive/supply.ts";
import { BUDGETS, DEMAND_1H, INBOX, RECOMMENDATIONS, TABLES, VARIANCES } from "../tables.ts";

/** The board in six numbers. */
export function Figures() {
  return (
    <dl className="grid grid-cols-2 gap-3 sm:gap-4 md:grid-cols-3 xl:grid-cols-6">
      <ToBuy />
      <WaitingForYou />
      <BudgetLeft />
      <DemandNow />
      <Freshness />
      <RowsPerSecond />
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
      chart={<Shape values={values} />}
    />
  );
}

/** Six figures beside one another leave little room for the shape of one. */
function Shape({ values }: { values: readonly (number | null)[] }) {
  return (
    <span className="min-w-0 xl:max-2xl:[&>svg]:w-10">
      <Sparkline values={values} />
    </span>
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
      chart={<Shape values={history.map((one) => one.rowsPerSecond)} />}
    />
  );
}

function ToBuy() {
  const rows = useRows(TABLES.recommendations, RECOMMENDATIONS);
  const now = useNow();
  const deadlines = (rows ?? []).map((row) => row.deadline).filter((at) => at !== null);
  const due = deadlines.filter((at) => at <= now).length;
  const first = deadlines.length > 0 ? Math.min(...deadlines) : null;
  return (
    <Figure
      label="To buy"
      table={TABLES.recommendations}
      value={formatNumber(rows?.length)}
      unit={rows ? `SKUs, ${formatEuro(sum(rows.map((row) => row.expected_cost)), 0)}` : "SKUs"}
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

function WaitingForYou() {
  const inbox = useRows(TABLES.inbox, INBOX);
  const variances = useRows(TABLES.variances, VARIANCES);
  const open = variances?.filter(({ state }) => state === "open");
  const now = useNow();
  const oldest = Math.min(...(inbox ?? []).map((one) => one.requested_at ?? now));
  return (
    <Figure
      label="Waiting for you"
      table={TABLES.inbox}
      value={formatNumber(inbox?.length)}
      unit={inbox?.length === 1 ? "approval" : "approvals"}
      note={
        open && open.length > 0
          ? `and ${open.length} open variance${open.length === 1 ? "" : "s"}`
          : inbox && inbox.length > 0
            ? `the oldest since ${formatDuration(now - oldest)}`
            : "nothing to decide"
      }
    />
  );
}

function BudgetLeft() {
  const budget = currentBudget(useRows(TABLES.budgets, BUDGETS) ?? []);
  const left = budget && (budget.amount ?? 0) - (budget.committed ?? 0);
  return (
    <Figure
      label="Budget left"
      table={TABLES.budgets}
      value={left === undefined ? "–" : formatEuro(left, 0)}
      note={
        budget
          ? `${formatShare((budget.committed ?? 0) / (budget.amount || 1))} of ${formatEuro(budget.amount, 0)} committed`
          : "no budget yet"
      }
    />
  );
}

function DemandNow() {
  const rows = useRows(TABLES.demand, DEMAND_1H);
  return (
    <Figure
      label="Demand, last hour"
      table={TABLES.demand}
      value={rows ? formatNumber(sum(rows.map((row) => row.trays_per_hour)), 1) : "–"}
      unit="trays/h"
      note={rows ? `${formatNumber(sum(rows.map((row) => row.events)))} events` : "no events yet"}
    />
  );
}
