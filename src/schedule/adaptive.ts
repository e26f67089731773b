import { checkDuration } from "../validate.ts";
import { learnedFrom } from "./duration-model.ts";
import { forecastsOf, maxTrust, trustIn } from "./forecast.ts";
import type { Forecast } from "./forecast.ts";
import { gapOf, hazardTimesAge, longestDelay, uninformed, uninformedOutlook } from "./hazard.ts";
import type { Prior, Terms } from "./hazard.ts";
import { cheapestPlan, momentsAhead, posteriorOf } from "./plan.ts";
import { checkPastDurations, hasEnded, hasFailed } from "./past-durations.ts";
import type { PastDuration } from "./past-durations.ts";
import { withinRegretBound } from "./regret-bound.ts";
import { estimateRemaining } from "./remaining-time.ts";
import type { KnownDurations } from "./remaining-time.ts";
import { withJitterUpTo } from "./schedule.ts";
import type { PollHistory, Schedule } from "./schedule.ts";

/** Options of {@link adaptive}: the price of a poll, the bounds of the delay, and past durations. */
export interface AdaptiveScheduleOptions {
  /** The price of one poll: how many milliseconds of delay you accept to save a request. Default 1000. */
  readonly pollCostInMs?: number;
  /** The shortest delay between polls, in milliseconds. Default 1000. */
  readonly minDelayInMs?: number;
  /**
   * The longest delay between polls, in milliseconds. `Infinity` is allowed. Default: 30 000, or 5 % of the time since
   * the wait started if that is longer.
   */
  readonly maxDelayInMs?: number;
  /**
   * The durations of earlier operations of this kind, in milliseconds and in any order. `{ failedAfterInMs }` is one that
   * failed, `{ atLeastInMs }` one whose wait ended while it ran. 20 are plenty, thousands do no harm. Default: none.
   */
  readonly pastDurationsInMs?: readonly PastDuration[];
}

export const defaultPollCostInMs = 1000;

/**
 * Creates the default polling schedule. It minimizes `cost = lateness + pollCostInMs × polls`.
 *
 * Without any information it assumes that the chance of ending in the next moment falls with the operation's age.
 * Past durations replace that assumption as far as they reach. `percentComplete` refines it, as far as it has been
 * right on this operation. With a misleading percentage, there are about as many polls as without one, and a delay is at
 * most 1.62 times as long.
 *
 * @throws RangeError if an option is negative or not a number, or if `minDelayInMs` is above `maxDelayInMs`.
 */
export function adaptive(options: AdaptiveScheduleOptions = {}): Schedule {
  const { pollCostInMs = defaultPollCostInMs, pastDurationsInMs = [] } = options;
  const { minDelayInMs = 1000, maxDelayInMs = 30_000 } = options;
  const maxDelayShare = options.maxDelayInMs === undefined ? defaultMaxDelayShare : 0;
  checkDuration("pollCostInMs", pollCostInMs, { positive: true });
  checkDuration("minDelayInMs", minDelayInMs);
  checkDuration("maxDelayInMs", maxDelayInMs, { allowInfinity: true });
  if (minDelayInMs > maxDelayInMs) {
    throw new RangeError(`minDelayInMs (${minDelayInMs}) must not be above maxDelayInMs (${maxDelayInMs})`);
  }
  checkPastDurations(pastDurationsInMs);
  const terms = { pollCostInMs, minDelayInMs, maxDelayInMs, maxDelayShare };
  const nothingKnown = uninformed(terms);
  const prior = learnedOr(pastDurationsInMs, terms);
  const schedule = (history: PollHistory, random: () => number): number => {
    const { gap, tolerance } = wantedGap(history, prior, nothingKnown, terms);
    return withJitterUpTo(longestDelay(ownTime(history), terms), gap, minDelayInMs, random, tolerance);
  };
  // The time to a failure says nothing about the time to a success.
  const successes = pastDurationsInMs.filter((past) => !hasFailed(past));
  const known = learnedOr(successes, terms);
  return Object.assign(schedule, { estimate: (history: PollHistory) => estimateRemaining(history, known) });
}

function learnedOr(past: readonly PastDuration[], terms: Terms): KnownDurations {
  return past.some(hasEnded) ? learnedFrom(past, terms) : uninformed(terms);
}

