import { useLive } from "@lakemill/console/live";
import { Command } from "@lakemill/console/ui";

/** Why nothing comes, as long as nothing comes. */
export function Problem() {
  const problem = useLive((state) => state.problem);
  const connection = useLive((state) => state.connection);
  const hasData = useLive((state) => state.tables.size > 0);
  if (problem === null) {
    return null;
  }
  const lost = connection === "stale" ? "There are no news" : "The connection is lost";
  return (
    <div className="mb-4 rounded-card border border-line-strong bg-bad-tint px-4 py-3 sm:px-5">
      <p className="font-medium text-bad">
        {hasData ? `${lost}; below is what was last known.` : "There is no connection yet."}
      </p>
      <p className="text-sm break-words">{problem}</p>
      {!hasData && <Command>./lakemill demo</Command>}
    </div>
  );
}
