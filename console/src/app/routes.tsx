import { createRootRoute, createRoute, createRouter, Link, Outlet } from "@tanstack/react-router";
import { Icon, Shell } from "../ui/index.ts";
import { type Layer, layerOf } from "./layers.ts";
import { OverviewPage } from "./OverviewPage.tsx";
import { ServerState } from "./ServerState.tsx";

/* The console's pages. A page is a route here, a link in Links, and a file of its own. */

const root = createRootRoute({
  component: () => (
    <Shell title="Lakemill" links={<Links />} state={<ServerState />}>
      <Outlet />
    </Shell>
  ),
  notFoundComponent: () => (
    <p className="py-16 text-center text-muted">
      There is no such page. <Link to="/">To the overview</Link>
    </p>
  ),
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search): { layer?: Layer } => {
    const layer = layerOf(search.layer);
    return layer === null ? {} : { layer };
  },
  component: function Overview() {
    const { layer } = overview.useSearch();
    const navigate = overview.useNavigate();
    return (
      <OverviewPage
        layer={layer ?? null}
        onLayer={(layer) => void navigate({ search: layer === null ? {} : { layer } })}
      />
    );
  },
});

export const router = createRouter({ routeTree: root.addChildren([overview]) });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

const LINK = "flex items-center gap-1.5 rounded-md px-2.5 py-1 text-muted hover:text-ink";

function Links() {
  return (
    <>
      <Link to="/" className={LINK} activeProps={{ className: "bg-sunken font-medium text-ink" }}>
        Overview
      </Link>
      <a href="/apps/vertical-farm/" className={LINK}>
        Vertical farm
        <Icon name="external" className="size-3.5" />
      </a>
    </>
  );
}
