import { unlessAborted } from "./abort.ts";
import { TimerHeap } from "./timer-heap.ts";
import type { Timer } from "./timer-heap.ts";

/** The library's only source of time. Replace it in tests by the one of `lro-poller/testing`. */
export interface Clock {
  /** Milliseconds that never run backwards, from any origin. */
  now(): number;
  /** Milliseconds since 1970, for what outlives the process. */
  timestamp(): number;
  /** Calls back once, after `delayInMs` milliseconds of any size. Returns a function that cancels it. */
  setTimer(callback: () => void, delayInMs: number): () => void;
}

/**
 * Waits.
 *
 * @throws the signal's reason, at once, when it fires
 */
export async function sleep(clock: Clock, delayInMs: number, abortSignal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.setTimer(resolve, delayInMs);
  try {
    await unlessAborted(promise, abortSignal);
  } finally {
    cancel();
  }
}

/** A longer timer fires after one millisecond, in Node and in browsers. */
const longestTimerInMs = 2 ** 31 - 1;

/** How long callbacks may run in a row before sockets get their turn. */
const longestTurnInMs = 5;

/** The platform's time, with one timer of the platform for all of ours: 100,000 of its own would cost 20 MB. */
class SystemClock implements Clock {
  readonly #queue = new TimerHeap();
  #isFiring = false;
  #armed: { readonly dueAt: number; readonly handle: ReturnType<typeof setTimeout> } | undefined;

  now(): number {
    return performance.now();
  }

  timestamp(): number {
    return Date.now();
  }

  setTimer(callback: () => void, delayInMs: number): () => void {
    const timer = this.#queue.add(performance.now() + delayInMs, callback);
    this.#arm();
    // Bound: an arrow function, which keeps a context of its own besides, takes 32 bytes more.
    return this.#cancel.bind(this, timer);
  }

  #cancel(timer: Timer): void {
    this.#queue.remove(timer);
    this.#arm();
  }

  /** Sets the platform's timer for the first of ours. Without one the process may end. */
  #arm(): void {
    const { first } = this.#queue;
    if (this.#isFiring || first?.dueAt === this.#armed?.dueAt) return;
    clearTimeout(this.#armed?.handle);
    this.#armed = undefined;
    if (first === undefined) return;
    // Overdue when the event loop was blocked: Node warns of a negative delay (TimeoutNegativeWarning).
    const delayInMs = Math.max(0, Math.min(Math.ceil(first.dueAt - performance.now()), longestTimerInMs));
    this.#armed = { dueAt: first.dueAt, handle: setTimeout(() => this.#fire(), delayInMs) };
  }

  #fire(): void {
    this.#armed = undefined;
    this.#isFiring = true;
    const startedAt = performance.now();
    let now = startedAt;
    try {
      // Node fires a fraction of a millisecond early at times: who is not due yet is armed again.
      for (let { first } = this.#queue; first && first.dueAt <= now; { first } = this.#queue) {
        if (now - startedAt > longestTurnInMs) break;
        this.#queue.remove(first);
        first.callback();
        now = performance.now();
      }
    } finally {
      this.#isFiring = false;
      this.#arm();
    }
  }
}

/** The real time. */
export const systemClock: Clock = new SystemClock();
