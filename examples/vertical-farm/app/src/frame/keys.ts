/* Which key does what. Nothing here touches the browser. */

export interface Binding {
  /** A key as the browser names it, or two with a space between: "j", "?", "g n". */
  readonly keys: string;
  readonly label: string;
  readonly run: () => void;
  /** Whether a key that is held down does it again and again. */
  readonly repeats?: boolean;
}

/** The part of a keyboard event that is looked at. */
export interface Press {
  readonly key: string;
  readonly repeat: boolean;
  /** Whether Ctrl, Alt or Meta is down; Shift only makes another key of it. */
  readonly modified: boolean;
  /** Whether something is typed into. */
  readonly typing: boolean;
}

export interface Step {
  /** What the next press may complete; empty for nothing. */
  readonly prefix: string;
  readonly binding: Binding | null;
}

const NOTHING: Step = { prefix: "", binding: null };

/** What a press does after `prefix`; where two bindings have the same keys, the last one counts. */
export function step(prefix: string, press: Press, bindings: readonly Binding[]): Step {
  if (press.modified || press.typing) {
    return NOTHING;
  }
  const typed = prefix === "" ? press.key : `${prefix} ${press.key}`;
  const binding = bindings.findLast(({ keys }) => keys === typed) ?? null;
  if (binding !== null) {
    return press.repeat && binding.repeats !== true ? NOTHING : { prefix: "", binding };
  }
  if (bindings.some(({ keys }) => keys.startsWith(`${typed} `))) {
    return { prefix: typed, binding: null };
  }
  // A key that completes nothing begins anew, so that "g j" still moves down.
  return prefix === "" ? NOTHING : step("", press, bindings);
}

/** The key before or after the chosen one, as far as there is one. */
export function neighbour<T>(all: readonly T[], chosen: T | null, by: 1 | -1): T | null {
  const at = chosen === null ? -1 : all.indexOf(chosen);
  if (at < 0) {
    return all[0] ?? null;
  }
  return all[Math.min(all.length - 1, Math.max(0, at + by))] ?? null;
}

/**
 * What is chosen once the list has changed: the same while it is there, else what followed it, else
 * what came before it.
 */
export function kept<T>(before: readonly T[], now: readonly T[], chosen: T | null): T | null {
  if (chosen === null || now.includes(chosen)) {
    return chosen;
  }
  const at = before.indexOf(chosen);
  const following = before.slice(at + 1).find((one) => now.includes(one));
  const preceding = before.slice(0, Math.max(0, at)).findLast((one) => now.includes(one));
  return following ?? preceding ?? now[0] ?? null;
}
