import { parseSyncEvent, parseTableEvent } from "./events.ts";
import { type LiveAction, STALE_AFTER_MILLIS } from "./state.ts";

/** A connection that says nothing for this long is taken for dead, though nobody closed it. */
const SILENCE_MAX_MILLIS = 30_000;
/** How often the server is asked why it says nothing. */
const EXPLAIN_EVERY_MILLIS = 5_000;
const BACK_OFF_MIN_MILLIS = 500;
const BACK_OFF_MAX_MILLIS = 15_000;
const TICK_MILLIS = 1_000;

/** The part of an EventSource that is used here. */
export interface Source {
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

/** What a connection needs of the world, so that a test can stand in for it. */
export interface World {
  open(url: string): Source;
  /**
   * Asks the server why it tells nothing, or why it refused `url`; null when there is no reason.
   */
  explain(url: string | null): Promise<string | null>;
  nowMillis(): number;
  random(): number;
  schedule(task: () => void, delayMillis: number): unknown;
  cancel(scheduled: unknown): void;
}

/**
 * Keeps one event stream open. The browser's own reconnection is not used, because it gives up on
 * any answer but 200 and knows no back-off: after every error the source is closed and a new one
 * opened later. At any time there is at most one source and at most one planned attempt.
 */
export class LiveConnection {
  readonly #url: string;
  readonly #dispatch: (action: LiveAction) => void;
  readonly #world: World;
  #source: Source | null = null;
  #planned: unknown = null;
  #ticking: unknown = null;
  #failures = 0;
  #heardMillis = 0;
  #askedMillis = 0;

  constructor(url: string, dispatch: (action: LiveAction) => void, world: World) {
    this.#url = url;
    this.#dispatch = dispatch;
    this.#world = world;
  }

  start(): void {
    this.#open();
    this.#tick();
  }

  /** Opens at once instead of waiting for the back-off to pass, if it is waiting. */
  retryNow(): void {
    if (this.#planned !== null) {
      this.#open();
    }
  }

  close(): void {
    this.#drop();
    this.#world.cancel(this.#ticking);
  }

  #open(): void {
    this.#drop();
    const source = this.#world.open(this.#url);
    this.#source = source;
    this.#heardMillis = this.#world.nowMillis();
    source.addEventListener("open", () => {
      this.#heard();
      this.#dispatch({ type: "opened", atMillis: this.#heardMillis });
    });
    source.addEventListener("table", ({ data }) => {
      this.#heard();
      const event = parseTableEvent(data);
      if (event !== undefined) {
        this.#dispatch({ type: "table", atMillis: this.#heardMillis, event });
      }
    });
    source.addEventListener("sync", ({ data }) => {
      this.#heard();
      const event = parseSyncEvent(data);
      if (event !== undefined) {
        this.#dispatch({ type: "sync", atMillis: this.#heardMillis, event });
      }
    });
    source.addEventListener("error", () => this.#lost());
  }

  #heard(): void {
    this.#failures = 0;
    this.#heardMillis = this.#world.nowMillis();
  }

  #lost(): void {
    this.#drop();
    const retryInMillis = backOffMillis(this.#failures, this.#world.random());
    this.#failures += 1;
    this.#dispatch({ type: "lost", atMillis: this.#world.nowMillis(), retryInMillis });
    this.#planned = this.#world.schedule(() => this.#open(), retryInMillis);
    this.#explain(this.#url);
  }

  #explain(url: string | null): void {
    this.#askedMillis = this.#world.nowMillis();
    void this.#world.explain(url).then((problem) => this.#dispatch({ type: "explained", problem }));
  }

  #drop(): void {
    this.#source?.close();
    this.#source = null;
    this.#world.cancel(this.#planned);
    this.#planned = null;
  }

  #tick(): void {
    const atMillis = this.#world.nowMillis();
    const silentMillis = this.#source === null ? 0 : atMillis - this.#heardMillis;
    this.#dispatch({ type: "tick", atMillis });
    if (silentMillis >= SILENCE_MAX_MILLIS) {
      this.#lost();
    } else if (
      silentMillis >= STALE_AFTER_MILLIS &&
      atMillis - this.#askedMillis >= EXPLAIN_EVERY_MILLIS
    ) {
      this.#explain(null);
    }
    this.#ticking = this.#world.schedule(() => this.#tick(), TICK_MILLIS);
  }
}

/**
 * How long to wait before the next attempt: doubled with each failure up to a limit, and between
 * half and all of that, so that many pages do not come back at one moment.
 */
export function backOffMillis(failures: number, random: number): number {
  const whole = Math.min(BACK_OFF_MAX_MILLIS, BACK_OFF_MIN_MILLIS * 2 ** failures);
  return Math.round((whole * (1 + random)) / 2);
}
