import { useState } from "react";

/** A value that changes more often than this moves visibly by itself, and is not tinted as well. */
const QUIET_MILLIS = 2_000;

/** Text that is tinted for a moment when it changes after having been quiet. */
export function Flash({ children }: { children: string }) {
  const [seen, setSeen] = useState({ text: children, turn: 0, changedMillis: 0 });
  if (seen.text !== children) {
    const now = performance.now();
    const wasQuiet = now - seen.changedMillis > QUIET_MILLIS;
    setSeen({ text: children, turn: wasQuiet ? seen.turn + 1 : seen.turn, changedMillis: now });
  }
  return (
    <span className="flash" data-turn={seen.turn === 0 ? undefined : seen.turn % 2}>
      {children}
    </span>
  );
}