/** The longest delay by default, as a share of the time since the wait started. */
const defaultMaxDelayShare = 0.05;
/** An age may be wrong: gaps with it are at most so many times those without it. */
const maxGrowthByAge = 2;
/** Past operations doubt an age that fewer of them reached. */
const minShareOfAge = 0.1;

/** Returns the terms of a decision under a Retry-After. */
function obeying(terms: Terms, retryAfterInMs: number): Terms {
  if (retryAfterInMs <= terms.minDelayInMs) return terms;
  const maxDelayInMs = Math.max(terms.maxDelayInMs, retryAfterInMs);
  return { ...terms, minDelayInMs: retryAfterInMs, maxDelayInMs };
}

/** So many polls follow the Retry-After of a service as it is. */
const retryAftersObeyed = 4;
/** The hazard that a trusted percentage leaves, as a share of that without one: few of them end without warning. */
const leastShareWithoutWarning = 0.15;

/** Only a percentage with a good record makes an end without warning rarer: hence the power. */
function shareWithoutWarning(forecasts: readonly Forecast[]): number {
  return 1 - (1 - leastShareWithoutWarning) * (trustIn(forecasts) / maxTrust) ** 3;
}

/**
 * Returns which share of the polls until `at` a percentage could save: not those that a Retry-After has forbidden. Where
 * it has been longer than each wanted gap, half of the polls are left, and none can be saved.
 */
function savableShare(obedient: Prior, unhindered: Prior, at: number): number {
  if (obedient === unhindered) return 1;
  const [left, all] = [obedient.pollsUntil(at), unhindered.pollsUntil(at)];
  return all > 0 ? Math.max(0, (2 * left) / all - 1) : 0;
}

/** The milliseconds since the wait started: the only time that is certain. */
function ownTime({ elapsedInMs, ageAtStartInMs = 0 }: PollHistory): number {
  return elapsedInMs - ageAtStartInMs;
}

/** Returns the wait before jitter, and the tolerance that limits the jitter. */
function wantedGap(
  history: PollHistory,
  learned: Prior,
  unhindered: Prior,
  unhinderedTerms: Terms,
): { gap: number; tolerance: number } {
  const { elapsedInMs, ageAtStartInMs = 0, progress, pollCount, retryAfterInMs = 0 } = history;
  const terms = obeying(unhinderedTerms, retryAfterInMs);
  const nothingKnown = terms === unhinderedTerms ? unhindered : uninformed(terms);
  const prior = learned.isInformed ? learned : nothingKnown;
  const own = ownTime(history);
  const maxGap = maxGrowthByAge * gapOf(nothingKnown, own, terms);
  const forecasts = forecastsOf(progress, elapsedInMs);
  if (forecasts.length === 0 && !prior.isInformed) {
    // An operation that is joined at any moment of its life is nearer to its end than its age alone says.
    const nearness = Math.sqrt(1 + ageAtStartInMs / Math.max(1, elapsedInMs) / hazardTimesAge);
    const gap = Math.min(maxGap, (prior.ahead(elapsedInMs, 1) - elapsedInMs) / nearness);
    // A service that sends a Retry-After expects operations of a few times as much.
    const isFirst = own < (retryAftersObeyed - 0.5) * retryAfterInMs;
    return isFirst ? { gap: retryAfterInMs, tolerance: 0 } : { gap, tolerance: gap };
  }
  const expected = prior.isInformed
    ? prior
    : uninformedOutlook(terms.pollCostInMs, shareWithoutWarning(forecasts));
  const moments = momentsAhead(expected, forecasts, elapsedInMs);
  const posterior = posteriorOf(expected, forecasts, elapsedInMs);
  const { gapInMs, gapAfterInMs: tolerance } = cheapestPlan(moments, posterior, expected, terms);
  const isAgeUsed = prior.isInformed && prior.survival(ageAtStartInMs) >= minShareOfAge;
  if (forecasts.length === 0) return { gap: isAgeUsed ? gapInMs : Math.min(maxGap, gapInMs), tolerance };
  // Polls before the wait cost nothing, and count as made. An age in doubt must not pay for a long gap.
  const gap = isAgeUsed
    ? withinRegretBound(
        gapInMs,
        { ...history, pollCount: pollCount + prior.pollsUntil(ageAtStartInMs) },
        prior,
        terms,
      )
    : withinRegretBound(
        gapInMs,
        { ...history, elapsedInMs: own },
        nothingKnown,
        terms,
        savableShare(nothingKnown, unhindered, own),
      );
  return { gap, tolerance };
}
