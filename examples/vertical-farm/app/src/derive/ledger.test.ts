import { describe, expect, it } from "vitest";
import type { Budget, Entry, Posting } from "../tables.ts";
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
const postings = all.map(({ posting }) => posting);
const entries = all.flatMap((one) => one.entries);

describe("books", () => {
  it("balance to the cent, and agree with the budget", () => {
    const made = books(budget(99.9), postings, entries);
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
    const torn = entries.map((entry) =>
      entry.posting_id === "a" && entry.side === "credit" ? { ...entry, amount: 100 } : entry,
    );
    expect(books(budget(99.9), postings, torn)).toMatchObject({ difference: 0.1, drift: -0.1 });
    expect(books(budget(50), postings, entries).drift).toBe(49.9);
  });

  it("miss an entry that is not there", () => {
    expect(books(budget(99.9), postings, entries.slice(1)).difference).toBe(-100.1);
  });

  it("prove nothing by a posting that lost an entry where rows are cut off", () => {
    const many = Array.from({ length: ROWS_MAX - 1 }, (_, at) =>
      posted(`p${at}`, at, 1, "commitments", "budget"),
    ).flatMap((one) => one.entries);
    const made = books(budget(5_000), postings, [...entries.slice(1), ...many]);
    expect(made.difference).toBe(0);
    expect(made.drift).toBeNull();
  });

  it("are of one month", () => {
    const other = { ...postings[0]!, month: "2026-10-01" };
    expect(books(budget(0), [other], entries.slice(0, 2))).toMatchObject({
      postings: [],
      debits: 0,
    });
  });
});

describe("spend", () => {
  it("tells what is billed, reserved and free", () => {
    expect(spend(budget(99.9), books(budget(99.9), postings, entries))).toEqual({
      amount: 1_000,
      committed: 99.9,
      billed: 60.05,
      reserved: 39.85,
      free: 900.1,
      share: 0.0999,
    });
  });

  it("is drawn over time, up to what it is now", () => {
    const made = books(budget(99.9), postings, entries);
    const { times, series } = spendChart(budget(99.9), made, 9);
    expect(times).toEqual([1, 2, 3, 9]);
    expect(series.map(({ values }) => values)).toEqual([
      [0, 0, 60.05, 60.05],
      [100.1, 99.9, 39.85, 39.85],
    ]);
    expect(spendChart(budget(0), books(budget(0), [], []), 9).times).toEqual([]);
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
