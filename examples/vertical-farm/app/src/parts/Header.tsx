import { formatClock, Icon, useNow, zoneName } from "@lakemill/console/ui";

export function Clock() {
  const now = useNow();
  return (
    <time className="text-sm text-muted max-md:hidden" dateTime={new Date(now).toISOString()}>
      {formatClock(now)} {zoneName(now)}
    </time>
  );
}

export function ConsoleLink() {
  return (
    <a
      href="../../"
      className="flex items-center gap-1.5 rounded-md px-2 py-1 text-muted hover:text-ink max-sm:hidden"
    >
      Console
      <Icon name="external" className="size-3.5" />
    </a>
  );
}
