import { Link } from "@tanstack/react-router";
import { APPROVALS, type Approval } from "./agents/agents.ts";
import { useAsked } from "./api.ts";

const LINK =
  "flex shrink-0 items-center gap-1.5 rounded-md px-2.5 py-1 whitespace-nowrap text-muted hover:text-ink";
const ACTIVE = { className: "bg-sunken font-medium text-ink" };

/** The console's pages, and how much waits for the reader. */
export function Links() {
  const { data } = useAsked<{ approvals: readonly Approval[] }>(APPROVALS, 5_000);
  const waiting = data?.approvals.length ?? 0;
  return (
    <>
      <Link to="/" className={LINK} activeProps={ACTIVE} activeOptions={{ exact: true }}>
        Overview
      </Link>
      <Link to="/agents" className={LINK} activeProps={ACTIVE}>
        Agents
      </Link>
      <Link to="/inbox" className={LINK} activeProps={ACTIVE}>
        Inbox
        {waiting > 0 && (
          <span className="rounded-full bg-warn-tint px-1.5 text-xs font-medium text-warn">
            {waiting}
            <span className="sr-only"> wait</span>
          </span>
        )}
      </Link>
      <Link to="/apps" className={LINK} activeProps={ACTIVE}>
        Apps
      </Link>
      <Link to="/models" className={LINK} activeProps={ACTIVE}>
        Models
      </Link>
    </>
  );
}
