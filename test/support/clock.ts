import type { Clock } from "lro-poller";

/**
 * Creates a clock that runs `speed` times as fast as real time: waits of seconds, over real sockets, take milliseconds.
 * Tests that use it assert what happened and in which order, never how long it took.
 */
export function fastClock(real: Clock, speed = 1000): Clock {
  const origin = real.now();
  return {
    now: () => (real.now() - origin) * speed,
    timestamp: () => Date.UTC(2025, 0, 1) + (real.now() - origin) * speed,
    setTimer: (callback, delayInMs) => real.setTimer(callback, delayInMs / speed),
  };
}

/** Creates a clock that leaps to the next timer at once. It gives one loop exact times over real sockets. */
export function leapingClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    timestamp: () => Date.UTC(2025, 0, 1) + now,
    setTimer(callback, delayInMs) {
      const immediate = setImmediate(() => {
        now += delayInMs;
        callback();
      });
      return () => clearImmediate(immediate);
    },
  };
}
