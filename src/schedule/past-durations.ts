import { describeValue } from "../redaction.ts";

/**
 * How long an earlier operation of the kind took, in milliseconds. A number is the duration of one that succeeded.
 * `failedAfterInMs` is the duration of one that failed. `atLeastInMs` is how long one had run when its wait ended early,
 * by a timeout for instance.
 */
export type PastDuration =
  | number
  | { readonly failedAfterInMs: number; readonly atLeastInMs?: never }
  | { readonly atLeastInMs: number; readonly failedAfterInMs?: never };

/** Describes what {@link isPlausible} accepts. */
export const plausibleRange = "from 1 to 1000000000000";

/**
 * Returns whether an operation can have taken so many milliseconds. Beyond 31 years a clock was wrong, and the arithmetic
 * of the duration model would overflow.
 */
export function isPlausible(inMs: unknown): inMs is number {
  return typeof inMs === "number" && inMs >= 1 && inMs <= 1e12;
}

/** Returns the milliseconds that the operation took, or took at least. */
export function leastOf(past: PastDuration): number {
  if (typeof past === "number") return past;
  return past.atLeastInMs ?? past.failedAfterInMs;
}

/** Returns whether somebody saw the operation end. */
export function hasEnded(past: PastDuration): boolean {
  return typeof past === "number" || past.atLeastInMs === undefined;
}

/** Returns whether the operation failed. */
export function hasFailed(past: PastDuration): boolean {
  return typeof past !== "number" && past.atLeastInMs === undefined;
}

/** @throws TypeError or RangeError that names the option */
export function checkPastDurations(past: readonly PastDuration[]): void {
  if (!Array.isArray(past)) throw new TypeError(`pastDurationsInMs: expected an array, got ${typeof past}`);
  for (const one of past) checkPastDuration("pastDurationsInMs", one);
}

/** @throws RangeError that names the argument */
export function checkPastDuration(name: string, past: PastDuration): void {
  const isRecord = typeof past === "object" && past !== null;
  const isClear = !isRecord || (past.atLeastInMs === undefined) !== (past.failedAfterInMs === undefined);
  const inMs: unknown = isRecord && isClear ? leastOf(past) : past;
  if (isPlausible(inMs)) return;
  const expected = isClear ? `milliseconds ${plausibleRange}` : "either atLeastInMs or failedAfterInMs";
  throw new RangeError(`${name}: expected ${expected}, got ${describeValue(inMs)}`);
}
