import { formatDuration } from "../ui/index.ts";
import { useStatus } from "./status.ts";

/** Whether the server answers and is ready; a change of it, and nothing else, is read out. */
export function ServerState() {
  const { data, isError, isPending } = useStatus();
  const [label, tone, dot] = isError
    ? ["No answer", "text-bad", ""]
    : isPending
      ? ["Asking", "text-muted", ""]
      : data.ready
        ? ["Ready", "text-good", "pulse"]
        : ["Not ready", "text-warn", ""];
  return (
    <div className="flex h-8 items-center gap-2 rounded-full border border-line bg-surface px-3 text-sm">
      <span aria-hidden="true" className={`size-2 rounded-full bg-current ${tone} ${dot}`} />
      <span role="status" className={`font-medium ${tone}`}>
        {label}
      </span>
      {data && !isError && (
        <span className="text-muted max-sm:hidden">
          up {formatDuration(data.uptime_seconds * 1_000)}
        </span>
      )}
    </div>
  );
}
