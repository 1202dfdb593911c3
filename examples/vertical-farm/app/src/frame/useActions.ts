import { useEffect, useSyncExternalStore } from "react";
import { type Action, ActionStore } from "./actions.ts";

/** What people have decided on this page; there is one page, so there is one of it. */
export const actions = new ActionStore({
  nowMillis: () => Date.now(),
  schedule: (task, delayMillis) => setTimeout(task, delayMillis),
  cancel: (scheduled) => clearTimeout(scheduled as ReturnType<typeof setTimeout>),
});

export function useActions(): readonly Action[] {
  return useSyncExternalStore(actions.subscribe, actions.state);
}

/** What is under way for a key; failures are told elsewhere. */
export function useAction(key: string): Action | undefined {
  return useActions().find((one) => one.key === key && one.phase !== "failed");
}

/** What waits is sent before the page goes. */
export function useFlushOnLeave(): void {
  useEffect(() => {
    const flush = () => actions.flush();
    window.addEventListener("pagehide", flush);
    return () => window.removeEventListener("pagehide", flush);
  }, []);
}
