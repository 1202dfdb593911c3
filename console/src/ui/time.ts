import { useEffect, useRef, useState, useSyncExternalStore } from "react";

/** One clock for the whole page, so that everything that counts seconds does so at once. */
const clock = { now: Date.now(), listeners: new Set<() => void>(), timer: 0 };

function followClock(listener: () => void): () => void {
  if (clock.listeners.size === 0) {
    clock.timer = window.setInterval(() => {
      clock.now = Date.now();
      for (const tell of clock.listeners) {
        tell();
      }
    }, 1_000);
  }
  clock.listeners.add(listener);
  return () => {
    clock.listeners.delete(listener);
    if (clock.listeners.size === 0) {
      window.clearInterval(clock.timer);
    }
  };
}

/** The time in milliseconds since the epoch, told anew every second. */
export function useNow(): number {
  return useSyncExternalStore(followClock, () => clock.now);
}

/**
 * Rows in an order that is made anew only every so often, so that a row does not jump away from
 * the finger that reaches for it; what the rows say is always the newest. `keyOf` and `compare`
 * must be constants.
 */
export function useSteadyOrder<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  compare: (a: T, b: T) => number,
  everyMillis = 4_000,
): T[] {
  const [order, setOrder] = useState<ReadonlyMap<string, number>>(new Map());
  const latest = useRef(rows);
  useEffect(() => {
    latest.current = rows;
  }, [rows]);
  useEffect(() => {
    const timer = setInterval(() => setOrder(orderOf(latest.current, keyOf, compare)), everyMillis);
    return () => clearInterval(timer);
  }, [keyOf, compare, everyMillis]);
  return inOrder(rows, order, keyOf, compare);
}

/** The place of each row's key when sorted. */
export function orderOf<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  compare: (a: T, b: T) => number,
): Map<string, number> {
  return new Map([...rows].sort(compare).map((row, index) => [keyOf(row), index]));
}

/** The rows by the given order; rows that it does not know come last, sorted among themselves. */
export function inOrder<T>(
  rows: readonly T[],
  order: ReadonlyMap<string, number>,
  keyOf: (row: T) => string,
  compare: (a: T, b: T) => number,
): T[] {
  const place = (row: T) => order.get(keyOf(row)) ?? order.size;
  return [...rows].sort((a, b) => place(a) - place(b) || compare(a, b));
}
