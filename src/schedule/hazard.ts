import { jitterShare } from "./schedule.ts";

/** The price of a poll and the bounds of a delay, in milliseconds. */
export interface Terms {
  readonly pollCostInMs: number;
  readonly minDelayInMs: number;
  readonly maxDelayInMs: number;
  /** A longer delay is allowed where it is at most this share of the elapsed time. Default 0. */
  readonly maxDelayShare?: number;
}

/** Returns the longest delay after a poll at this time. */
export function longestDelay(elapsedInMs: number, { maxDelayInMs, maxDelayShare = 0 }: Terms): number {
  return Math.max(maxDelayInMs, maxDelayShare * elapsedInMs);
}

/**
 * The end that a distribution of durations predicts, without a percentage. Times are in milliseconds, and count as
 * `elapsedInMs` does.
 */
export interface Outlook {
  /** Whether it comes from past durations. */
  readonly isInformed: boolean;
  /** The share of operations that take longer than `at`. */
  survival(at: number): number;
  /** When `polls` more polls are due, in fractions, after one at `from`. */
  ahead(from: number, polls: number): number;
  /** The mean cost of waiting from `from` on, in milliseconds; in leading order, for comparisons. */
  costToGo(from: number): number;
}

/** The prior distribution of an operation's duration, and the polls that it leads to. */
export interface Prior extends Outlook {
  /** How many polls are due until `at`, in fractions. */
  pollsUntil(at: number): number;
}

/**
 * The hazard times the age, without information. 1 makes the worst moment of ending cheapest (polls at `c·n²/2`),
 * 0.5 the average one (`c·n²`). Between the two, either is missed by less than 4 %.
 */
export const hazardTimesAge = 0.75;

/** Returns by how much the square root of the age grows from poll to poll, without information. */
export function stepOf(pollCostInMs: number): number {
  return Math.sqrt(pollCostInMs / (2 * hazardTimesAge));
}

/** The least age to assume, in prices of a poll: no operation ends at once. */
const minAge = 0.25;

/** Returns the outlook for a share of the hazard `0.75/t`. */
export function uninformedOutlook(pollCostInMs: number, share = 1): Outlook {
  const offset = minAge * pollCostInMs;
  const hazard = share * hazardTimesAge;
  const step = stepOf(pollCostInMs) / Math.sqrt(share);
  return {
    isInformed: false,
    // Faster than a power.
    survival: (at) => Math.exp(-hazard * Math.log1p(at / offset)),
    ahead: (from, polls) => (Math.sqrt(from + offset) + polls * step) ** 2 - offset,
    costToGo: (from) => 4 * share * step * Math.sqrt(from + offset),
  };
}

/**
 * Returns the uninformed prior: the hazard is `0.75/t`. Polls are as dense as `√(h/2c)` (Keller 1974), integrated
 * over the gap, so that `√t` grows by the same step with each of them.
 */
export function uninformed({ pollCostInMs, minDelayInMs, maxDelayInMs, maxDelayShare = 0 }: Terms): Prior {
  const offset = minAge * pollCostInMs;
  const step = stepOf(pollCostInMs);
  const outlook = uninformedOutlook(pollCostInMs);
  const ageOfGap = (gap: number): number => Math.max(0, ((gap / step - step) / 2) ** 2 - offset);
  const freeFrom = minDelayInMs > outlook.ahead(0, 1) ? ageOfGap(minDelayInMs) : 0;
  const freeUntil = Math.max(freeFrom, ageOfGap(maxDelayInMs / (1 + jitterShare)));
  // From here on the longest delay grows with the age, and from `freeAgain` on faster than the wanted one.
  const growsFrom = maxDelayInMs / maxDelayShare;
  const share = maxDelayShare / (1 + jitterShare);
  const freeAgain = Math.max(growsFrom, ((step * (1 + Math.sqrt(1 + share))) / share) ** 2 - offset);
  const free = (at: number): number => Math.sqrt(Math.max(freeFrom, at) + offset) / step;
  const pollsUntil = (at: number): number => {
    const atMinimum = freeFrom > 0 ? Math.min(at, freeFrom) / minDelayInMs : 0;
    const unbounded = atMinimum + free(Math.min(at, freeUntil)) - free(0);
    if (at <= freeUntil) return unbounded;
    if (freeUntil >= growsFrom) return unbounded + free(at) - free(freeUntil);
    const bounded = (Math.min(at, growsFrom) - freeUntil) / maxDelayInMs;
    if (at <= growsFrom) return unbounded + bounded;
    const growing = Math.log(Math.min(at, freeAgain) / growsFrom) / maxDelayShare;
    return unbounded + bounded + growing + free(Math.max(at, freeAgain)) - free(freeAgain);
  };
  return { ...outlook, pollsUntil };
}

/** Returns the wait after a poll at `from` by the prior alone, within the bounds. */
export function gapOf(prior: Prior, from: number, terms: Terms): number {
  const wanted = Math.max(terms.minDelayInMs, prior.ahead(from, 1) - from);
  return Math.min(longestDelay(from, terms), wanted);
}
