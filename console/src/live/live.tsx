import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import { LiveConnection, type World } from "./connection.ts";
import { type RowOf, rowsOf, type Shape } from "./events.ts";
import type { LiveState } from "./state.ts";
import { explanation, fetchStatus } from "./status.ts";
import { LiveStore } from "./store.ts";

interface Live {
  readonly store: LiveStore;
  readonly retryNow: () => void;
}

const LiveContext = createContext<Live | null>(null);

interface LiveProviderProps {
  /** The server's API, ending in a slash. */
  readonly api: URL;
  /** schema.table of each synced table to follow; the list is read once. */
  readonly tables: readonly string[];
  /**
   * Asks why nothing comes, in words for a reader; null when there is no reason. By default the
   * node's own status is asked, which an app's backend does not have.
   */
  readonly explain?: () => Promise<string | null>;
  readonly children: ReactNode;
}

/** Follows synced tables for as long as it is mounted. */
export function LiveProvider({
  api,
  tables,
  explain = async () => explanation(await fetchStatus(api)),
  children,
}: LiveProviderProps) {
  const [live] = useState(() => {
    const store = new LiveStore((task) => requestAnimationFrame(task));
    const connection = new LiveConnection(liveUrl(api, tables), store.dispatch, browser(explain));
    return { store, connection, retryNow: () => connection.retryNow() };
  });
  useEffect(() => {
    live.connection.start();
    window.addEventListener("online", live.retryNow);
    return () => {
      window.removeEventListener("online", live.retryNow);
      live.connection.close();
    };
  }, [live]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

/** A part of the live state; the selector must answer with a part, not with something new. */
export function useLive<T>(select: (state: LiveState) => T): T {
  const { store } = useLiveContext();
  return useSyncExternalStore(store.subscribe, () => select(store.state()));
}

export function useRetryNow(): () => void {
  return useLiveContext().retryNow;
}

/** The rows of a followed table, undefined until they have arrived. The shape must be a constant. */
export function useRows<S extends Shape>(table: string, shape: S): readonly RowOf<S>[] | undefined {
  const event = useLive((state) => state.tables.get(table));
  return event === undefined ? undefined : rowsOf(event, shape);
}

function useLiveContext(): Live {
  const live = useContext(LiveContext);
  if (live === null) {
    throw new Error("useLive needs a LiveProvider around it");
  }
  return live;
}

function liveUrl(api: URL, tables: readonly string[]): string {
  const url = new URL("live", api);
  for (const table of tables) {
    url.searchParams.append("table", table);
  }
  return url.href;
}

/** The server's own reason comes first; an event source does not tell what its refusal said. */
async function reason(
  explain: () => Promise<string | null>,
  url: string | null,
): Promise<string | null> {
  try {
    return (await explain()) ?? (url === null ? null : await refusal(url));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A node says its message at the top, an app's backend under `error`. */
interface Refusal {
  readonly message?: unknown;
  readonly error?: { readonly message?: unknown };
}

async function refusal(url: string): Promise<string | null> {
  const asking = new AbortController();
  try {
    const response = await fetch(url, { signal: asking.signal });
    if (response.ok) {
      return null;
    }
    const body = (await response.json()) as Refusal | null;
    const message = body?.error?.message ?? body?.message;
    return typeof message === "string" ? message : `the server answered ${response.status}`;
  } finally {
    asking.abort();
  }
}

function browser(explain: () => Promise<string | null>): World {
  return {
    open: (url) => new EventSource(url),
    explain: (url) => reason(explain, url),
    nowMillis: () => Date.now(),
    random: () => Math.random(),
    schedule: (task, delayMillis) => setTimeout(task, delayMillis),
    cancel: (scheduled) => clearTimeout(scheduled as ReturnType<typeof setTimeout>),
  };
}
