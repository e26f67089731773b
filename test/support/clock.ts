import type { Clock } from "lro-poller";

/**
 * Real time that runs `speed` times as fast: waits of seconds, over real sockets, take milliseconds. Tests that use
 * it assert what happened and in which order, never how long it took.
 */
export function fastClock(real: Clock, speed = 1000): Clock {
  const origin = real.now();
  return {
    now: () => (real.now() - origin) * speed,
    timestamp: () => Date.UTC(2025, 0, 1) + (real.now() - origin) * speed,
    setTimer: (callback, delayInMs) => real.setTimer(callback, delayInMs / speed),
  };
}
