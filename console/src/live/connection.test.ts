import { describe, expect, it } from "vitest";
import { backOffMillis, LiveConnection, type Source, type World } from "./connection.ts";
import { initialState, type LiveState, reduce } from "./state.ts";

/** A stream of events that a test sends by hand. */
class HandSource implements Source {
  closed = false;
  readonly #listeners = new Map<string, (event: MessageEvent<string>) => void>();

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.#listeners.set(type, listener);
  }

  close(): void {
    this.closed = true;
  }

  send(type: string, data = ""): void {
    this.#listeners.get(type)?.({ data } as MessageEvent<string>);
  }
}

/** A world with a clock that a test turns. */
class HandWorld implements World {
  readonly sources: HandSource[] = [];
  problem: string | null = null;
  asked = 0;
  #now = 0;
  #tasks: { task: () => void; atMillis: number }[] = [];

  open(): Source {
    const source = new HandSource();
    this.sources.push(source);
    return source;
  }

  explain(): Promise<string | null> {
    this.asked += 1;
    return Promise.resolve(this.problem);
  }

  nowMillis(): number {
    return this.#now;
  }

  random(): number {
    return 1;
  }

  schedule(task: () => void, delayMillis: number): unknown {
    const planned = { task, atMillis: this.#now + delayMillis };
    this.#tasks.push(planned);
    return planned;
  }

  cancel(scheduled: unknown): void {
    this.#tasks = this.#tasks.filter((planned) => planned !== scheduled);
  }

  pass(millis: number): void {
    const end = this.#now + millis;
    for (;;) {
      const next = this.#tasks
        .filter((planned) => planned.atMillis <= end)
        .sort((a, b) => a.atMillis - b.atMillis)[0];
      if (next === undefined) {
        break;
      }
      this.cancel(next);
      this.#now = next.atMillis;
      next.task();
    }
    this.#now = end;
  }

  get planned(): number {
    return this.#tasks.length;
  }

  get source(): HandSource {
    return this.sources.at(-1)!;
  }

  get openCount(): number {
    return this.sources.filter((source) => !source.closed).length;
  }
}

function start() {
  const world = new HandWorld();
  let state: LiveState = initialState;
  const connection = new LiveConnection(
    "/api/live",
    (action) => {
      state = reduce(state, action);
    },
    world,
  );
  connection.start();
  return { world, connection, state: () => state };
}

describe("LiveConnection", () => {
  it("passes on what the server tells", () => {
    const { world, state } = start();
    world.source.send("open");
    world.source.send("table", '{"table":"serving.a","columns":["x"],"rows":[[1]],"batch":3}');
    world.source.send("sync", '{"pipeline":"farm","batch":3,"rows_per_second":2000}');
    expect(state().connection).toBe("live");
    expect(state().tables.get("serving.a")?.rows).toEqual([[1]]);
    expect(state().sync?.rowsPerSecond).toBe(2_000);
  });

  it("survives an event that it cannot read", () => {
    const { world, state } = start();
    world.source.send("open");
    world.source.send("table", "{");
    world.source.send("sync", "null");
    expect(state()).toMatchObject({ connection: "live", sync: null });
  });

  it("waits twice as long after each failure, and no longer than the limit", () => {
    const { world } = start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      const opened = world.sources.length;
      world.source.send("error");
      let waited = 0;
      while (world.sources.length === opened) {
        world.pass(500);
        waited += 500;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  it("starts the back-off anew once it has heard something", () => {
    const { world, state } = start();
    world.source.send("error");
    world.pass(500);
    world.source.send("error");
    world.pass(1_000);
    world.source.send("open");
    world.source.send("error");
    expect(state().retryAtMillis).toBe(world.nowMillis() + 500);
  });

  it("never has two sources open", () => {
    const { world, connection } = start();
    world.source.send("error");
    expect(world.openCount).toBe(0);
    connection.retryNow();
    world.pass(60_000);
    world.source.send("open");
    expect(world.openCount).toBe(1);
  });

  it("does not retry now when it is not waiting", () => {
    const { world, connection } = start();
    connection.retryNow();
    expect(world.sources).toHaveLength(1);
  });

  it("is stale after five seconds of silence and tries anew after thirty", () => {
    const { world, state } = start();
    world.source.send("open");
    world.pass(5_000);
    expect(state().connection).toBe("stale");
    expect(world.sources).toHaveLength(1);
    world.pass(25_500);
    expect(world.sources[0]!.closed).toBe(true);
    expect(world.sources).toHaveLength(2);
  });

  it("tells why it was refused", async () => {
    const { world, state } = start();
    world.problem = "no synced table serving.a";
    world.source.send("error");
    await Promise.resolve();
    expect(state().problem).toBe("no synced table serving.a");
  });

  it("asks every five seconds why it hears nothing, and no more once it hears again", async () => {
    const { world, state } = start();
    world.source.send("open");
    world.problem = "pipeline farm: no column x";
    world.pass(4_000);
    expect(world.asked).toBe(0);
    world.pass(7_000);
    expect(world.asked).toBe(2);
    await Promise.resolve();
    expect(state()).toMatchObject({ connection: "stale", problem: "pipeline farm: no column x" });
    world.source.send("sync", '{"pipeline":"farm","batch":3}');
    expect(state().problem).toBeNull();
    world.pass(4_000);
    expect(world.asked).toBe(2);
  });

  it("leaves nothing behind when it is closed", () => {
    const { world, connection } = start();
    world.source.send("error");
    connection.close();
    expect(world.openCount).toBe(0);
    expect(world.planned).toBe(0);
  });
});

describe("backOffMillis", () => {
  it("lies between half and all of the wait", () => {
    expect(backOffMillis(0, 0)).toBe(250);
    expect(backOffMillis(0, 1)).toBe(500);
    expect(backOffMillis(30, 0)).toBe(7_500);
    expect(backOffMillis(30, 1)).toBe(15_000);
  });
});
