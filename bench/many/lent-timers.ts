import type { VirtualClock } from "lro-poller/testing";

/** Lends a virtual clock to those who know none but `setTimeout`, such as core-lro. */
export async function withTimersOf<T>(clock: VirtualClock, run: () => Promise<T>): Promise<T> {
  const real = globalThis.setTimeout;
  const lent = (callback: () => void, delayInMs = 0): unknown => clock.setTimer(callback, delayInMs);
  globalThis.setTimeout = lent as typeof setTimeout;
  try {
    return await run();
  } finally {
    globalThis.setTimeout = real;
  }
}
