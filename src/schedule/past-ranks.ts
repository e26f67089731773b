import { distributionOfLogs, longerThan, normalFit, whereLonger } from "./log-normal.ts";
import type { Normal } from "./log-normal.ts";
import type { PastDuration } from "./past-durations.ts";

/**
 * The distribution of one more operation of the kind, by the ranks of past durations. With `n` of them, each of the
 * `n + 1` gaps between them is equally likely, whatever the law is. Times are in milliseconds.
 */
export interface Ranks {
  /** The durations of operations that were seen to end, in rising order. */
  readonly ends: Float64Array;
  /** The share of operations that take longer than each of them. */
  readonly survival: Float64Array;
  /** The law beyond the last end, where operations still ran when their waits ended; else `undefined`. */
  readonly tail: Normal | undefined;
  /** All durations, those of waits that ended early too, in rising order. */
  readonly all: Float64Array;
}

/**
 * The interval leaves out so many that end early, and so many that end late. With 10 and 10 it would hold only 71 of 100
 * operations over the polls of a wait: those that end early are missed at each of their few polls.
 */
const [lowerTail, upperTail] = [0.055, 0.145];
/** The interval of fewer past durations would hold less than 80 of 100. */
const minCount = 4;

/** Makes the ranks. An operation with "at least" counts as running until then, and no longer (Kaplan and Meier 1958). */
export function ranksOf(past: readonly PastDuration[]): Ranks {
  const sorted = distributionOfLogs(past);
  const [ends, survival]: [number[], number[]] = [[], []];
  let alive = 1;
  for (const [i, { inMs, hasEnded }] of sorted.entries()) {
    if (!hasEnded) continue;
    // The next operation counts as one more that still runs.
    alive *= 1 - 1 / (sorted.length - i + 1);
    ends.push(inMs);
    survival.push(alive);
  }
  const isCutOff = sorted.at(-1)?.hasEnded === false && ends.length >= minCount;
  return {
    ends: Float64Array.from(ends),
    survival: Float64Array.from(survival),
    tail: isCutOff ? normalFit(sorted) : undefined,
    all: Float64Array.from(sorted, ({ inMs }) => inMs),
  };
}

/** The 80 % interval of a duration, and its median. */
export interface RankInterval {
  readonly range: readonly [number, number];
  readonly median: number;
}

/**
 * Returns the interval of an operation that runs at `elapsedInMs`; `undefined` if fewer than four past durations are
 * longer than that.
 */
export function intervalAt(ranks: Ranks, elapsedInMs: number): RankInterval | undefined {
  const { ends, survival, tail, all } = ranks;
  if (all.length - countUntil(all, elapsedInMs) < minCount) return undefined;
  const first = countUntil(ends, elapsedInMs);
  const alive = first === 0 ? 1 : valueAt(survival, first - 1);
  const last = first < ends.length ? valueAt(survival, survival.length - 1) / alive : 1;
  if (tail === undefined && last > lowerTail + upperTail + 1e-9) return undefined;
  // Where the longest past duration is too short for the upper tail, the lower one becomes smaller.
  const upper = tail === undefined ? Math.max(upperTail, last) : upperTail;
  const lower = Math.max(0, lowerTail + upperTail - upper);
  const durationOf = (share: number): number =>
    share < last && tail !== undefined
      ? beyond(tail, Math.max(elapsedInMs, ends.at(-1) ?? 0), share / last)
      : between(ranks, first, elapsedInMs, alive * share);
  return { range: [durationOf(1 - lower), durationOf(upper)], median: durationOf(0.5) };
}

/** Returns the duration that a share of those that run at `fromInMs` exceed. */
function beyond(tail: Normal, fromInMs: number, share: number): number {
  return Math.exp(whereLonger(tail, share * longerThan(tail, Math.log(fromInMs))));
}

/** Interpolates the moment after `elapsedInMs` at which the survival has fallen to `share`. */
function between({ ends, survival }: Ranks, first: number, elapsedInMs: number, share: number): number {
  let i = first;
  while (i < survival.length - 1 && valueAt(survival, i) > share) i++;
  const left = i === first ? elapsedInMs : valueAt(ends, i - 1);
  const [high, low] = [i === 0 ? 1 : valueAt(survival, i - 1), valueAt(survival, i)];
  const part = Math.min(1, Math.max(0, (high - share) / (high - low)));
  return left + part * (valueAt(ends, i) - left);
}

/** Returns how many of the sorted values are at most `value`. */
export function countUntil(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(sorted, middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Returns the value at an index; 0 where there is none. */
export function valueAt(array: ArrayLike<number>, index: number): number {
  return array[index] ?? 0;
}
