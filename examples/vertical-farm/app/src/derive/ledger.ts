import { type Balance, type Budget, type Entry, type Posting, ROWS_MAX } from "../tables.ts";
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
  /** Of the month, the newest first; as far as they are at hand. */
  readonly postings: readonly BookedPosting[];
  /** Whether no older posting is missing. */
  readonly isWhole: boolean;
  readonly accounts: readonly AccountSum[];
  readonly debits: number;
  readonly credits: number;
  /** Debits minus credits; 0 when the books balance. */
  readonly difference: number;
  /** What the ledger has taken from the budget minus what that says is committed: 0. */
  readonly drift: number;
}

/** What books are made of, as it comes. */
export interface LedgerRows {
  readonly postings: readonly Posting[];
  readonly entries: readonly Entry[];
  readonly balances: readonly Balance[];
}

const cents = (amount: number | null) => Math.round((amount ?? 0) * 100);

/** The books of a month: its sums are of all postings, of which only the newest are at hand. */
export function books(budget: Budget, { postings, entries, balances }: LedgerRows): Books {
  const entriesOf = groupBy(entries, (entry) => entry.posting_id);
  const own = postings
    .filter((posting) => posting.month === budget.month)
    .sort((a, b) => (b.posted_at ?? 0) - (a.posted_at ?? 0) || b.id.localeCompare(a.id));
  const sums = ACCOUNTS.map((account) => {
    const of = balances.find((one) => one.month === budget.month && one.account === account);
    return { account, debits: cents(of?.debits ?? 0), credits: cents(of?.credits ?? 0) };
  });
  const debits = sums.reduce((all, one) => all + one.debits, 0);
  const credits = sums.reduce((all, one) => all + one.credits, 0);
  const taken = sums[0]!.credits - sums[0]!.debits;
  return {
    postings: own.map((posting) => {
      const side = (name: string) =>
        entriesOf.get(posting.id)?.find((entry) => entry.side === name)?.account ?? null;
      return { ...posting, debit: side("debit"), credit: side("credit") };
    }),
    isWhole: postings.length < ROWS_MAX,
    accounts: sums.map(({ account, debits, credits }) => ({
      account,
      debits: debits / 100,
      credits: credits / 100,
    })),
    debits: debits / 100,
    credits: credits / 100,
    difference: (debits - credits) / 100,
    drift: (taken - cents(budget.committed)) / 100,
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
 * the ledger say; it begins with what was posted before the first of them that is at hand whole.
 */
export function spendChart(budget: Budget, of: Books, nowMillis: number): Chart {
  const steps = of.postings
    .filter(
      (posting) => posting.posted_at !== null && posting.debit !== null && posting.credit !== null,
    )
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
