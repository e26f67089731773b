import { jitterShare } from "./schedule.ts";

/** The price of a poll and the bounds of a delay, in milliseconds. */
export interface Terms {
  readonly pollCostInMs: number;
  readonly minDelayInMs: number;
  readonly maxDelayInMs: number;
}

/**
 * The prior distribution of an operation's duration, without its own responses, and the polls that it leads to.
 * Times are milliseconds since the wait started.
 */
export interface Prior {
  /** Whether it comes from past durations. */
  readonly isInformed: boolean;
  /** The share of operations that take longer than `at`. */
  survival(at: number): number;
  /** How many polls are due until `at`, in fractions. */
  pollsUntil(at: number): number;
  /** When `polls` more polls are due, in fractions, after one at `from`. */
  ahead(from: number, polls: number): number;
  /** The mean cost of waiting from `from` on, in milliseconds; in leading order, for comparisons. */
  costToGo(from: number): number;
}

/**
 * The hazard times the age, without information. 1 makes the worst moment of ending cheapest (polls at `c·n²/2`),
 * 0.5 the average one (`c·n²`). Between the two, either is missed by less than 4 %.
 */
export const hazardTimesAge = 0.75;

/** The least age to assume, in prices of a poll: no operation ends at once. */
const minAge = 0.25;

/**
 * Returns the uninformed prior: the hazard is `0.75/t`. Polls are as dense as `√(h/2c)` (Keller 1974), integrated
 * over the gap, so that `√t` grows by the same step with each of them.
 */
export function uninformed({ pollCostInMs, minDelayInMs, maxDelayInMs }: Terms): Prior {
  const offset = minAge * pollCostInMs;
  const step = Math.sqrt(pollCostInMs / (2 * hazardTimesAge));
  const ahead = (from: number, polls: number): number =>
    (Math.sqrt(from + offset) + polls * step) ** 2 - offset;
  const ageOfGap = (gap: number): number => Math.max(0, ((gap / step - step) / 2) ** 2 - offset);
  const freeFrom = minDelayInMs > ahead(0, 1) ? ageOfGap(minDelayInMs) : 0;
  const freeUntil = Math.max(freeFrom, ageOfGap(maxDelayInMs / (1 + jitterShare)));
  const free = (at: number): number => Math.sqrt(Math.min(freeUntil, Math.max(freeFrom, at)) + offset) / step;
  return {
    isInformed: false,
    survival: (at) => (1 + at / offset) ** -hazardTimesAge,
    pollsUntil: (at) =>
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

/** Returns the wait after a poll at `from` by the prior alone, within the bounds. */
export function gapOf(prior: Prior, from: number, { minDelayInMs, maxDelayInMs }: Terms): number {
  return Math.min(maxDelayInMs, Math.max(minDelayInMs, prior.ahead(from, 1) - from));
}
