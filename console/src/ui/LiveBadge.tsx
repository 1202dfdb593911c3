import { useLive, useRetryNow } from "../live/index.ts";
import { formatDuration } from "./format.ts";
import { useNow } from "./time.ts";

const LOOKS = {
  connecting: { label: "Connecting", tone: "text-muted", dot: "" },
  live: { label: "Live", tone: "text-good", dot: "pulse" },
  stale: { label: "Stale", tone: "text-warn", dot: "" },
  reconnecting: { label: "Reconnecting", tone: "text-bad", dot: "" },
} as const;

/** How the page hears from the server; a change of it, and nothing else, is read out. */
export function LiveBadge() {
  const connection = useLive((state) => state.connection);
  const { label, tone, dot } = LOOKS[connection];
  return (
    <div className="flex h-8 items-center gap-2 rounded-full border border-line bg-surface px-3 text-sm">
      <span aria-hidden="true" className={`size-2 rounded-full bg-current ${tone} ${dot}`} />
      <span role="status" className={`font-medium ${tone}`}>
        {label}
      </span>
      {connection === "stale" && <Silence />}
      {connection === "reconnecting" && <Retry />}
    </div>
  );
}

function Silence() {
  const last = useLive((state) => state.lastEventMillis);
  const now = useNow();
  return <span className="text-muted">no news for {formatDuration(now - (last ?? now))}</span>;
}

function Retry() {
  const retryAt = useLive((state) => state.retryAtMillis);
  const retryNow = useRetryNow();
  const now = useNow();
  const wait = Math.max(0, Math.ceil(((retryAt ?? now) - now) / 1_000));
  return (
    <>
      <span className="max-sm:hidden text-muted">{wait > 0 ? `in ${wait} s` : "…"}</span>
      <button
        type="button"
        aria-label="Reconnect now"
        onClick={retryNow}
        className="font-medium text-accent hover:underline"
      >
        now
      </button>
    </>
  );
}
