import { systemClock } from "lro-poller";
import type { Clock } from "lro-poller";

/**
 * Real time that runs `speed` times as fast: waits of seconds, over real sockets, take milliseconds. Tests that use
 * it assert what happened and in which order, never how long it took.
 */
export function fastClock(speed = 1000): Clock {
  const origin = systemClock.now();
  return {
    now: () => (systemClock.now() - origin) * speed,
    timestamp: () => Date.UTC(2025, 0, 1) + (systemClock.now() - origin) * speed,
    setTimer: (callback, delayInMs) => systemClock.setTimer(callback, delayInMs / speed),
  };
}
