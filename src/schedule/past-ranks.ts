import { distributionOfLogs, longerThan, normalFit, whereLonger } from "./log-normal.ts";
import type { Normal } from "./log-normal.ts";
import type { PastDuration } from "./past-durations.ts";

/** The end of a past operation, and the share of operations that take longer. */
interface Rank {
  readonly inMs: number;
  readonly survival: number;
}

/**
 * The distribution of one more operation of the kind, by the ranks of past durations. With `n` of them, each of the
 * `n + 1` gaps between them is equally likely, whatever the law is. Times are in milliseconds.
 */
export interface Ranks {
  /** The operations that were seen to end, in rising order. */
  readonly ends: readonly Rank[];
  /** The law beyond the last end, where operations still ran when their waits ended; else `undefined`. */
  readonly tail: Normal | undefined;
  /** From this age on fewer than four past durations are longer, those of waits that ended early too. */
  readonly untilInMs: number;
}

/**
 * The interval leaves out so many that end early, and so many that end late. Operations that end early are missed at each
 * of their few polls. With 10 and 10, it would hold only 71 of 100 over the polls of a wait.
 */
const [lowerTail, upperTail] = [0.055, 0.145];
/** The interval of fewer past durations would hold less than 80 of 100. */
const minCount = 4;

/** Makes the ranks. An operation with "at least" counts as running until then, and no longer (Kaplan and Meier 1958). */
export function ranksOf(past: readonly PastDuration[]): Ranks {
  const sorted = distributionOfLogs(past);
  const ends: Rank[] = [];
  let survival = 1;
  for (const [i, { inMs, hasEnded }] of sorted.entries()) {
    if (!hasEnded) continue;
    // The next operation counts as one more that still runs.
    survival *= 1 - 1 / (sorted.length - i + 1);
    ends.push({ inMs, survival });
  }
  const isCutOff = sorted.at(-1)?.hasEnded === false && ends.length >= minCount;
  return { ends, tail: isCutOff ? normalFit(sorted) : undefined, untilInMs: sorted.at(-minCount)?.inMs ?? 0 };
}

/** The 80 % interval of a duration, and its median. */
interface RankInterval {
  readonly range: readonly [number, number];
  readonly median: number;
}

/**
 * Returns the interval of an operation that runs at `elapsedInMs`; `undefined` if fewer than four past durations are
 * longer than that.
 */
export function intervalAt({ ends, tail, untilInMs }: Ranks, elapsedInMs: number): RankInterval | undefined {
  if (elapsedInMs >= untilInMs) return undefined;
  const next = ends.findIndex(({ inMs }) => inMs > elapsedInMs);
  const later = next < 0 ? [] : ends.slice(next);
  const alive = (next < 0 ? ends.at(-1) : ends[next - 1])?.survival ?? 1;
  const now = { inMs: elapsedInMs, survival: alive };
  const ahead = [now].concat(later);
  const end = later.at(-1) ?? now;
  const last = end.survival / alive;
  if (tail === undefined && last > lowerTail + upperTail + 1e-9) return undefined;
  // Where the longest past duration is too short for the upper tail, the lower one becomes smaller.
  const upper = tail === undefined ? Math.max(upperTail, last) : upperTail;
  const lower = Math.max(0, lowerTail + upperTail - upper);
  const durationOf = (share: number): number =>
    share < last && tail !== undefined ? beyond(tail, end.inMs, share / last) : between(ahead, alive * share);
  return { range: [durationOf(1 - lower), durationOf(upper)], median: durationOf(0.5) };
}

/** Returns the duration that a share of those that run at `fromInMs` exceed. */
function beyond(tail: Normal, fromInMs: number, share: number): number {
  return Math.exp(whereLonger(tail, share * longerThan(tail, Math.log(fromInMs))));
}

/** Interpolates the moment at which the survival has fallen to `share`. */
function between(ranks: readonly Rank[], share: number): number {
  const i = ranks.findIndex(({ survival }) => survival <= share);
  const [left, right] = [ranks[i - 1], ranks.at(i)];
  if (left === undefined || right === undefined) return right?.inMs ?? 0;
  const part = (left.survival - share) / (left.survival - right.survival);
  return left.inMs + part * (right.inMs - left.inMs);
}
