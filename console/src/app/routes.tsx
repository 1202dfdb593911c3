import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import { Shell } from "../ui/index.ts";
import { type Status, statusOf } from "./agents/agents.ts";
import { Links } from "./Links.tsx";
import { type Layer, layerOf } from "./layers.ts";
import { OverviewPage } from "./OverviewPage.tsx";
import { ServerState } from "./ServerState.tsx";

/* The console's pages. A page is a route here, a link in Links, and a file of its own, which all but
   the first are loaded from when they are asked for. */

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
  errorComponent: ({ error }) => (
    <p role="alert" className="py-16 text-center text-muted">
      This page does not work: {String(error)} <a href={document.URL}>Load it again</a>
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

const AgentsPage = lazyRouteComponent(() => import("./agents/AgentsPage.tsx"), "AgentsPage");
const agents = createRoute({
  getParentRoute: () => root,
  path: "/agents",
  validateSearch: (search): { agent?: string; status?: Status } => {
    const status = statusOf(search.status);
    return { ...word("agent", search.agent), ...(status === null ? {} : { status }) };
  },
  component: function AgentsRoute() {
    const { agent, status } = agents.useSearch();
    const navigate = agents.useNavigate();
    return (
      <AgentsPage
        agent={agent ?? null}
        status={status ?? null}
        onChoose={(chosen) =>
          void navigate({
            search: {
              ...word("agent", chosen.agent),
              ...(chosen.status === null ? {} : { status: chosen.status }),
            },
          })
        }
      />
    );
  },
});

const RunPage = lazyRouteComponent(() => import("./agents/RunPage.tsx"), "RunPage");
const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$run",
  component: function RunRoute() {
    return <RunPage id={run.useParams().run} />;
  },
});

const InboxPage = lazyRouteComponent(() => import("./inbox/InboxPage.tsx"), "InboxPage");
const inbox = createRoute({
  getParentRoute: () => root,
  path: "/inbox",
  validateSearch: (search): { approval?: string } => word("approval", search.approval),
  component: function InboxRoute() {
    const { approval } = inbox.useSearch();
    const navigate = inbox.useNavigate();
    return (
      <InboxPage
        approval={approval ?? null}
        onChoose={(chosen) => void navigate({ search: word("approval", chosen), replace: true })}
      />
    );
  },
});

const AppsPage = lazyRouteComponent(() => import("./hosting/AppsPage.tsx"), "AppsPage");
const apps = createRoute({
  getParentRoute: () => root,
  // Below /apps/ are the apps themselves.
  path: "/apps",
  validateSearch: (search): { app?: string } => word("app", search.app),
  component: function AppsRoute() {
    const { app } = apps.useSearch();
    const navigate = apps.useNavigate();
    return (
      <AppsPage
        app={app ?? null}
        onChoose={(chosen) => void navigate({ search: word("app", chosen) })}
      />
    );
  },
});

const ModelsPage = lazyRouteComponent(() => import("./models/ModelsPage.tsx"), "ModelsPage");
const models = createRoute({
  getParentRoute: () => root,
  path: "/models",
  validateSearch: (search): { days?: 30 | 90; day?: string } => {
    return {
      ...(search.days === 30 || search.days === 90 ? { days: search.days } : {}),
      ...(/^\d{4}-\d\d-\d\d$/.test(String(search.day)) ? { day: String(search.day) } : {}),
    };
  },
  component: function ModelsRoute() {
    const { days, day } = models.useSearch();
    const navigate = models.useNavigate();
    return (
      <ModelsPage
        days={days === undefined ? "7" : `${days}`}
        day={day ?? null}
        onChoose={(chosen) =>
          void navigate({
            search: {
              ...(chosen.days === "7" ? {} : { days: chosen.days === "30" ? 30 : 90 }),
              ...word("day", chosen.day),
            },
          })
        }
      />
    );
  },
});

/** A part of an address that stands there only when it says something. */
function word<K extends string>(key: K, value: unknown): { [P in K]?: string } {
  return (typeof value === "string" && value !== "" ? { [key]: value } : {}) as {
    [P in K]?: string;
  };
}

export const router = createRouter({
  routeTree: root.addChildren([overview, agents, run, inbox, apps, models]),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
