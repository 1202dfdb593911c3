import { initialState, type LiveAction, type LiveState, reduce } from "./state.ts";

/**
 * Holds the live state and tells its listeners. News within one frame are told once, and a page
 * that is not visible gets no frames: it keeps up, but draws nothing.
 */
export class LiveStore {
  readonly #frame: (task: () => void) => void;
  readonly #listeners = new Set<() => void>();
  #state: LiveState = initialState;
  #told = true;

  constructor(frame: (task: () => void) => void) {
    this.#frame = frame;
  }

  readonly state = (): LiveState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly dispatch = (action: LiveAction): void => {
    const next = reduce(this.#state, action);
    if (next === this.#state) {
      return;
    }
    this.#state = next;
    if (this.#told) {
      this.#told = false;
      this.#frame(() => this.#tell());
    }
  };

  #tell(): void {
    this.#told = true;
    for (const listener of this.#listeners) {
      listener();
    }
  }
}
