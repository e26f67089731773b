/** The engine's only way to time. Replace it in tests by the one of `lro-poller/testing`. */
export interface Clock {
  /** Milliseconds that never run backwards, from any origin. */
  now(): number;
  /** Milliseconds since 1970, for what outlives the process. */
  timestamp(): number;
  /** Calls back once, after `delayInMs` milliseconds of any size. Returns how to call it off. */
  setTimer(callback: () => void, delayInMs: number): () => void;
}

/**
 * Waits.
 *
 * @throws the signal's reason, at once, when it fires
 */
export function sleep(clock: Clock, delayInMs: number, abortSignal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (abortSignal?.aborted) return reject(abortSignal.reason);
    const onAbort = (): void => {
      cancel();
      reject(abortSignal?.reason);
    };
    const cancel = clock.setTimer(() => {
      abortSignal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayInMs);
    abortSignal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** A longer timer fires after one millisecond, in Node and in browsers. */
const longestTimerInMs = 2 ** 31 - 1;

/** The real time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  timestamp: () => Date.now(),
  setTimer(callback, delayInMs) {
    const dueAt = performance.now() + delayInMs;
    const arm = (remainingInMs: number): ReturnType<typeof setTimeout> =>
      setTimeout(check, Math.min(Math.ceil(remainingInMs), longestTimerInMs));
    // Also mends timers that Node fires a fraction of a millisecond early.
    const check = (): void => {
      const remainingInMs = dueAt - performance.now();
      if (remainingInMs > 0) timer = arm(remainingInMs);
      else callback();
    };
    let timer = arm(delayInMs);
    return () => clearTimeout(timer);
  },
};
