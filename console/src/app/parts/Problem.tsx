import type { ApiError, Doing } from "../api.ts";

/** Why something is not as it should be, in the server's words. */
export function Problem({ title, children }: { title: string; children: string }) {
  return (
    <div
      role="alert"
      className="mb-4 rounded-card border border-line-strong bg-bad-tint px-5 py-3 text-bad"
    >
      <p className="font-medium">{title}</p>
      <p className="text-sm break-words text-ink">{children}</p>
    </div>
  );
}

/** The failure of what a page asks for; what it knew stays below. */
export function AskProblem({ error }: { error: ApiError | null }) {
  return error === null ? null : (
    <Problem title="This cannot be told just now; below is what was last known.">
      {error.message}
    </Problem>
  );
}

/** How the last thing that a reader did went; read out. */
export function DoneLine({ doing, className = "" }: { doing: Doing; className?: string }) {
  return (
    <p
      role="status"
      className={`min-h-5 text-sm break-words ${doing.problem ? "text-bad" : "text-good"} ${className}`}
    >
      {doing.problem?.message ?? doing.done ?? ""}
    </p>
  );
}
