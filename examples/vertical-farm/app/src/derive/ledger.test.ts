import { describe, expect, it } from "vitest";
import type { Balance, Budget, Entry, Posting } from "../tables.ts";
import { ROWS_MAX } from "../tables.ts";
import { books, currentBudget, postedFor, spend, spendChart } from "./ledger.ts";

const MONTH = "2026-11-01";
const budget = (committed: number): Budget => ({
  month: MONTH,
  currency: "EUR",
  amount: 1_000,
  committed,
});

/** A posting and its two entries. */
function posted(id: string, atMillis: number, amount: number, debit: string, credit: string) {
  const posting: Posting = { id, key: id, month: MONTH, amount, memo: "", posted_at: atMillis };
  const entries: Entry[] = [
    { posting_id: id, side: "debit", account: debit, amount },
    { posting_id: id, side: "credit", account: credit, amount },
  ];
  return { posting, entries };
}

const all = [
  posted("a", 1, 100.1, "commitments", "budget"),
  posted("b", 2, 0.2, "budget", "commitments"),
  posted("c", 3, 60.05, "payables", "commitments"),
];
/** All rows, and their sums as Postgres has them. */
function ledger(rows: readonly ReturnType<typeof posted>[]) {
  const entries = rows.flatMap((one) => one.entries);
  const sum = (account: string, side: string) =>
    Math.round(
      100 *
        entries
          .filter((one) => one.account === account && one.side === side)
          .reduce((total, one) => total + (one.amount ?? 0), 0),
    ) / 100;
  const balances: Balance[] = ["budget", "commitments", "payables"].map((account) => ({
    month: MONTH,
    account,
    debits: sum(account, "debit"),
    credits: sum(account, "credit"),
  }));
  return { postings: rows.map(({ posting }) => posting), entries, balances };
}

describe("books", () => {
  it("balance to the cent, and agree with the budget", () => {
    const made = books(budget(99.9), ledger(all));
    expect(made).toMatchObject({ debits: 160.35, credits: 160.35, difference: 0, drift: 0 });
    expect(made.accounts).toEqual([
      { account: "budget", debits: 0.2, credits: 100.1 },
      { account: "commitments", debits: 100.1, credits: 60.25 },
      { account: "payables", debits: 60.05, credits: 0 },
    ]);
    expect(made.postings.map(({ id, debit, credit }) => [id, debit, credit])).toEqual([
      ["c", "payables", "commitments"],
      ["b", "budget", "commitments"],
      ["a", "commitments", "budget"],
    ]);
  });

  it("tell by how much they do not", () => {
    const { balances, ...rows } = ledger(all);
    const torn = balances.map((one) => (one.account === "budget" ? { ...one, credits: 100 } : one));
    const made = books(budget(99.9), { ...rows, balances: torn });
    expect(made).toMatchObject({ difference: 0.1, drift: -0.1 });
    expect(books(budget(50), ledger(all)).drift).toBe(49.9);
  });

  it("are of all postings, also of those that are not at hand", () => {
    const { postings, entries, balances } = ledger(all);
    const newest = { postings: postings.slice(1), entries: entries.slice(3), balances };
    const made = books(budget(99.9), newest);
    expect(made).toMatchObject({ debits: 160.35, difference: 0, drift: 0, isWhole: true });
    expect(made.postings.map(({ debit, credit }) => [debit, credit])).toEqual([
      ["payables", "commitments"],
      [null, "commitments"],
    ]);
  });

  it("say when older postings are not at hand", () => {
    const many = Array.from({ length: ROWS_MAX }, (_, at) =>
      posted(`p${at}`, at, 1, "commitments", "budget"),
    );
    expect(books(budget(500), ledger(many)).isWhole).toBe(false);
    expect(books(budget(499), ledger(many.slice(1))).isWhole).toBe(true);
  });

  it("are of one month", () => {
    const october = { ...budget(0), month: "2026-10-01" };
    const rows = ledger(all);
    const made = books(october, { ...rows, balances: [{ ...rows.balances[0]!, debits: 7 }] });
    expect(made).toMatchObject({ postings: [], debits: 0, drift: 0 });
  });
});

describe("spend", () => {
  it("tells what is billed, reserved and free", () => {
    expect(spend(budget(99.9), books(budget(99.9), ledger(all)))).toEqual({
      amount: 1_000,
      committed: 99.9,
      billed: 60.05,
      reserved: 39.85,
      free: 900.1,
      share: 0.0999,
    });
  });

  it("is drawn over time, up to what it is now", () => {
    const made = books(budget(99.9), ledger(all));
    const { times, series } = spendChart(budget(99.9), made, 9);
    expect(times).toEqual([1, 2, 3, 9]);
    expect(series.map(({ values }) => values)).toEqual([
      [0, 0, 60.05, 60.05],
      [100.1, 99.9, 39.85, 39.85],
    ]);
    const nothing = books(budget(0), ledger([]));
    expect(spendChart(budget(0), nothing, 9).times).toEqual([]);
  });

  it("begins with what was posted before the first posting that is at hand whole", () => {
    const before = posted("z", 0, 40, "payables", "budget");
    const { postings, entries, balances } = ledger([before, ...all]);
    for (const lost of [entries.slice(1), entries.slice(2), entries.slice(3)]) {
      const made = books(budget(139.9), { postings, entries: lost, balances });
      expect(spend(budget(139.9), made)).toMatchObject({ billed: 100.05, reserved: 39.85 });
      const { times, series } = spendChart(budget(139.9), made, 9);
      const hasFirst = lost.length > 5;
      expect(times).toEqual(hasFirst ? [1, 2, 3, 9] : [2, 3, 9]);
      expect(series[0]?.values).toEqual([...(hasFirst ? [40] : []), 40, 100.05, 100.05]);
    }
  });
});

describe("currentBudget", () => {
  it("is the newest month's", () => {
    const october = { ...budget(1), month: "2026-10-01" };
    expect(currentBudget([october, budget(2)])?.month).toBe(MONTH);
    expect(currentBudget([])).toBeUndefined();
  });
});

describe("postedFor", () => {
  it.each([
    ["rfq-7", { kind: "rfq", id: "7" }],
    ["outcome-7-8", { kind: "rfq", id: "7-8" }],
    ["invoice-PO-1-1", { kind: "invoice", id: "PO-1-1" }],
    ["variance-PO-1-1/partial_delivery/1", { kind: "invoice", id: "PO-1-1" }],
    ["by hand", null],
  ])("finds what %s is of", (key, of) => {
    expect(postedFor(key)).toEqual(of);
  });
});
