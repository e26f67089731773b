import { systemClock } from "../clock.ts";
import type { DurationStore } from "./store.ts";

const maxDurationInMs = 10_000;

/** A store whose calls all settle in time: one that hangs must not hang the wait. */
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

  /** Limits how long the store takes before and after the action, which has limits of its own. */
  async exclusively<T>(action: () => Promise<T>): Promise<T> {
    if (!this.#store.exclusively) return action();
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    let acting: Promise<unknown> = Promise.resolve();
    let isAwaited = true;
    const whole = this.#store.exclusively(async () => {
      // After the call has rejected, the action must not happen behind the caller's back.
      if (!isAwaited) throw new Error("the call of exclusively() has timed out");
      const result = action();
      acting = result.catch(() => {});
      start();
      return result;
    });
    try {
      await inTime("exclusively", Promise.race([started, whole]));
      await acting;
      return await inTime("exclusively", whole);
    } finally {
      isAwaited = false;
    }
  }
}

async function inTime<T>(method: string, result: Promise<T>): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const error = new Error(`the store's ${method}() did not settle within ${maxDurationInMs / 1000} s`);
  const cancel = systemClock.setTimer(() => reject(error), maxDurationInMs);
  try {
    return await Promise.race([result, timeout]);
  } finally {
    cancel();
  }
}
