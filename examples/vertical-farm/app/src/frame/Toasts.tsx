import { useNow } from "@lakemill/console/ui";
import { useEffect, useRef } from "react";
import { type Action, UNDO_MILLIS } from "./actions.ts";
import { Button } from "./Button.tsx";
import { actions, useActions } from "./useActions.ts";

/** What was just decided, and for a moment how to take it back. */
export function Toasts() {
  const shown = useActions();
  const section = useRef<HTMLElement>(null);
  useNow();
  // A button that goes away tells nobody that focus or pointer are no longer on it, so that is
  // looked for with every change and every tick.
  useEffect(() => {
    const place = section.current;
    if (!place?.matches(":hover") && !place?.contains(document.activeElement)) {
      actions.release();
    }
  });
  return (
    <section
      ref={section}
      aria-label="Decisions"
      aria-live="polite"
      onPointerEnter={() => actions.hold()}
      onPointerLeave={() => actions.release()}
      onFocus={() => actions.hold()}
      onBlur={() => actions.release()}
      className="fixed right-0 bottom-0 z-50 flex w-full flex-col gap-2 p-3 empty:hidden sm:w-[26rem]"
    >
      {shown.slice(-4).map((action) => (
        <Toast key={action.id} action={action} />
      ))}
    </section>
  );
}

function Toast({ action }: { action: Action }) {
  const { id, label, phase, message } = action;
  return (
    <div
      className={`relative overflow-hidden rounded-card border bg-surface px-4 py-3 shadow-[0_8px_24px_var(--shadow)] ${phase === "failed" ? "border-bad" : "border-line-strong"}`}
    >
      <div className="flex items-center justify-between gap-3">
        <p className="min-w-0 font-medium break-words">
          {phase === "failed" ? "Not done: " : ""}
          <bdi>{label}</bdi>
        </p>
        {phase === "waiting" && (
          <Button look="plain" keyHint="z" onClick={() => actions.undo(id)}>
            Undo
          </Button>
        )}
        {phase === "running" && <span className="text-sm text-muted">Sending…</span>}
        {phase === "done" && <span className="text-sm text-good">Done</span>}
      </div>
      {message !== "" && (
        <p className={`text-sm break-words ${phase === "failed" ? "text-bad" : "text-muted"}`}>
          <bdi>{message}</bdi>
        </p>
      )}
      {phase === "failed" && (
        <div className="flex gap-2 pt-2">
          <Button onClick={() => actions.retry(id)}>Try again</Button>
          <Button look="quiet" onClick={() => actions.dismiss(id)}>
            Dismiss
          </Button>
        </div>
      )}
      {phase === "waiting" && <Countdown dueMillis={action.dueMillis} />}
    </div>
  );
}

function Countdown({ dueMillis }: { dueMillis: number | null }) {
  const now = useNow();
  // The page's clock ticks once a second: it may not have ticked since the decision.
  const leftMillis = Math.min(UNDO_MILLIS, Math.max(0, (dueMillis ?? 0) - now));
  const share = dueMillis === null ? 1 : leftMillis / UNDO_MILLIS;
  return (
    <>
      <p className="text-sm text-muted" aria-hidden="true">
        {dueMillis === null
          ? "waits while you look here"
          : `in ${Math.max(1, Math.ceil(leftMillis / 1_000))} s`}
      </p>
      <div
        aria-hidden="true"
        className="absolute bottom-0 left-0 h-0.5 bg-accent"
        style={{ width: `${share * 100}%` }}
      />
    </>
  );
}
