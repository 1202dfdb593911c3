import type { SyncEvent, TableEvent } from "./events.ts";

/** No event for this long, on an open connection, is shown as stale. */
export const STALE_AFTER_MILLIS = 5_000;
/** How many syncs are kept for the sparklines: a minute at four a second. */
const HISTORY_MAX = 240;

/**
 * - connecting: nothing was received yet
 * - live: events arrive
 * - stale: connected, but silent for STALE_AFTER_MILLIS
 * - reconnecting: the connection was lost; it is being opened again
 */
export type Connection = "connecting" | "live" | "stale" | "reconnecting";

/** The content of a table, and when it came. */
export interface ArrivedTable extends TableEvent {
  readonly arrivedAtMillis: number;
}

/** Everything that a live page knows. Values are never changed in place, so identity tells news. */
export interface LiveState {
  readonly connection: Connection;
  /** Failed attempts since the connection last stood. */
  readonly failures: number;
  readonly lastEventMillis: number | null;
  readonly retryAtMillis: number | null;
  /** Why nothing is heard, in words for a reader; null while all is well. */
  readonly problem: string | null;
  readonly tables: ReadonlyMap<string, ArrivedTable>;
  readonly sync: SyncEvent | null;
  /** The last syncs, oldest first. */
  readonly history: readonly SyncEvent[];
}

export type LiveAction =
  | { readonly type: "opened"; readonly atMillis: number }
  | { readonly type: "table"; readonly atMillis: number; readonly event: TableEvent }
  | { readonly type: "sync"; readonly atMillis: number; readonly event: SyncEvent }
  | { readonly type: "tick"; readonly atMillis: number }
  | { readonly type: "lost"; readonly atMillis: number; readonly retryInMillis: number }
  | { readonly type: "explained"; readonly problem: string | null };

export const initialState: LiveState = {
  connection: "connecting",
  failures: 0,
  lastEventMillis: null,
  retryAtMillis: null,
  problem: null,
  tables: new Map(),
  sync: null,
  history: [],
};

/** The state after an action; the same object when the action changes nothing. */
export function reduce(state: LiveState, action: LiveAction): LiveState {
  switch (action.type) {
    case "opened":
      return received(state, action.atMillis);
    case "table":
      return {
        ...received(state, action.atMillis),
        tables: new Map(state.tables).set(action.event.table, {
          ...action.event,
          arrivedAtMillis: action.atMillis,
        }),
      };
    case "sync":
      return {
        ...received(state, action.atMillis),
        sync: action.event,
        history: [...state.history.slice(1 - HISTORY_MAX), action.event],
      };
    case "tick":
      return isSilent(state, action.atMillis) ? { ...state, connection: "stale" } : state;
    case "lost":
      return {
        ...state,
        connection: "reconnecting",
        failures: state.failures + 1,
        retryAtMillis: action.atMillis + action.retryInMillis,
      };
    case "explained":
      // An explanation that comes after the news came back explains nothing any more.
      return state.connection === "live" || state.problem === action.problem
        ? state
        : { ...state, problem: action.problem };
  }
}

function received(state: LiveState, atMillis: number): LiveState {
  return {
    ...state,
    connection: "live",
    failures: 0,
    lastEventMillis: atMillis,
    retryAtMillis: null,
    problem: null,
  };
}

function isSilent(state: LiveState, atMillis: number): boolean {
  return (
    state.connection === "live" && atMillis - (state.lastEventMillis ?? 0) >= STALE_AFTER_MILLIS
  );
}
