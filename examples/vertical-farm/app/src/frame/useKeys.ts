import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { type Binding, step } from "./keys.ts";

/** After this long the first of two keys is forgotten. */
const PREFIX_MILLIS = 1_500;
const OFF_KEY = "lakemill-farm-keys";

interface Group {
  readonly title: string;
  readonly bindings: readonly Binding[];
}

/** The groups of the parts that are on the page, outermost first. */
const groups: { current: Group }[] = [];
const listeners = new Set<() => void>();
let prefix = "";
let forgetting: ReturnType<typeof setTimeout> | undefined;

export function shownGroups(): readonly Group[] {
  return groups.map(({ current }) => current).filter(({ bindings }) => bindings.length > 0);
}

/** Whether single keys do anything: people who speak to their computer can turn them off. */
function areOn(): boolean {
  try {
    return localStorage.getItem(OFF_KEY) !== "off";
  } catch {
    return true;
  }
}

export function useKeysOn(): readonly [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, areOn);
  return [on, turn];
}

function turn(on: boolean): void {
  try {
    localStorage.setItem(OFF_KEY, on ? "on" : "off");
  } catch {
    // Without storage the keys stay on.
  }
  for (const tell of listeners) {
    tell();
  }
}

/** Keys that work for as long as the part is on the page. */
export function useKeys(title: string, bindings: readonly Binding[]): void {
  const group = useRef<Group>({ title, bindings });
  useLayoutEffect(() => {
    group.current = { title, bindings };
  });
  useEffect(() => {
    groups.push(group);
    if (groups.length === 1) {
      window.addEventListener("keydown", press);
    }
    return () => {
      groups.splice(groups.indexOf(group), 1);
      if (groups.length === 0) {
        window.removeEventListener("keydown", press);
      }
    };
  }, []);
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || !areOn() || document.querySelector("dialog[open]") !== null) {
    return;
  }
  const bindings = groups.flatMap(({ current }) => current.bindings);
  const done = step(
    prefix,
    {
      key: event.key,
      repeat: event.repeat,
      modified: event.ctrlKey || event.metaKey || event.altKey,
      typing: isTyping(event.target),
    },
    bindings,
  );
  clearTimeout(forgetting);
  prefix = done.prefix;
  if (prefix !== "") {
    forgetting = setTimeout(() => {
      prefix = "";
    }, PREFIX_MILLIS);
  }
  if (done.binding !== null) {
    event.preventDefault();
    done.binding.run();
  }
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches("input:not([type=checkbox]), textarea, select") || target.isContentEditable)
  );
}
