import { useRows } from "@lakemill/console/live";
import {
  Card,
  Chip,
  Empty,
  Figure,
  formatDate,
  formatEuro,
  formatNumber,
  formatShare,
  MoreButton,
  TimeSeries,
  Waiting,
} from "@lakemill/console/ui";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { type BookedPosting, type Books, books, spend, spendChart } from "../derive/ledger.ts";
import { useAddress } from "../frame/address.ts";
import { Filter, matches } from "../frame/Filter.tsx";
import { Fresh } from "../frame/Fresh.tsx";
import { rowId, useChosen, useListKeys } from "../frame/ListDetail.tsx";
import { TraceLink } from "../frame/TraceLink.tsx";
import { useKeys } from "../frame/useKeys.ts";
import {
  LEDGER,
  NoBudget,
  SpendBar,
  useLedger,
  useMinute,
  useWished,
} from "../parts/SpendCard.tsx";
import { BUDGETS, type Budget, ROWS_MAX, TABLES } from "../tables.ts";

const SHOWN = 40;

/** A month's money: what is left, where it went, and whether the books balance. */
export function BudgetPage() {
  const budgets = useRows(TABLES.budgets, BUDGETS);
  const ledger = useLedger();
  const { search, change } = useAddress();
  const sorted = useMemo(
    () => budgets?.toSorted((a, b) => b.month.localeCompare(a.month)),
    [budgets],
  );
  const budget = sorted?.find(({ month }) => month === search.id) ?? sorted?.[0];
  const made = useMemo(
    () => (budget && ledger ? books(budget, ledger) : undefined),
    [budget, ledger],
  );
  if (sorted?.length === 0) {
    return (
      <Card title="Budget">
        <NoBudget />
      </Card>
    );
  }
  if (budget === undefined || made === undefined) {
    return (
      <Card title="Budget">
        <Waiting lines={9} />
      </Card>
    );
  }
  return (
    <>
      {sorted !== undefined && sorted.length > 1 && (
        <label className="mb-4 flex items-center gap-2">
          <span className="text-muted">Month</span>
          <select
            value={budget.month}
            onChange={(event) => change({ id: event.target.value })}
            className="h-8 rounded-lg border border-muted bg-surface px-2"
          >
            {sorted.map(({ month }) => (
              <option key={month} value={month}>
                {month.slice(0, 7)}
              </option>
            ))}
          </select>
        </label>
      )}
      <Numbers budget={budget} made={made} />
      <div className="mt-4 grid grid-cols-1 gap-4 xl:grid-cols-12">
        <SpendOverTime budget={budget} made={made} />
        <Accounts made={made} />
        <Ledger made={made} />
      </div>
    </>
  );
}

function Numbers({ budget, made }: { budget: Budget; made: Books }) {
  const { amount, committed, billed, reserved, free, share } = spend(budget, made);
  return (
    <dl className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4">
      <Figure
        label={`Budget of ${budget.month.slice(0, 7)}`}
        table={TABLES.budgets}
        value={formatEuro(amount, 0)}
        note={`${formatEuro(committed, 0)} committed`}
      />
      <Figure
        label="Left"
        table={TABLES.budgets}
        value={formatEuro(free, 0)}
        note={`${formatShare(share)} is committed`}
      />
      <Figure
        label="Reserved"
        table={TABLES.balances}
        value={formatEuro(reserved, 0)}
        note="for requests and orders"
        explanation="Reserved when a draft is committed; given back when a supplier declines; it becomes billed when an invoice is right."
      />
      <Figure
        label="Billed"
        table={TABLES.balances}
        value={formatEuro(billed, 0)}
        note="owed to suppliers"
      />
    </dl>
  );
}

