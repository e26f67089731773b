import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { DurationStore } from "./store.ts";

const maxDurationInMs = 10_000;
/** How long a store counts as failed. */
const pauseInMs = 300_000;

/** A failure of a store, and the clock's time until which it counts. */
interface Failure {
  readonly error: unknown;
  readonly until: number;
}

/** By the store: several histories may have the same. */
const failures = new WeakMap<DurationStore, Failure>();

/** A store whose calls all settle in time: one that hangs must not hang the wait. */
export class StoreInTime {
  readonly #store: DurationStore;
  readonly #clock: Clock;

  constructor(store: DurationStore, clock: Clock = systemClock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws the error of a failure in the last minutes: what can do without the store should not wait for it again */
  checkHealth(): void {
    const failure = failures.get(this.#store);
    if (failure && this.#clock.now() < failure.until) throw failure.error;
  }

  read(): Promise<string | undefined> {
    return this.#inTime("read", this.#store.read());
  }

  write(text: string): Promise<void> {
    return this.#inTime("write", this.#store.write(text));
  }

  async setAside(): Promise<string | undefined> {
    return this.#store.setAside && this.#inTime("setAside", this.#store.setAside());
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
      await this.#inTime("exclusively", Promise.race([started, whole]));
      await acting;
      return await this.#inTime("exclusively", whole);
    } finally {
      isAwaited = false;
    }
  }

  async #inTime<T>(method: string, result: Promise<T>): Promise<T> {
    try {
      return await inTime(this.#clock, `the store's ${method}()`, result);
    } catch (error) {
      failures.set(this.#store, { error, until: this.#clock.now() + pauseInMs });
      throw error;
    }
  }
}

/** @throws Error after 10 s, or what the promise rejects with */
export async function inTime<T>(clock: Clock, what: string, result: Promise<T>): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const late = new Error(`${what} did not settle within ${maxDurationInMs / 1000} s`);
  const cancel = clock.setTimer(() => reject(late), maxDurationInMs);
  try {
    return await Promise.race([result, timeout]);
  } finally {
    cancel();
  }
}
