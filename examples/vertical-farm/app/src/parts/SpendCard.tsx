import { useRows } from "@lakemill/console/live";
import {
  Card,
  Empty,
  formatEuro,
  formatShare,
  TimeSeries,
  useNow,
  Waiting,
} from "@lakemill/console/ui";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import {
  type Books,
  books,
  currentBudget,
  type LedgerRows,
  spend,
  spendChart,
} from "../derive/ledger.ts";
import { total } from "../derive/money.ts";
import { Fresh } from "../frame/Fresh.tsx";
import {
  BALANCES,
  BUDGETS,
  type Budget,
  ENTRIES,
  POSTINGS,
  RECOMMENDATIONS,
  RFQS,
  TABLES,
} from "../tables.ts";

/** What the ledger is shown from. */
export const LEDGER = [TABLES.budgets, TABLES.balances, TABLES.postings, TABLES.entries] as const;

/** The rows of the ledger; undefined until all of them have come. */
export function useLedger(): LedgerRows | undefined {
  const postings = useRows(TABLES.postings, POSTINGS);
  const entries = useRows(TABLES.entries, ENTRIES);
  const balances = useRows(TABLES.balances, BALANCES);
  return useMemo(
    () => (postings && entries && balances ? { postings, entries, balances } : undefined),
    [postings, entries, balances],
  );
}

/** The books of the month; undefined until all of them has come, null without a budget. */
export function useBooks(): { budget: Budget; made: Books } | null | undefined {
  const budgets = useRows(TABLES.budgets, BUDGETS);
  const ledger = useLedger();
  return useMemo(() => {
    if (budgets === undefined || ledger === undefined) {
      return undefined;
    }
    const budget = currentBudget(budgets);
    return budget === undefined ? null : { budget, made: books(budget, ledger) };
  }, [budgets, ledger]);
}

export function SpendCard({ className = "" }: { className?: string }) {
  const known = useBooks();
  return (
    <Card
      title="Spend against budget"
      className={className}
      table={TABLES.budgets}
      actions={<Fresh tables={LEDGER} />}
      explanation="What is reserved for e-mails and orders that are out, and what suppliers have billed rightly. Wished is what the recommendations would cost that nobody has asked for yet."
    >
      {known === undefined && <Waiting lines={5} />}
      {known === null && <NoBudget />}
      {known && <Spend budget={known.budget} made={known.made} />}
    </Card>
  );
}

export function NoBudget() {
  return (
    <Empty title="No budget yet" command="./lakemill demo">
      A month's budget is a row of procurement.budget. Without one nothing can be committed.
    </Empty>
  );
}

function Spend({ budget, made }: { budget: Budget; made: Books }) {
  const { amount, billed, reserved, free, share } = spend(budget, made);
  const wished = useWished();
  const minute = useMinute();
  const chart = useMemo(() => spendChart(budget, made, minute), [budget, made, minute]);
  return (
    <>
      <div className="px-4 pb-2 sm:px-5">
        <p className="pb-2">
          <span className="text-2xl font-semibold tracking-tight">{formatEuro(free, 0)}</span>{" "}
          <span className="text-muted">
            left of {formatEuro(amount, 0)}, {formatShare(share)} committed
          </span>
        </p>
        <SpendBar
          amount={amount}
          parts={[
            { label: "Billed", value: billed, fill: "bg-series-1" },
            { label: "Reserved", value: reserved, fill: "bg-series-3" },
            { label: "Wished", value: wished, fill: "bg-series-2" },
          ]}
        />
        {wished > free && (
          <p className="pt-2 text-sm font-medium text-bad">
            The recommendations cost {formatEuro(wished - free, 0)} more than is left.
          </p>
        )}
      </div>
      {chart.times.length >= 2 && (
        <TimeSeries
          label={`Money billed and reserved this month, ${formatEuro(billed + reserved)} now`}
          times={chart.times}
          series={chart.series}
          stacked
          stepped
          height={150}
          axisWidth={56}
          format={(value) => formatEuro(value, 0)}
          formatAxis={(value) => formatEuro(value, 0)}
        />
      )}
      <Link
        to="/budget"
        className="mt-auto block rounded-b-card border-t border-line px-5 py-2.5 text-center text-sm font-medium text-accent hover:bg-sunken"
      >
        To the ledger
      </Link>
    </>
  );
}

/** The time, told anew every minute: often enough for a chart of a month. */
export function useMinute(): number {
  return Math.floor(useNow() / 60_000) * 60_000;
}

/** What the recommendations cost for which no request is open. */
export function useWished(): number {
  const rows = useRows(TABLES.recommendations, RECOMMENDATIONS);
  const rfqs = useRows(TABLES.rfqs, RFQS);
  return useMemo(() => {
    const open = new Set(
      (rfqs ?? [])
        .filter(({ state }) => ["requested", "drafted", "sent"].includes(state))
        .map(({ sku }) => sku),
    );
    return total(
      (rows ?? []).filter(({ sku }) => !open.has(sku)).map(({ expected_cost }) => expected_cost),
    );
  }, [rows, rfqs]);
}

interface SpendBarProps {
  readonly amount: number;
  readonly parts: readonly {
    readonly label: string;
    readonly value: number;
    readonly fill: string;
  }[];
}

/** The whole bar is the budget; what goes beyond it is cut off, and said in words. */
export function SpendBar({ amount, parts }: SpendBarProps) {
  const shown = parts.map((part) => ({ ...part, share: amount > 0 ? part.value / amount : 0 }));
  return (
    <>
      <div aria-hidden="true" className="flex h-3 gap-px overflow-hidden rounded-full bg-sunken">
        {shown.map(({ label, share, fill }) => (
          <div
            key={label}
            className={`h-full shrink-0 ${fill}`}
            style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }}
          />
        ))}
      </div>
      <dl className="flex flex-wrap gap-x-5 gap-y-1 pt-2 text-sm">
        {shown.map(({ label, value, fill }) => (
          <div key={label} className="flex items-center gap-1.5">
            <dt className="flex items-center gap-1.5 text-muted">
              <span aria-hidden="true" className={`size-2.5 rounded-[3px] ${fill}`} />
              {label}
            </dt>
            <dd className="font-medium">{formatEuro(value, 0)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
