import { describe, expect, it } from "vitest";
import { ActionStore, type Clock, UNDO_MILLIS } from "./actions.ts";

/** A clock that a test turns. */
class HandClock implements Clock {
  #now = 0;
  #tasks: { task: () => void; atMillis: number }[] = [];

  nowMillis = () => this.#now;

  schedule(task: () => void, delayMillis: number) {
    const planned = { task, atMillis: this.#now + delayMillis };
    this.#tasks.push(planned);
    return planned;
  }

  cancel(scheduled: unknown) {
    this.#tasks = this.#tasks.filter((one) => one !== scheduled);
  }

  async pass(millis: number) {
    this.#now += millis;
    const due = this.#tasks.filter(({ atMillis }) => atMillis <= this.#now);
    this.#tasks = this.#tasks.filter(({ atMillis }) => atMillis > this.#now);
    for (const { task } of due) {
      task();
    }
    await Promise.resolve();
    await Promise.resolve();
  }
}

function made() {
  const clock = new HandClock();
  const sent: string[] = [];
  const store = new ActionStore(clock);
  const accept = (key: string, undoMillis = UNDO_MILLIS) =>
    store.start({
      key,
      label: `Accept ${key}`,
      undoMillis,
      send: async () => {
        sent.push(key);
        return "accepted";
      },
    });
  const phases = () => store.state().map(({ key, phase }) => `${key} ${phase}`);
  return { clock, sent, store, accept, phases };
}

describe("ActionStore", () => {
  it("sends a decision only when it can no longer be taken back, and tells the answer", async () => {
    const { clock, sent, store, accept, phases } = made();
    accept("a");
    await clock.pass(UNDO_MILLIS - 1);
    expect([sent, phases()]).toEqual([[], ["a waiting"]]);
    await clock.pass(1);
    expect([sent, phases()]).toEqual([["a"], ["a done"]]);
    expect(store.state()[0]?.message).toBe("accepted");
    await clock.pass(10_000);
    expect(phases()).toEqual([]);
  });

  it("never sends what was taken back", async () => {
    const { clock, sent, store, accept, phases } = made();
    accept("a");
    accept("b");
    expect(store.undo()).toBe(true);
    await clock.pass(UNDO_MILLIS);
    expect([sent, phases()]).toEqual([["a"], ["a done"]]);
    expect(store.undo()).toBe(false);
  });

  it("decides nothing twice", async () => {
    const { clock, sent, accept } = made();
    expect([accept("a"), accept("a")]).toEqual([true, false]);
    await clock.pass(UNDO_MILLIS);
    expect(accept("a")).toBe(false);
    expect(sent).toEqual(["a"]);
  });

  it("waits while somebody reads, and then gives the whole time again", async () => {
    const { clock, sent, store, accept } = made();
    accept("a");
    store.hold();
    accept("b");
    await clock.pass(10 * UNDO_MILLIS);
    expect([sent, store.state().map((one) => one.dueMillis)]).toEqual([[], [null, null]]);
    store.release();
    await clock.pass(UNDO_MILLIS - 1);
    expect(sent).toEqual([]);
    await clock.pass(1);
    expect(sent).toEqual(["a", "b"]);
  });

  it("is held by nobody once nothing waits", async () => {
    const { clock, sent, store, accept } = made();
    store.hold();
    accept("a");
    await clock.pass(UNDO_MILLIS);
    expect(sent).toEqual(["a"]);
    accept("b");
    store.hold();
    store.undo();
    accept("c");
    await clock.pass(UNDO_MILLIS);
    expect(sent).toEqual(["a", "c"]);
  });

  it("sends once what was let go twice", async () => {
    const { clock, sent, store, accept } = made();
    accept("a");
    store.hold();
    store.release();
    store.release();
    await clock.pass(UNDO_MILLIS);
    expect(sent).toEqual(["a"]);
  });

  it("sends at once what waits when the page goes", async () => {
    const { clock, sent, store, accept } = made();
    accept("a");
    store.flush();
    await clock.pass(UNDO_MILLIS);
    expect(sent).toEqual(["a"]);
  });

  it("keeps a failure until it is looked at, and tries again when told to", async () => {
    const { clock, store, phases } = made();
    const answers = [new Error("decided already"), null];
    const plan = {
      key: "a",
      label: "Accept a",
      undoMillis: 0,
      send: async () => {
        const error = answers.shift();
        if (error) {
          throw error;
        }
        return "accepted";
      },
    };
    store.start(plan);
    await clock.pass(60_000);
    expect(store.state()[0]).toMatchObject({ phase: "failed", message: "decided already" });
    store.retry(store.state()[0]!.id);
    await clock.pass(0);
    expect(phases()).toEqual(["a done"]);
  });

  it("lets a failed decision be taken anew", async () => {
    const { clock, store, accept, phases } = made();
    store.start({
      key: "a",
      label: "Accept a",
      undoMillis: 0,
      send: () => Promise.reject(new Error("no")),
    });
    await clock.pass(0);
    await clock.pass(0);
    expect(phases()).toEqual(["a failed"]);
    expect(accept("a")).toBe(true);
    expect(phases()).toEqual(["a waiting"]);
  });
});
