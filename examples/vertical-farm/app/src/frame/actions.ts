/** How long a decision can be taken back before it is sent. */
export const UNDO_MILLIS = 6_000;
/** How long it is told that an action is done. */
const TOLD_MILLIS = 4_000;
/** Failures that nobody looked at are forgotten beyond this, oldest first. */
const ACTIONS_MAX = 20;

/**
 * - waiting: can be taken back; sent at `dueMillis`, which is null while somebody looks at it
 * - running: sent, not answered
 * - done, failed: answered
 */
export type Phase = "waiting" | "running" | "done" | "failed";

export interface Action {
  readonly id: number;
  /** What it decides, so that the place where that stands shows that it is being decided. */
  readonly key: string;
  readonly label: string;
  readonly phase: Phase;
  /** What the server said; empty as long as it said nothing. */
  readonly message: string;
  readonly dueMillis: number | null;
}

export interface Planned {
  readonly key: string;
  readonly label: string;
  /** 0 sends it at once. */
  readonly undoMillis: number;
  /** Sends it; its answer is what is told. Rejects with an Error. */
  readonly send: () => Promise<string>;
}

/** What the store needs of the world, so that a test can stand in for it. */
export interface Clock {
  nowMillis(): number;
  schedule(task: () => void, delayMillis: number): unknown;
  cancel(scheduled: unknown): void;
}

/**
 * What people have decided on this page and what became of it. There is one action for a key at a
 * time: what is decided already cannot be decided a second time by another key press.
 */
export class ActionStore {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  readonly #plans = new Map<number, { plan: Planned; timer: unknown }>();
  #actions: readonly Action[] = [];
  #nextId = 1;
  /** Only while something waits: nobody may be there to tell that a place that is gone is left. */
  #held = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly state = (): readonly Action[] => this.#actions;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Plans an action; false when one with the same key is under way. */
  start(plan: Planned): boolean {
    const under = this.#actions.find(({ key }) => key === plan.key);
    if (under !== undefined && under.phase !== "failed") {
      return false;
    }
    const id = this.#nextId++;
    const others = this.#actions.filter(({ key }) => key !== plan.key);
    this.#set([
      ...others.slice(1 - ACTIONS_MAX),
      { id, key: plan.key, label: plan.label, phase: "waiting", message: "", dueMillis: null },
    ]);
    this.#plans.set(id, { plan, timer: null });
    if (plan.undoMillis > 0) {
      this.#wait(id);
    } else {
      void this.#send(id);
    }
    return true;
  }

  /** Takes back an action, or the newest one, that still waits. */
  undo(id?: number): boolean {
    const action = this.#actions.findLast(
      (one) => one.phase === "waiting" && (id === undefined || one.id === id),
    );
    if (action === undefined) {
      return false;
    }
    this.#forget(action.id);
    return true;
  }

  retry(id: number): void {
    if (this.#actions.some((one) => one.id === id && one.phase === "failed")) {
      void this.#send(id);
    }
  }

  dismiss(id: number): void {
    if (this.#actions.some((one) => one.id === id && one.phase !== "running")) {
      this.#forget(id);
    }
  }

  /** While somebody reads what waits, nothing of it is sent. */
  hold(): void {
    const waiting = this.#waiting();
    this.#held = waiting.length > 0;
    for (const { id } of waiting) {
      this.#clock.cancel(this.#plans.get(id)!.timer);
      this.#change(id, { dueMillis: null });
    }
  }

  /** What waits has its whole time again. */
  release(): void {
    if (!this.#held) {
      return;
    }
    this.#held = false;
    for (const { id } of this.#waiting()) {
      this.#wait(id);
    }
  }

  /** Sends at once what waits: the page is about to go. */
  flush(): void {
    for (const { id } of this.#waiting()) {
      this.#clock.cancel(this.#plans.get(id)!.timer);
      void this.#send(id);
    }
  }

  #waiting(): Action[] {
    return this.#actions.filter(({ phase }) => phase === "waiting");
  }

  #wait(id: number): void {
    const planned = this.#plans.get(id)!;
    if (this.#held) {
      return;
    }
    const { undoMillis } = planned.plan;
    planned.timer = this.#clock.schedule(() => void this.#send(id), undoMillis);
    this.#change(id, { dueMillis: this.#clock.nowMillis() + undoMillis });
  }

  async #send(id: number): Promise<void> {
    const { plan } = this.#plans.get(id)!;
    this.#change(id, { phase: "running", message: "", dueMillis: null });
    try {
      const message = await plan.send();
      this.#change(id, { phase: "done", message });
      this.#clock.schedule(() => this.#forget(id), TOLD_MILLIS);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#change(id, { phase: "failed", message });
    }
  }

  #forget(id: number): void {
    this.#clock.cancel(this.#plans.get(id)?.timer);
    this.#plans.delete(id);
    this.#set(this.#actions.filter((one) => one.id !== id));
  }

  #change(id: number, change: Partial<Action>): void {
    this.#set(this.#actions.map((one) => (one.id === id ? { ...one, ...change } : one)));
  }

  #set(actions: readonly Action[]): void {
    this.#actions = actions;
    this.#held &&= this.#waiting().length > 0;
    for (const tell of this.#listeners) {
      tell();
    }
  }
}