function SpendOverTime({ budget, made }: { budget: Budget; made: Books }) {
  const minute = useMinute();
  const chart = useMemo(() => spendChart(budget, made, minute), [budget, made, minute]);
  const wished = useWished();
  const { amount, billed, reserved } = spend(budget, made);
  return (
    <Card
      title="Spend against budget"
      className="xl:col-span-7"
      table={TABLES.postings}
      actions={<Fresh tables={LEDGER} />}
    >
      <div className="px-4 pb-2 sm:px-5">
        <SpendBar
          amount={amount}
          parts={[
            { label: "Billed", value: billed, fill: "bg-series-1" },
            { label: "Reserved", value: reserved, fill: "bg-series-3" },
            { label: "Wished", value: wished, fill: "bg-series-2" },
          ]}
        />
      </div>
      <TimeSeries
        label={`Money billed and reserved, ${formatEuro(billed + reserved)} now`}
        times={chart.times}
        series={chart.series}
        stacked
        stepped
        height={230}
        axisWidth={60}
        format={(value) => formatEuro(value)}
        formatAxis={(value) => formatEuro(value, 0)}
      />
    </Card>
  );
}

function Accounts({ made }: { made: Books }) {
  const isBalanced = made.difference === 0;
  const agrees = made.drift === 0;
  return (
    <Card
      title="Books"
      className="xl:col-span-5"
      table={TABLES.balances}
      explanation="Every posting has a debit and a credit of one amount. What the ledger took from the budget must be what the budget says is committed."
      actions={
        <Chip tone={isBalanced && agrees ? "good" : "bad"}>
          {isBalanced && agrees ? "Balanced" : "Does not balance"}
        </Chip>
      }
    >
      <table className="w-full whitespace-nowrap max-sm:text-xs max-sm:[&_td]:px-1 max-sm:[&_th]:px-1 max-sm:[&_tr>:first-child]:pl-3 max-sm:[&_tr>:last-child]:pr-3">
        <thead className="text-sm text-muted">
          <tr>
            <th scope="col" className="py-1.5 pl-4 text-left font-normal sm:pl-5">
              Account
            </th>
            <th scope="col" className="px-1.5 py-1.5 sm:px-3 text-right font-normal">
              Debit
            </th>
            <th scope="col" className="px-1.5 py-1.5 sm:px-3 text-right font-normal">
              Credit
            </th>
            <th scope="col" className="py-1.5 pr-4 pl-3 text-right font-normal sm:pr-5">
              Balance
            </th>
          </tr>
        </thead>
        <tbody>
          {made.accounts.map(({ account, debits, credits }) => (
            <tr key={account} className="border-t border-line">
              <th scope="row" className="py-2.5 pl-4 text-left font-medium capitalize sm:pl-5">
                {account}
              </th>
              <td className="px-1.5 py-2.5 sm:px-3 text-right">{formatEuro(debits)}</td>
              <td className="px-1.5 py-2.5 sm:px-3 text-right">{formatEuro(credits)}</td>
              <td className="py-2.5 pr-4 pl-2 text-right font-medium sm:pr-5">
                {formatEuro(Math.round((debits - credits) * 100) / 100)}
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="border-t-2 border-line-strong font-semibold">
            <th scope="row" className="py-2.5 pl-4 text-left sm:pl-5">
              Sum
            </th>
            <td className="px-1.5 py-2.5 sm:px-3 text-right">{formatEuro(made.debits)}</td>
            <td className="px-1.5 py-2.5 sm:px-3 text-right">{formatEuro(made.credits)}</td>
            <td className="py-2.5 pr-4 pl-3 text-right sm:pr-5">{formatEuro(made.difference)}</td>
          </tr>
        </tfoot>
      </table>

      <p className="border-t border-line px-4 py-2.5 text-sm text-muted sm:px-5">
        {!isBalanced && (
          <span className="font-medium text-bad">
            Debits and credits differ by {formatEuro(made.difference)}.{" "}
          </span>
        )}
        {agrees
          ? "The ledger agrees with what the budget says is committed."
          : `The ledger took ${formatEuro(made.drift)} more from the budget than it says is committed.`}
      </p>
    </Card>
  );
}

const idOf = (posting: BookedPosting) => posting.id;

function Ledger({ made }: { made: Books }) {
  const { search, change } = useAddress();
  const navigate = useNavigate();
  const [all, setAll] = useState(false);
  const found = made.postings.filter(({ memo, key, debit, credit }) =>
    matches(search.q ?? "", memo, key, debit ?? "", credit ?? ""),
  );
  const shown = all ? found : found.slice(0, SHOWN);
  const [chosenId, setChosenId] = useState<string>();
  const chosen = useChosen(shown.map(idOf), chosenId);
  useListKeys(shown.map(idOf), chosen, setChosenId);
  useKeys("Posting", [
    {
      keys: "t",
      label: "Where does it come from?",
      run: () =>
        chosen !== null &&
        void navigate({ to: "/trace/$kind/$", params: { kind: "posting", _splat: chosen } }),
    },
  ]);
  return (
    <Card
      title="Ledger"
      className="xl:col-span-12"
      table={TABLES.postings}
      actions={
        <Filter label="Filter postings" value={search.q ?? ""} onChange={(q) => change({ q })} />
      }
    >
      {made.postings.length === 0 && made.isWhole && (
        <Empty title="Nothing was posted yet">
          The budget agent posts when a draft is committed or a variance decided, the reconciler
          when a bill is right.
        </Empty>
      )}
      {made.postings.length > 0 && found.length === 0 && (
        <Empty title="Nothing matches">Take a word out of the filter.</Empty>
      )}
      {shown.length > 0 && (
        <div className="overflow-x-auto">
          <table className="w-full">
            <thead className="text-sm text-muted">
              <tr>
                <th scope="col" className="py-1.5 pl-4 text-left font-normal max-md:hidden sm:pl-5">
                  Posted
                </th>
                <th scope="col" className="px-3 py-1.5 text-left font-normal max-md:px-4">
                  For
                </th>
                <th scope="col" className="px-3 py-1.5 text-left font-normal max-md:hidden">
                  Debit
                </th>
                <th scope="col" className="px-3 py-1.5 text-left font-normal max-md:hidden">
                  Credit
                </th>
                <th scope="col" className="py-1.5 pr-4 pl-3 text-right font-normal sm:pr-5">
                  Amount
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((posting) => (
                <PostingRow
                  key={posting.id}
                  posting={posting}
                  isChosen={posting.id === chosen && chosenId !== undefined}
                  onChoose={() => setChosenId(posting.id)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.length > SHOWN && (
        <MoreButton
          all={all}
          onChange={setAll}
          what={`all ${formatNumber(found.length)} postings`}
        />
      )}
      {!made.isWhole && (
        <p className="border-t border-line px-4 py-2.5 text-sm text-muted sm:px-5">
          Only the newest {formatNumber(ROWS_MAX)} postings are here; older ones stand in
          procurement.ledger_posting, and are in every sum.
        </p>
      )}
    </Card>
  );
}

interface PostingRowProps {
  readonly posting: BookedPosting;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function PostingRow({ posting, isChosen, onChoose }: PostingRowProps) {
  const { id, posted_at, memo, debit, credit, amount } = posting;
  return (
    <tr
      className={`relative border-t border-line hover:bg-sunken ${isChosen ? "bg-accent-tint/50 shadow-[inset_3px_0_var(--accent)]" : ""}`}
    >
      <td className="py-2 pl-4 whitespace-nowrap text-muted max-md:hidden sm:pl-5">
        {formatDate(posted_at)}
      </td>
      <th
        scope="row"
        className="max-w-0 px-3 py-2 text-left font-normal max-md:w-full max-md:px-4 md:w-1/2"
      >
        <button
          type="button"
          id={rowId(id)}
          aria-current={isChosen ? "true" : undefined}
          onClick={onChoose}
          className="block max-w-full truncate text-left after:absolute after:inset-0"
        >
          <bdi>{memo}</bdi>
        </button>
        <span className="block text-xs text-muted md:hidden">
          {formatDate(posted_at)}, to {debit ?? "–"} from {credit ?? "–"}
        </span>
      </th>
      <td className="px-3 py-2 capitalize max-md:hidden">{debit ?? "–"}</td>
      <td className="px-3 py-2 capitalize max-md:hidden">{credit ?? "–"}</td>
      <td className="py-2 pr-4 pl-3 text-right font-medium whitespace-nowrap sm:pr-5">
        <span className="inline-flex items-center gap-0.5">
          <TraceLink kind="posting" id={id} of={memo} className="relative z-10" />
          {formatEuro(amount)}
        </span>
      </td>
    </tr>
  );
}
