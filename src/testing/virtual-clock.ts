import { setImmediate as nextMacrotask } from "node:timers/promises";
import type { Clock } from "../index.ts";
import { checkFunction, checkNumber } from "./validation.ts";

/**
 * A `Clock` whose time passes only when a test says so: hours take milliseconds.
 * It knows nothing of sockets, so let it drive operations that need none, such as `scriptedOperation`'s.
 */
export interface VirtualClock extends Clock {
  /** Timers that neither fired nor were called off: 0 once everything is let go. */
  readonly pendingTimers: number;
  /**
   * Lets `durationInMs` milliseconds pass. Timers that fall due fire in order, each at its own time, those included
   * that were set meanwhile; what their callbacks set going settles before the next one fires.
   *
   * @throws RangeError when the duration is negative or not finite
   */
  advance(durationInMs: number): Promise<void>;
  /**
   * Jumps from timer to timer until the promise settles, and settles as it does.
   *
   * @throws Error when it does not settle although no timer is left, or not within a million timers
   */
  runUntilSettled<T>(promise: Promise<T>): Promise<T>;
}

/** Makes a clock that shows 0, on 1 January 2025 in UTC. */
export function createVirtualClock(): VirtualClock {
  return new SteppedClock();
}

const firstTimestamp = Date.UTC(2025, 0, 1);

/** So that waiting for an operation that never ends fails, in seconds, instead of hanging. */
const mostTimersFired = 1_000_000;

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

class SteppedClock implements VirtualClock {
  #now = 0;
  #timersSet = 0;
  /** By the time they are due, then by the order they were set in. */
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
    const watched = watch(promise);
    await nextMacrotask();
    for (let fired = 0; !watched.isSettled; fired++) {
      if (fired === mostTimersFired) throw this.#neverSettles(`after ${fired} timers`);
      if (!this.#fireNext(Number.MAX_VALUE)) throw this.#neverSettles("and no timer is left that could");
      await nextMacrotask();
    }
    return promise;
  }

  #neverSettles(why: string): Error {
    return new Error(`The promise has not settled after ${this.#now} ms of virtual time, ${why}.`);
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

function watch(promise: Promise<unknown>): { readonly isSettled: boolean } {
  const watched = { isSettled: false };
  const settle = (): void => {
    watched.isSettled = true;
  };
  promise.then(settle, settle);
  return watched;
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);
}
