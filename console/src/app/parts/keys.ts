import { useEffect, useRef } from "react";

/** What a key does; a page has few, and shows them on its buttons. */
export type Keys = Readonly<Record<string, () => void>>;

/** Whether a key belongs to what is being written, or to the browser. */
export function isTaken(event: KeyboardEvent): boolean {
  const target = event.target as Element | null;
  return (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    event.defaultPrevented ||
    target?.closest("input, textarea, select, [contenteditable], dialog, [role=radiogroup]") != null
  );
}

/** What a press does; a key that is held down is pressed once, unless `repeats`. */
export function actionOf(event: KeyboardEvent, keys: Keys, repeats: boolean) {
  return isTaken(event) || (event.repeat && !repeats) ? undefined : keys[event.key];
}

/**
 * Single keys for the whole page, as long as nothing is being written. Only keys that move may
 * repeat: what decides would decide again, of what nobody has read.
 */
export function useKeys(keys: Keys, repeats = false): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const action = actionOf(event, latest.current, repeats);
      if (action !== undefined) {
        event.preventDefault();
        action();
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [repeats]);
}
