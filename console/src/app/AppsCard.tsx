import { Link } from "@tanstack/react-router";
import { Card, Chip, Icon, Mark } from "../ui/index.ts";
import { useAsked } from "./api.ts";
import { APPS, type App, lookOf } from "./hosting/apps.ts";

const FARM = "vertical-farm";
const ROW =
  "group flex items-center gap-3 border-t border-line px-4 py-3 last:rounded-b-card hover:bg-sunken sm:px-5";

/** The ways into the apps: the farm, which the demo brings, and those that the node hosts. */
export function AppsCard() {
  const { data } = useAsked<{ apps: readonly App[] }>(APPS, 5_000);
  return (
    <Card
      title="Apps"
      actions={
        <Link to="/apps" className="text-sm font-medium text-accent hover:underline">
          Look after them
        </Link>
      }
    >
      <a href={`/apps/${FARM}/`} className={ROW}>
        <Mark className="size-8 shrink-0" />
        <span>
          <span className="block font-medium">Vertical farm</span>
          <span className="block text-sm text-muted">
            Seed procurement, live: stock, demand, quotes, what to buy now
          </span>
        </span>
        <Arrow />
      </a>
      {data?.apps
        .filter(({ name }) => name !== FARM)
        .map((app) => {
          const { label, tone } = lookOf(app);
          return (
            <a key={app.name} href={app.url} className={ROW}>
              <span className="min-w-0 font-medium break-words">{app.name}</span>
              <Chip tone={tone}>{label}</Chip>
              <Arrow />
            </a>
          );
        })}
    </Card>
  );
}

function Arrow() {
  return (
    <Icon
      name="arrow"
      className="ml-auto size-4 shrink-0 text-muted transition-transform group-hover:translate-x-0.5"
    />
  );
}
