import { checkDuration } from "../validate.ts";
import { withJitterUpTo } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";

/**
 * Creates a polling schedule whose delay grows with each poll.
 *
 * The delay starts at `initialDelayInMs` (default 1000) and grows by `factor` (default 2) up to `maxDelayInMs` (default
 * 30 000). Each delay has up to 10 % jitter, but never exceeds the maximum.
 *
 * @example
 * ```ts
 * await pollUntilDone(operation, { schedule: exponential({ maxDelayInMs: 60_000 }) });
 * ```
 * @throws RangeError that names the invalid option.
 */
export function exponential(
  options: { initialDelayInMs?: number; factor?: number; maxDelayInMs?: number } = {},
): Schedule {
  const { initialDelayInMs = 1000, factor = 2, maxDelayInMs = 30_000 } = options;
  checkDuration("initialDelayInMs", initialDelayInMs);
  checkDuration("maxDelayInMs", maxDelayInMs, { allowInfinity: true });
  if (!(factor >= 1)) throw new RangeError(`factor: expected a number of at least 1, got ${factor}`);
  return ({ pollCount }, random) => {
    // The power becomes infinite, and 0 times infinity is NaN.
    const growth = Math.min(factor ** Math.max(0, pollCount - 1), Number.MAX_VALUE);
    return withJitterUpTo(maxDelayInMs, Math.min(maxDelayInMs, initialDelayInMs * growth), 0, random);
  };
}

/**
 * Creates a polling schedule with a constant delay of `delayInMs` milliseconds, without jitter.
 *
 * @throws RangeError if `delayInMs` is negative or not finite.
 */
export function fixed(delayInMs: number): Schedule {
  checkDuration("delayInMs", delayInMs);
  return () => delayInMs;
}

/** Returns the backoff after failures in a row, without jitter: it doubles from one second up to `maxDelayInMs`. */
export function backoff(consecutiveFailures: number, maxDelayInMs = 30_000): number {
  return Math.min(maxDelayInMs, 1000 * 2 ** Math.max(0, consecutiveFailures - 1));
}

/** Returns the backoff after failed polls, with jitter upward. */
export function backoffAfterFailure(
  consecutiveFailures: number,
  maxDelayInMs: number,
  random: () => number,
): number {
  return withJitterUpTo(maxDelayInMs, backoff(consecutiveFailures, maxDelayInMs), 0, random);
}
