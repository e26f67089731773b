import { jitterShare } from "./schedule.ts";

/** The price and the bounds of a wait, in milliseconds. */
export interface Terms {
  readonly pollCostInMs: number;
  readonly minDelayInMs: number;
  readonly maxDelayInMs: number;
}

/**
 * What is known of an operation before its own answers say anything, and how to read it on that alone.
 * Times are milliseconds since the wait began.
 */
export interface Background {
  /** The share of operations that take longer than `at`. */
  survival(at: number): number;
  /** How many reads are due until `at`, in fractions. */
  count(at: number): number;
  /** When `reads` more reads are due, in fractions, if there is one at `from`. */
  ahead(from: number, reads: number): number;
  /** What waiting costs on the average from `from` on, in milliseconds; in leading order, for comparing. */
  costToGo(from: number): number;
}

/**
 * The chance to end in the next moment, times the age. 1 makes the worst moment of ending cheapest (reads at
 * `c·n²/2`), 0.5 the average one (`c·n²`); between the two, either is missed by less than 4 %.
 */
export const hazardTimesAge = 0.75;

/** An operation younger than this, in prices of a read, is taken for this old: none is over before it began. */
const youngestAge = 0.25;

/**
 * Nothing known: the hazard is `0.75/t`. Reads are as dense as `√(h/2c)` (Keller 1974), integrated
 * over the gap, so that `√t` grows by the same step with each of them.
 */
export function uninformed({ pollCostInMs, minDelayInMs, maxDelayInMs }: Terms): Background {
  const offset = youngestAge * pollCostInMs;
  const step = Math.sqrt(pollCostInMs / (2 * hazardTimesAge));
  const ahead = (from: number, reads: number): number =>
    (Math.sqrt(from + offset) + reads * step) ** 2 - offset;
  const ageOfGap = (gap: number): number => Math.max(0, ((gap / step - step) / 2) ** 2 - offset);
  const freeFrom = minDelayInMs > ahead(0, 1) ? ageOfGap(minDelayInMs) : 0;
  const freeUntil = Math.max(freeFrom, ageOfGap(maxDelayInMs / (1 + jitterShare)));
  const free = (at: number): number => Math.sqrt(Math.min(freeUntil, Math.max(freeFrom, at)) + offset) / step;
  return {
    survival: (at) => (1 + at / offset) ** -hazardTimesAge,
    count: (at) =>
      ratio(Math.min(at, freeFrom), minDelayInMs) +
      free(at) -
      free(0) +
      ratio(Math.max(0, at - freeUntil), maxDelayInMs),
    ahead,
    costToGo: (from) => 4 * step * Math.sqrt(from + offset),
  };
}

function ratio(elapsedInMs: number, delayInMs: number): number {
  return elapsedInMs <= 0 ? 0 : elapsedInMs / delayInMs;
}

/** The wait after a read at `from` that the background asks for, within the bounds. */
export function gapOf(background: Background, from: number, { minDelayInMs, maxDelayInMs }: Terms): number {
  return Math.min(maxDelayInMs, Math.max(minDelayInMs, background.ahead(from, 1) - from));
}
