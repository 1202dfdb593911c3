import { Card, Icon, Mark } from "../ui/index.ts";

export function AppsCard() {
  return (
    <Card title="Apps">
      <a
        href="/apps/vertical-farm/"
        className="group flex items-center gap-3 rounded-b-card border-t border-line px-4 py-3 hover:bg-sunken sm:px-5"
      >
        <Mark className="size-8 shrink-0" />
        <span>
          <span className="block font-medium">Vertical farm</span>
          <span className="block text-sm text-muted">
            Seed procurement, live: stock, demand, quotes, what to buy now
          </span>
        </span>
        <Icon
          name="arrow"
          className="ml-auto size-4 shrink-0 text-muted transition-transform group-hover:translate-x-0.5"
        />
      </a>
    </Card>
  );
}
