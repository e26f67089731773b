/** The engine's only way to time. Replace it in tests by the one of `lro-poller/testing`. */
export interface Clock {
  /** Milliseconds that never run backwards, from any origin. */
  now(): number;
  /** Milliseconds since 1970, for what outlives the process. */
  timestamp(): number;
  /** Calls back once, after `delayInMs` milliseconds of any size. Returns how to call it off. */
  setTimer(callback: () => void, delayInMs: number): () => void;
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
