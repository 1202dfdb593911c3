import { createRootRoute, createRoute, createRouter, Link } from "@tanstack/react-router";
import { parseSearch, searchOf, stringifySearch } from "./frame/address.ts";
import { Frame } from "./frame/Frame.tsx";
import { BudgetPage } from "./pages/BudgetPage.tsx";
import { NegotiationsPage } from "./pages/NegotiationsPage.tsx";
import { OrdersPage } from "./pages/OrdersPage.tsx";
import { OverviewPage } from "./pages/OverviewPage.tsx";
import { RecommendationsPage } from "./pages/RecommendationsPage.tsx";
import { SuppliersPage } from "./pages/SuppliersPage.tsx";
import { TracePage } from "./pages/TracePage.tsx";
import { VariancesPage } from "./pages/VariancesPage.tsx";

/* The app's pages. A page is a route here, a link in Frame, and a file in pages. */

const root = createRootRoute({
  component: Frame,
  validateSearch: searchOf,
  notFoundComponent: () => (
    <p className="py-16 text-center text-muted">
      There is no such page.{" "}
      <Link to="/" className="font-medium text-accent hover:underline">
        To the overview
      </Link>
    </p>
  ),
  errorComponent: ({ error }) => (
    <div role="alert" className="mx-auto max-w-prose px-4 py-16 text-center">
      <p className="font-medium">This page could not be shown.</p>
      <p className="text-sm break-words text-muted">
        {error instanceof Error ? error.message : String(error)}
      </p>
      <a href="/" className="font-medium text-accent hover:underline">
        Begin anew
      </a>
    </div>
  ),
});

const page = <const Path extends string>(path: Path, component: () => React.ReactNode) =>
  createRoute({ getParentRoute: () => root, path, component });

export const router = createRouter({
  routeTree: root.addChildren([
    page("/", OverviewPage),
    page("/recommendations", RecommendationsPage),
    page("/suppliers", SuppliersPage),
    page("/negotiations", NegotiationsPage),
    page("/orders", OrdersPage),
    page("/variances", VariancesPage),
    page("/budget", BudgetPage),
    page("/trace/$kind/$", TracePage),
  ]),
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
