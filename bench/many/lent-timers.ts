import type { VirtualClock } from "lro-poller/testing";

/** Runs a function with the timers of a virtual clock in place of `setTimeout`, for code such as core-lro. */
export async function withTimersOf<T>(clock: VirtualClock, run: () => Promise<T>): Promise<T> {
  const real = globalThis.setTimeout;
  const virtual = (callback: () => void, delayInMs = 0): unknown => clock.setTimer(callback, delayInMs);
  globalThis.setTimeout = virtual as typeof setTimeout;
  try {
    return await run();
  } finally {
    globalThis.setTimeout = real;
  }
}
