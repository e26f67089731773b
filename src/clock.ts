import { unlessAborted } from "./abort.ts";
import { TimerHeap } from "./timer-heap.ts";
import type { Timer, TimerTask } from "./timer-heap.ts";

/** The library's only source of time. In tests, replace it with the virtual clock of `lro-poller/testing`. */
export interface Clock {
  /** Returns milliseconds that never run backwards, from any origin. */
  now(): number;
  /** Returns milliseconds since 1970, for times that outlive the process. */
  timestamp(): number;
  /** Calls back once after `delayInMs` milliseconds, however many. Returns a function that cancels the timer. */
  setTimer(callback: () => void, delayInMs: number): () => void;
}

/** A timer that fires later than this shows that the machine slept, or did nothing else for as long. */
export const sleepInMs = 1000;

/**
 * Waits `delayInMs` milliseconds.
 *
 * @throws The reason of `abortSignal` as soon as it fires.
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
const maxTimerInMs = 2 ** 31 - 1;

/** How long callbacks may run in a row before sockets get their turn. */
const maxTurnInMs = 5;

/** The platform's time. It uses one platform timer for all timers: 100,000 platform timers would cost 20 MB. */
class SystemClock implements Clock {
  readonly #heap = new TimerHeap();
  #isFiring = false;
  #armed: { readonly dueAt: number; readonly handle: ReturnType<typeof setTimeout> } | undefined;

  /** In whole milliseconds: V8 keeps a fraction of one in an object of its own, of which each wait would have ten. */
  now(): number {
    return Math.floor(performance.now());
  }

  timestamp(): number {
    return Date.now();
  }

  setTimer(callback: () => void, delayInMs: number): () => void {
    const timer = this.add({ onTimer: callback }, delayInMs);
    return () => this.cancel(timer);
  }

  add(task: TimerTask, delayInMs: number): Timer {
    // Rounded up: a timer never fires early.
    const timer = this.#heap.add(Math.ceil(performance.now() + delayInMs), task);
    this.#arm();
    return timer;
  }

  cancel(timer: Timer): void {
    this.#heap.remove(timer);
    this.#arm();
  }

  /** Sets the platform timer for the first timer. Without a timer the process may end. */
  #arm(): void {
    const { first } = this.#heap;
    if (this.#isFiring) return;
    const { dueAt = NaN } = this.#armed ?? {};
    // One that fires too early costs less than to set it anew each time. One that is overdue may never fire: fake timers of
    // a test set it.
    if (first && dueAt <= first.dueAt && dueAt > performance.now()) return;
    clearTimeout(this.#armed?.handle);
    this.#armed = undefined;
    if (first === undefined) return;
    // A blocked event loop makes the timer overdue: Node warns of a negative delay (TimeoutNegativeWarning).
    const delayInMs = Math.max(0, Math.min(Math.ceil(first.dueAt - performance.now()), maxTimerInMs));
    this.#armed = { dueAt: first.dueAt, handle: setTimeout(() => this.#fire(), delayInMs) };
  }

  #fire(): void {
    this.#armed = undefined;
    this.#isFiring = true;
    const startedAt = performance.now();
    let now = startedAt;
    try {
      // Node sometimes fires a fraction of a millisecond early: a timer that is not due yet is armed again.
      for (let { first } = this.#heap; first && first.dueAt <= now; { first } = this.#heap) {
        if (now - startedAt > maxTurnInMs) break;
        this.#heap.remove(first);
        first.task.onTimer();
        now = performance.now();
      }
    } finally {
      this.#isFiring = false;
      this.#arm();
    }
  }
}

const platformClock = new SystemClock();

/** The real clock of the platform. */
export const systemClock: Clock = platformClock;

/** A timer that {@link cancelTimer} cancels. */
export type RunningTimer = Timer | (() => void);

/** Sets a timer that calls an object's `onTimer`. */
export function startTimer(clock: Clock, task: TimerTask, delayInMs: number): RunningTimer {
  if (clock === platformClock) return platformClock.add(task, delayInMs);
  return clock.setTimer(() => task.onTimer(), delayInMs);
}

/** Cancels a timer, if there is one. */
export function cancelTimer(timer: RunningTimer | undefined): void {
  if (typeof timer === "function") timer();
  else if (timer) platformClock.cancel(timer);
}
