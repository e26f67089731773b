import { AsyncLocalStorage } from "node:async_hooks";

const recordings = new AsyncLocalStorage<number[]>();

// An SDK has no clock that a test could replace. So this module replaces the timers of its process.
globalThis.setTimeout = new Proxy(globalThis.setTimeout, {
  apply(target, self, [callback, delayInMs, ...rest]: unknown[]) {
    const recorded = typeof delayInMs === "number" ? recordings.getStore() : undefined;
    if (typeof delayInMs === "number") recorded?.push(delayInMs);
    const delay = recorded && Number(delayInMs) >= 1000 ? 1 : delayInMs;
    return Reflect.apply(target, self, [callback, delay, ...rest]);
  },
});

/** Runs a function and all that follows from it. Records their timers, of which those of a second or more pass at once. */
export function recordTimers<T>(delaysInMs: number[], run: () => T): T {
  return recordings.run(delaysInMs, run);
}
