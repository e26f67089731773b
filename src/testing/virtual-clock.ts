import { setImmediate as nextMacrotask } from "node:timers/promises";
import type { Clock } from "../index.ts";
import { checkFunction, checkNumber } from "./validation.ts";

/**
 * A `Clock` whose time passes only when a test advances it, so that hours take milliseconds.
 *
 * It does not wait for sockets. Use it for operations that need none, such as those of `scriptedOperation`.
 */
export interface VirtualClock extends Clock {
  /** Timers that have neither fired nor been canceled: 0 when no wait is left. */
  readonly pendingTimers: number;
  /**
   * Lets `durationInMs` milliseconds pass. Due timers fire in order, each at its own time, also those set meanwhile. The
   * promises that a callback settles run before the next timer fires.
   *
   * @throws RangeError if the duration is negative or not finite
   */
  advance(durationInMs: number): Promise<void>;
  /**
   * Jumps from timer to timer until the promise settles, and settles as it does.
   *
   * @throws Error if the promise is pending when no timer is left, or after a million timers
   */
  runUntilSettled<T>(promise: Promise<T>): Promise<T>;
}

/**
 * Creates a clock whose `now()` is 0 and whose date is 1 January 2025 in UTC.
 *
 * @example
 * ```ts
 * const clock = createVirtualClock();
 * const result = await clock.runUntilSettled(pollUntilDone(operation, { clock }));
 * ```
 */
export function createVirtualClock(): VirtualClock {
  return new SteppedClock();
}

const firstTimestamp = Date.UTC(2025, 0, 1);

/** Limits a wait for an operation that never ends: it fails in seconds, in place of hanging. */
const maxTimersFired = 1_000_000;

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

class SteppedClock implements VirtualClock {
  #now = 0;
  #timersSet = 0;
  /** Sorted by the time they are due, then by the order in which they were set. */
  readonly #timers: Timer[] = [];

  get pendingTimers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  timestamp(): number {
    return firstTimestamp + this.#now;
  }

  setTimer(callback: () => void, delayInMs: number): () => void {
    checkFunction("callback", callback);
    if (Number.isNaN(delayInMs)) throw new RangeError("delayInMs: expected milliseconds, got NaN");
    const timer = { dueAt: this.#now + Math.max(0, delayInMs), order: this.#timersSet++, callback };
    this.#timers.splice(this.#placeOf(timer), 0, timer);
    return () => {
      const place = this.#placeOf(timer);
      if (this.#timers[place] === timer) this.#timers.splice(place, 1);
    };
  }

  async advance(durationInMs: number): Promise<void> {
    checkNumber("durationInMs", durationInMs);
    const end = this.#now + durationInMs;
    await nextMacrotask();
    while (this.#fireNext(end)) await nextMacrotask();
    this.#now = Math.max(this.#now, end);
  }

  async runUntilSettled<T>(promise: Promise<T>): Promise<T> {
    const watched = { isSettled: false };
    const onSettled = (): void => void (watched.isSettled = true);
    promise.then(onSettled, onSettled);
    await nextMacrotask();
    for (let fired = 0; !watched.isSettled; fired++) {
      if (fired === maxTimersFired) throw this.#stillPending(`after ${fired} timers`);
      if (!this.#fireNext(Number.MAX_VALUE))
        throw this.#stillPending("and no timer is left that could settle it");
      await nextMacrotask();
    }
    return promise;
  }

  #stillPending(why: string): Error {
    const hint = "Does every poller have this clock in its options?";
    return new Error(
      `The promise has not settled after ${Math.round(this.#now)} ms of virtual time, ${why}. ${hint}`,
    );
  }

  #fireNext(latest: number): boolean {
    const [next] = this.#timers;
    if (next === undefined || next.dueAt > latest) return false;
    this.#timers.shift();
    this.#now = Math.max(this.#now, next.dueAt);
    next.callback();
    return true;
  }

  #placeOf(timer: Timer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle];
      if (other && isBefore(other, timer)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);
}
