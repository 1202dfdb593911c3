import { type Budget, type Entry, type Posting, ROWS_MAX } from "../tables.ts";
import { groupBy } from "./group.ts";
import type { Chart } from "./supply.ts";

/* The budget's books. All sums are in whole cents, so that books that balance balance here too. */

export type Account = "budget" | "commitments" | "payables";
const ACCOUNTS: readonly Account[] = ["budget", "commitments", "payables"];

/** A posting with both of its sides; null for a side that is not at hand. */
export interface BookedPosting extends Posting {
  readonly debit: string | null;
  readonly credit: string | null;
}

export interface AccountSum {
  readonly account: Account;
  readonly debits: number;
  readonly credits: number;
}

export interface Books {
  /** Of the month, the newest first. */
  readonly postings: readonly BookedPosting[];
  readonly accounts: readonly AccountSum[];
  readonly debits: number;
  readonly credits: number;
  /** Debits minus credits; 0 when the books balance. */
  readonly difference: number;
  /**
   * What the ledger has taken from the budget minus what the budget says is committed; 0 when they
   * agree, null when older postings are not at hand.
   */
  readonly drift: number | null;
}

const cents = (amount: number | null) => Math.round((amount ?? 0) * 100);

/** The books of a month. Only as much as has come is added up: the newest ROWS_MAX rows. */
export function books(
  budget: Budget,
  postings: readonly Posting[],
  entries: readonly Entry[],
): Books {
  const isWhole = postings.length < ROWS_MAX && entries.length < ROWS_MAX;
  const entriesOf = groupBy(entries, (entry) => entry.posting_id);
  const own = postings
    .filter((posting) => posting.month === budget.month)
    .sort((a, b) => (b.posted_at ?? 0) - (a.posted_at ?? 0) || b.id.localeCompare(a.id));
  // Where rows were cut off, a posting may have lost one of its entries: it proves nothing then.
  const proven = own
    .map((posting) => entriesOf.get(posting.id) ?? [])
    .filter((sides) => isWhole || sides.length === 2)
    .flat();
  const sum = (side: string, account?: Account) =>
    proven
      .filter(
        (entry) => entry.side === side && (account === undefined || entry.account === account),
      )
      .reduce((all, entry) => all + cents(entry.amount), 0);
  const accounts = ACCOUNTS.map((account) => ({
    account,
    debits: sum("debit", account) / 100,
    credits: sum("credit", account) / 100,
  }));
  const taken = sum("credit", "budget") - sum("debit", "budget");
  return {
    postings: own.map((posting) => {
      const side = (name: string) =>
        entriesOf.get(posting.id)?.find((entry) => entry.side === name)?.account ?? null;
      return { ...posting, debit: side("debit"), credit: side("credit") };
    }),
    accounts,
    debits: sum("debit") / 100,
    credits: sum("credit") / 100,
    difference: (sum("debit") - sum("credit")) / 100,
    drift: isWhole ? (taken - cents(budget.committed)) / 100 : null,
  };
}

/** What is spent of a budget: what suppliers have billed, what is only reserved, what is left. */
export interface Spend {
  readonly amount: number;
  readonly committed: number;
  readonly billed: number;
  readonly reserved: number;
  readonly free: number;
  /** Committed of the amount, 0 to 1. */
  readonly share: number;
}

export function spend(budget: Budget, of: Books): Spend {
  const amount = cents(budget.amount);
  const committed = cents(budget.committed);
  const payables = of.accounts.find(({ account }) => account === "payables");
  const billed = Math.min(committed, cents(payables?.debits ?? 0) - cents(payables?.credits ?? 0));
  return {
    amount: amount / 100,
    committed: committed / 100,
    billed: billed / 100,
    reserved: (committed - billed) / 100,
    free: (amount - committed) / 100,
    share: amount > 0 ? committed / amount : 0,
  };
}

/**
 * Money reserved and money billed after each posting, up to now, when it is what the budget and
 * the ledger say; what was posted before the newest rows is in the first point.
 */
export function spendChart(budget: Budget, of: Books, nowMillis: number): Chart {
  const steps = of.postings
    .filter((posting) => posting.posted_at !== null && posting.debit !== null)
    .toReversed()
    .map((posting) => ({
      atMillis: posting.posted_at!,
      reserved: change(posting, "commitments"),
      billed: change(posting, "payables"),
    }));
  const { reserved, billed } = spend(budget, of);
  let reservedCents = cents(reserved) - steps.reduce((sum, one) => sum + one.reserved, 0);
  let billedCents = cents(billed) - steps.reduce((sum, one) => sum + one.billed, 0);
  const points = new Map<number, readonly [number, number]>();
  for (const one of steps) {
    reservedCents += one.reserved;
    billedCents += one.billed;
    points.set(one.atMillis, [billedCents / 100, reservedCents / 100]);
  }
  const last = [...points].at(-1);
  if (last !== undefined && last[0] < nowMillis) {
    points.set(nowMillis, last[1]);
  }
  const values = [...points.values()];
  return {
    times: [...points.keys()],
    series: [
      { label: "Billed", color: 1, values: values.map(([billed]) => billed) },
      { label: "Reserved", color: 3, values: values.map(([, reserved]) => reserved) },
    ],
  };
}

function change(posting: BookedPosting, account: Account): number {
  const sign = Number(posting.debit === account) - Number(posting.credit === account);
  return sign * cents(posting.amount);
}

/** The budget of the newest month; undefined when there is none. */
export function currentBudget(budgets: readonly Budget[]): Budget | undefined {
  return budgets.toSorted((a, b) => b.month.localeCompare(a.month))[0];
}

/** What a posting is of, as its key says; null when it is of nothing that has a trace. */
export function postedFor(key: string): { readonly kind: string; readonly id: string } | null {
  const variance = /^variance-(.+)\/[a-z_]+\/\d+$/.exec(key)?.[1];
  if (variance !== undefined) {
    return { kind: "invoice", id: variance };
  }
  const [, prefix, id] = /^(rfq|outcome|invoice)-(.+)$/.exec(key) ?? [];
  if (prefix === undefined || id === undefined) {
    return null;
  }
  return { kind: prefix === "invoice" ? "invoice" : "rfq", id };
}
