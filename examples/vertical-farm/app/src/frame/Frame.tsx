import { useLive, useRows } from "@lakemill/console/live";
import { LiveBadge, Shell, useNow, zoneName } from "@lakemill/console/ui";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { Problem } from "../parts/Problem.tsx";
import { INBOX, TABLES, VARIANCES } from "../tables.ts";
import { Key } from "./Button.tsx";
import { DrafterBadge } from "./Drafter.tsx";
import { Help } from "./Help.tsx";
import { Toasts } from "./Toasts.tsx";
import { actions, useFlushOnLeave } from "./useActions.ts";
import { useKeys } from "./useKeys.ts";

export const PAGES = [
  { to: "/", label: "Overview", key: "o" },
  { to: "/recommendations", label: "To buy", key: "r" },
  { to: "/suppliers", label: "Suppliers", key: "s" },
  { to: "/negotiations", label: "Negotiations", key: "n" },
  { to: "/orders", label: "Orders", key: "p" },
  { to: "/variances", label: "Variances", key: "v" },
  { to: "/budget", label: "Budget", key: "b" },
] as const;

/** The frame of every page: links, state, keys, and what was just decided. */
export function Frame() {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const navigate = useNavigate();
  useFlushOnLeave();
  useBatches();
  useTitle();
  useKeys(
    "Go to",
    PAGES.map(({ to, label, key }) => ({
      keys: `g ${key}`,
      label,
      run: () => void navigate({ to }),
    })),
  );
  useKeys("Everywhere", [
    { keys: "z", label: "Take back the last decision", run: () => void actions.undo() },
    { keys: "?", label: "These keys", run: () => setHelpOpen(true) },
  ]);
  return (
    <Shell
      title="Vertical farm"
      subtitle="Seed procurement, live"
      links={<Links />}
      linksClassName="relative -mx-1 overflow-x-auto px-1 py-0.5 [scrollbar-width:none] max-xl:order-last max-xl:w-full"
      state={
        <>
          <DrafterBadge />
          <button
            type="button"
            onClick={() => setHelpOpen(true)}
            aria-label="Keys"
            title="Keys"
            className="grid h-8 place-items-center rounded-full border border-line bg-surface px-2.5 text-muted hover:text-ink max-sm:hidden pointer-coarse:hidden"
          >
            <Key>?</Key>
          </button>
          <LiveBadge />
        </>
      }
      footer={<Footer />}
    >
      <Problem />
      <Outlet />
      <Toasts />
      {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
    </Shell>
  );
}

function Links() {
  const waiting = useRows(TABLES.inbox, INBOX)?.length ?? 0;
  const open =
    useRows(TABLES.variances, VARIANCES)?.filter(({ state }) => state === "open").length ?? 0;
  const counts: Record<string, number> = { "/negotiations": waiting, "/variances": open };
  const path = useRouterState({ select: (state) => state.location.pathname });
  // On a phone the links are a row that is wider than the screen, and counts make it wider.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what moves the links
  useEffect(() => {
    document
      .querySelector("nav [aria-current=page]")
      ?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [path, waiting > 0, open > 0]);
  return PAGES.map(({ to, label }) => (
    <Link
      key={to}
      to={to}
      activeOptions={{ exact: to === "/", includeSearch: false }}
      activeProps={{ className: "bg-sunken font-medium text-ink" }}
      inactiveProps={{ className: "text-muted hover:text-ink" }}
      className="relative flex h-8 shrink-0 items-center gap-1.5 rounded-md px-2.5"
    >
      {label}
      {(counts[to] ?? 0) > 0 && (
        <span className="min-w-5 rounded-full bg-warn-tint px-1.5 text-center text-xs leading-5 font-semibold text-warn">
          {counts[to]}
          <span className="sr-only"> waiting</span>
        </span>
      )}
    </Link>
  ));
}

/** Tells whoever measures the page which batch of each table it shows. */
function useBatches(): void {
  const tables = useLive((state) => state.tables);
  useLayoutEffect(() => {
    const batches = [...tables.values()].map(({ table, batch }) => [table, batch]);
    document.getElementById("content")!.dataset.batches = JSON.stringify(
      Object.fromEntries(batches),
    );
  }, [tables]);
}

/** Another page has another title, and begins at its top for those who hear or tab through it. */
function useTitle(): void {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const shown = useRef(path);
  const label = PAGES.find(({ to }) => to === path)?.label ?? "Trace";
  useEffect(() => {
    document.title = `${label} · Vertical farm`;
    if (shown.current !== path) {
      shown.current = path;
      document.getElementById("content")?.focus({ preventScroll: true });
    }
  }, [label, path]);
}

function Footer() {
  const zone = zoneName(useNow());
  return (
    <p>
      Every figure is read from Postgres and pushed when it changes. Times are local ({zone}).{" "}
      <span className="max-sm:hidden pointer-coarse:hidden">
        Press <kbd className="font-mono">?</kbd> for the keys.
      </span>
    </p>
  );
}
