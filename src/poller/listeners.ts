import type { PollLogger } from "../operation/operation.ts";
import { isolate } from "./isolate.ts";

interface Entry<T> {
  readonly listener: (value: T) => unknown;
  wasCalled: boolean;
}

/** A set of listeners. An error that one throws is logged, and harms neither the wait nor another listener. */
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

  /** Adds a listener. It soon gets the latest value, unless a newer one comes first. Returns a function that unsubscribes. */
  add(listener: (value: T) => unknown, latest?: T): () => void {
    // An entry of its own: a listener that is added twice is called twice, and unsubscribes one at a time.
    const entry: Entry<T> = { listener, wasCalled: false };
    this.#listeners.add(entry);
    if (latest !== undefined) {
      queueMicrotask(() => {
        if (!entry.wasCalled && this.#listeners.has(entry)) this.#call(entry, latest);
      });
    }
    return () => void this.#listeners.delete(entry);
  }

  notify(value: T): void {
    // A copy: a listener may add another one, or unsubscribe one.
    for (const entry of Array.from(this.#listeners)) {
      if (this.#listeners.has(entry)) this.#call(entry, value);
    }
  }

  #call(entry: Entry<T>, value: T): void {
    entry.wasCalled = true;
    isolate(
      () => entry.listener(value),
      (error) => this.#logger.error("A listener failed; polling continues.", error),
    );
  }
}
