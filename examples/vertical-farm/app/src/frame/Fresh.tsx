import { useLive } from "@lakemill/console/live";
import { formatAway, formatDuration, formatNumber, useNow } from "@lakemill/console/ui";
import { Popover } from "radix-ui";
import type { TABLES } from "../tables.ts";

type Table = (typeof TABLES)[keyof typeof TABLES];

/** How fresh the numbers beside it are; opened, it tells of each table. */
export function Fresh({ tables }: { tables: readonly Table[] }) {
  const age = useAge(tables);
  return (
    <Popover.Root>
      <Popover.Trigger
        aria-label={`Freshness: ${age.label}`}
        className="flex h-7 items-center gap-1.5 rounded-full px-2 text-xs text-muted hover:bg-sunken hover:text-ink"
      >
        <span
          aria-hidden="true"
          className={`size-1.5 rounded-full ${age.isLive ? "bg-good" : "bg-warn"}`}
        />
        {age.label}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          sideOffset={6}
          collisionPadding={12}
          className="z-50 flex max-w-80 flex-col gap-2.5 rounded-lg border border-line-strong bg-surface px-3.5 py-3 text-sm text-ink shadow-[0_8px_24px_var(--shadow)]"
        >
          {tables.map((table) => (
            <Detail key={table} table={table} />
          ))}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Detail({ table }: { table: Table }) {
  const content = useLive((state) => state.tables.get(table));
  const history = useLive((state) => state.history);
  const now = useNow();
  const sync = isServing(table) ? history.find(({ batch }) => batch === content?.batch) : undefined;
  return (
    <p>
      <code className="font-mono text-xs break-all">{table}</code>
      <span className="block text-muted">
        {content === undefined
          ? "has not come yet"
          : `${formatNumber(content.rows.length)} rows, batch ${formatNumber(content.batch)}, changed ${formatAway(content.arrivedAtMillis, now)}`}
      </span>
      {sync?.freshnessMillis != null && (
        <span className="block text-muted">
          stood in Postgres {formatDuration(sync.freshnessMillis)} after its newest event
        </span>
      )}
    </p>
  );
}

function isServing(table: Table): boolean {
  return table.startsWith("serving.");
}

/**
 * Synced tables are as fresh as the newest batch, whether or not it changed them; state tables are
 * told the moment they change. Both age while nothing is heard.
 */
function useAge(tables: readonly Table[]): { label: string; isLive: boolean } {
  const connection = useLive((state) => state.connection);
  const freshness = useLive((state) => state.sync?.freshnessMillis ?? null);
  const last = useLive((state) => state.lastEventMillis);
  const hasCome = useLive((state) => tables.every((table) => state.tables.has(table)));
  const now = useNow();
  if (!hasCome) {
    return { label: "not yet", isLive: false };
  }
  if (connection !== "live") {
    return { label: `${formatDuration(now - (last ?? now))} old`, isLive: false };
  }
  const label = tables.some(isServing) && freshness !== null ? formatDuration(freshness) : "live";
  return { label, isLive: true };
}
