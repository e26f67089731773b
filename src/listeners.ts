import type { PollLogger } from "./operation.ts";

/** Listeners of which none can harm the wait or another listener. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => unknown>();
  readonly #logger: PollLogger;

  constructor(logger: PollLogger, first?: (value: T) => unknown) {
    this.#logger = logger;
    if (first) this.add(first);
  }

  /** Returns the way out. */
  add(listener: (value: T) => unknown): () => void {
    // A function of its own, so that one that is added twice is called twice, and leaves one at a time.
    const entry = (value: T): unknown => listener(value);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  notify(value: T): void {
    // A copy, because a listener may add another one.
    for (const listener of Array.from(this.#listeners)) this.call(listener, value);
  }

  call(listener: (value: T) => unknown, value: T): void {
    try {
      Promise.resolve(listener(value)).catch((error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#logger.error("A listener failed; the wait goes on.", error);
  }
}
