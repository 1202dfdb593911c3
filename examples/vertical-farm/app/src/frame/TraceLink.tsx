import { Link } from "@tanstack/react-router";
import type { TraceKind } from "../api.ts";

interface TraceLinkProps {
  readonly kind: TraceKind;
  readonly id: string;
  /** What is traced, for those who do not see where the link stands. */
  readonly of: string;
  readonly className?: string;
}

/** "Where does this come from?" */
export function TraceLink({ kind, id, of, className = "" }: TraceLinkProps) {
  return (
    <Link
      to="/trace/$kind/$"
      params={{ kind, _splat: id }}
      aria-label={`Where does this come from: ${of}`}
      title="Where does this come from?"
      className={`inline-grid size-6 shrink-0 place-items-center rounded-md text-muted hover:bg-sunken hover:text-accent ${className}`}
    >
      <TraceIcon />
    </Link>
  );
}

/** A number's way back to where it began. */
export function TraceIcon() {
  return (
    <svg
      className="size-3.5"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d="M3.5 5v6M3.5 5a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM3.5 14.5a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM12.5 7a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM12.5 7c0 2.5-2 3-4.5 3.2-2 .2-4.5.5-4.5 2.3" />
    </svg>
  );
}
