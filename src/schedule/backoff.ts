import { checkDuration } from "../validate.ts";
import { spreadUpTo } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";

/**
 * Grows by `factor` (default 2) with each read, from `initialDelayInMs` (default 1000) up to `maxDelayInMs` (default
 * 30 000), both in milliseconds. Each wait is up to a tenth longer, at random, though never above the most.
 *
 * @throws RangeError that names the option that is wrong
 */
export function exponential(
  options: { initialDelayInMs?: number; factor?: number; maxDelayInMs?: number } = {},
): Schedule {
  const { initialDelayInMs = 1000, factor = 2, maxDelayInMs = 30_000 } = options;
  checkDuration("initialDelayInMs", initialDelayInMs);
  checkDuration("maxDelayInMs", maxDelayInMs, { allowInfinity: true });
  if (!(factor >= 1)) throw new RangeError(`factor: expected a number of at least 1, got ${factor}`);
  return ({ pollCount }, random) => {
    // The power is infinite in the end, and nothing times infinity is no number.
    const growth = Math.min(factor ** Math.max(0, pollCount - 1), Number.MAX_VALUE);
    return spreadUpTo(maxDelayInMs, initialDelayInMs * growth, 0, random);
  };
}

/**
 * The same wait every time, `delayInMs` milliseconds, to the millisecond.
 *
 * @throws RangeError when that is negative or not finite
 */
export function fixed(delayInMs: number): Schedule {
  checkDuration("delayInMs", delayInMs);
  return () => delayInMs;
}

/** How long to wait after a failed read: doubles from a second, up to `maxDelayInMs`, and spreads upward. */
export function backoffAfterFailure(
  consecutiveFailures: number,
  maxDelayInMs: number,
  random: () => number,
): number {
  return spreadUpTo(maxDelayInMs, 1000 * 2 ** Math.max(0, consecutiveFailures - 1), 0, random);
}
