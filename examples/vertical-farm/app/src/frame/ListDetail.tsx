import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "./Button.tsx";
import { kept, neighbour } from "./keys.ts";
import { useKeys } from "./useKeys.ts";

/**
 * What is chosen of a list that changes by itself: what the address names while it is there, else
 * what took its place. `ids` are in the order in which they are shown.
 */
export function useChosen(ids: readonly string[], named: string | undefined): string | null {
  const [seen, setSeen] = useState<{ ids: readonly string[]; chosen: string | null }>({
    ids,
    chosen: null,
  });
  const before = named !== undefined && seen.ids.includes(named) ? named : seen.chosen;
  const chosen =
    named !== undefined && ids.includes(named)
      ? named
      : (kept(seen.ids, ids, before) ?? ids[0] ?? null);
  if (seen.chosen !== chosen || seen.ids.join("\n") !== ids.join("\n")) {
    setSeen({ ids, chosen });
  }
  return chosen;
}

interface RowsProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly idOf: (row: T) => string;
  readonly chosen: string | null;
  readonly onChoose: (id: string, by: "key" | "press") => void;
  /** What stands in a row; it is all one button. */
  readonly children: (row: T) => ReactNode;
}

/** A list of which one is chosen, by press or by j and k. */
export function Rows<T>({ label, rows, idOf, chosen, onChoose, children }: RowsProps<T>) {
  const ids = rows.map(idOf);
  useListKeys(ids, chosen, (id) => onChoose(id, "key"));
  return (
    <ul aria-label={label}>
      {rows.map((row) => {
        const id = idOf(row);
        const isChosen = id === chosen;
        return (
          <li key={id} className="border-t border-line [contain-intrinsic-size:auto_4.5rem]">
            <button
              type="button"
              id={rowId(id)}
              aria-current={isChosen ? "true" : undefined}
              onClick={() => onChoose(id, "press")}
              className={`block w-full scroll-my-24 px-4 py-3 text-left -outline-offset-2 transition-colors hover:bg-sunken sm:px-5 ${isChosen ? "lg:bg-accent-tint/50 lg:shadow-[inset_3px_0_var(--accent)]" : ""}`}
            >
              {children(row)}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** Without spaces, which an id may not have. */
export function rowId(id: string): string {
  return `row-${encodeURIComponent(id)}`;
}

/** j and k choose the next and the one before; the focus goes along. */
export function useListKeys(
  ids: readonly string[],
  chosen: string | null,
  choose: (id: string) => void,
): void {
  const follows = useRef(false);
  useEffect(() => {
    if (follows.current && chosen !== null) {
      follows.current = false;
      document.getElementById(rowId(chosen))?.focus();
    }
  }, [chosen]);
  const go = (by: 1 | -1) => {
    const next = neighbour(ids, chosen, by);
    if (next !== null) {
      follows.current = next !== chosen;
      choose(next);
      if (next === chosen) {
        document.getElementById(rowId(next))?.focus();
      }
    }
  };
  useKeys("List", [
    { keys: "j", label: "Next", run: () => go(1), repeats: true },
    { keys: "k", label: "Before", run: () => go(-1), repeats: true },
  ]);
}

interface ListDetailProps {
  readonly list: ReactNode;
  readonly detail: ReactNode;
  /** On a narrow screen one of the two is shown: the detail once something was chosen. */
  readonly isOpen: boolean;
  readonly onBack: () => void;
}

export function ListDetail({ list, detail, isOpen, onBack }: ListDetailProps) {
  return (
    <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-12">
      <div
        className={`min-w-0 lg:sticky lg:top-20 lg:col-span-5 lg:max-h-[calc(100dvh-6.5rem)] lg:overflow-y-auto lg:rounded-card xl:col-span-4 ${isOpen ? "max-lg:hidden" : ""}`}
      >
        {list}
      </div>
      <div
        className={`flex min-w-0 flex-col gap-4 lg:col-span-7 xl:col-span-8 ${isOpen ? "" : "max-lg:hidden"}`}
      >
        <Button look="quiet" onClick={onBack} className="self-start lg:hidden">
          ← Back to the list
        </Button>
        {detail}
      </div>
    </div>
  );
}
