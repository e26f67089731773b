import { systemClock } from "../clock.ts";
import type { DurationStore } from "./store.ts";

const limitInMs = 10_000;

/** A store of which every call settles: one that hangs must not hang the wait. */
export class StoreInTime {
  readonly #store: DurationStore;

  constructor(store: DurationStore) {
    this.#store = store;
  }

  read(): Promise<string | undefined> {
    return inTime("read", this.#store.read());
  }

  write(text: string): Promise<void> {
    return inTime("write", this.#store.write(text));
  }

  async setAside(): Promise<string | undefined> {
    return this.#store.setAside && inTime("setAside", this.#store.setAside());
  }

  /** Limits how long the store takes before the action and after it; the action has limits of its own. */
  async exclusively<T>(action: () => Promise<T>): Promise<T> {
    if (!this.#store.exclusively) return action();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    let acting: Promise<unknown> = Promise.resolve();
    let isAwaited = true;
    const whole = this.#store.exclusively(async () => {
      // What was given up must not happen behind the back of whoever was told so.
      if (!isAwaited) throw new Error("too late");
      const result = action();
      acting = result.catch(() => {});
      begin();
      return result;
    });
    try {
      await inTime("exclusively", Promise.race([begun, whole]));
      await acting;
      return await inTime("exclusively", whole);
    } finally {
      isAwaited = false;
    }
  }
}

async function inTime<T>(call: string, result: Promise<T>): Promise<T> {
  const { promise: limit, reject } = Promise.withResolvers<never>();
  const tooLate = new Error(`the store's ${call} did not come to an end within ${limitInMs / 1000} s`);
  const cancel = systemClock.setTimer(() => reject(tooLate), limitInMs);
  try {
    return await Promise.race([result, limit]);
  } finally {
    cancel();
  }
}
