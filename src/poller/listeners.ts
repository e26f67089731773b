import type { PollLogger } from "../operation/operation.ts";

interface Entry<T> {
  readonly listener: (value: T) => unknown;
  isTold: boolean;
}

/** Listeners of which none can harm the wait or another listener. */
export class Listeners<T> {
  readonly #listeners = new Set<Entry<T>>();
  readonly #logger: PollLogger;

  constructor(logger: PollLogger, first?: (value: T) => unknown) {
    this.#logger = logger;
    if (first) this.add(first);
  }

  get hasAny(): boolean {
    return this.#listeners.size > 0;
  }

  /** Tells soon what is known already, unless there is newer to tell by then. Returns the way out. */
  add(listener: (value: T) => unknown, latest?: T): () => void {
    // An entry of its own, so that one that is added twice is called twice, and leaves one at a time.
    const entry: Entry<T> = { listener, isTold: false };
    this.#listeners.add(entry);
    if (latest !== undefined) {
      queueMicrotask(() => {
        if (!entry.isTold && this.#listeners.has(entry)) this.#call(entry, latest);
      });
    }
    return () => {
      this.#listeners.delete(entry);
    };
  }

  notify(value: T): void {
    // A copy, because a listener may add another one; and it may send one away.
    for (const entry of Array.from(this.#listeners)) {
      if (this.#listeners.has(entry)) this.#call(entry, value);
    }
  }

  #call(entry: Entry<T>, value: T): void {
    entry.isTold = true;
    try {
      Promise.resolve(entry.listener(value)).catch((error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    try {
      this.#logger.error("A listener failed; the wait goes on.", error);
    } catch {
      // There is nobody left to tell.
    }
  }
}
