import { describe, expect, it } from "vitest";
import { inOrder, orderOf } from "./time.ts";

interface Row {
  readonly key: string;
  readonly value: number;
}

const keyOf = (row: Row) => row.key;
const byValue = (a: Row, b: Row) => a.value - b.value;

describe("inOrder", () => {
  const before = [
    { key: "pea", value: 1 },
    { key: "dill", value: 2 },
  ];

  it("keeps the order while values overtake one another", () => {
    const order = orderOf(before, keyOf, byValue);
    const after = [
      { key: "dill", value: 0 },
      { key: "pea", value: 9 },
    ];
    expect(inOrder(after, order, keyOf, byValue)).toEqual([
      { key: "pea", value: 9 },
      { key: "dill", value: 0 },
    ]);
  });

  it("puts rows that it does not know last, in their own order", () => {
    const order = orderOf(before, keyOf, byValue);
    const rows = [{ key: "rocket", value: 0 }, { key: "chia", value: -1 }, ...before];
    expect(inOrder(rows, order, keyOf, byValue).map(keyOf)).toEqual([
      "pea",
      "dill",
      "chia",
      "rocket",
    ]);
  });

  it("sorts by value before any order was made", () => {
    const rows = [...before].reverse();
    expect(inOrder(rows, new Map(), keyOf, byValue).map(keyOf)).toEqual(["pea", "dill"]);
  });
});
