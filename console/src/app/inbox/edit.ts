import type { Approval } from "../agents/agents.ts";

/** An argument of what is asked, as a reader may change it. */
export interface Field {
  readonly name: string;
  readonly text: string;
  /** A text of many lines, or JSON. */
  readonly isLong: boolean;
  readonly isText: boolean;
  readonly isFixed: boolean;
}

/** The arguments; of an e-mail only its subject and body can be changed. */
export function fieldsOf({ action, args }: Pick<Approval, "action" | "args">): Field[] {
  return Object.entries(args)
    .filter(([name]) => !(action === "send_email" && name === "drafted_by"))
    .map(([name, value]) => {
      const isText = typeof value === "string";
      const text = isText ? value : JSON.stringify(value, null, 2);
      return {
        name,
        text,
        isText,
        isLong: name === "body" || text.length > 80 || text.includes("\n"),
        isFixed: action === "send_email" && name !== "subject" && name !== "body",
      };
    });
}

/**
 * What differs from what was asked, as the server takes an edit.
 *
 * @throws Error with a sentence for the reader when a value that is no text is no JSON
 */
export function changesOf(
  fields: readonly Field[],
  written: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const { name, text, isText, isFixed } of fields) {
    const now = written[name] ?? text;
    if (!isFixed && now !== text) {
      changes[name] = isText ? now : parsed(name, now);
    }
  }
  return changes;
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${name} is no JSON: write a number, true, false, or text in quotes`);
  }
}

/** "send_email" as "Send email". */
export function titleOf(action: string): string {
  const words = action.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Which entry is next or before; the first when the one that was chosen is gone. */
export function neighbour(
  ids: readonly string[],
  chosen: string | null,
  by: 1 | -1,
): string | null {
  const at = chosen === null ? -1 : ids.indexOf(chosen);
  if (at < 0) {
    return ids[0] ?? null;
  }
  return ids[Math.min(ids.length - 1, Math.max(0, at + by))] ?? null;
}
