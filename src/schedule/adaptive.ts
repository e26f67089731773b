import { checkDuration } from "../validate.ts";
import { learnedFrom } from "./duration-model.ts";
import type { Learned } from "./duration-model.ts";
import { forecastsOf } from "./forecast.ts";
import { gapOf, hazardTimesAge, longestDelay, uninformed } from "./hazard.ts";
import type { Prior, Terms } from "./hazard.ts";
import { cheapestPlan, momentsAhead, posteriorOf } from "./plan.ts";
import { checkPastDurations, hasEnded, hasFailed } from "./past-durations.ts";
import type { PastDuration } from "./past-durations.ts";
import { withinRegretBound } from "./regret-bound.ts";
import { estimateRemaining } from "./remaining-time.ts";
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
 * right on this operation. A misleading percentage costs at most the polls that it has saved.
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

function learnedOr(past: readonly PastDuration[], terms: Terms): Prior & Partial<Learned> {
  return past.some(hasEnded) ? learnedFrom(past, terms) : uninformed(terms);
}

/** The longest delay by default, as a share of the time since the wait started. */
const defaultMaxDelayShare = 0.05;
/** A wait whose age may be wrong has gaps of at most so many times those without it. */
const maxGrowthByAge = 2;
/** Past operations doubt an age that fewer of them reached. */
const minShareOfAge = 0.1;

/** The milliseconds since the wait started: the only time that is certain. */
function ownTime({ elapsedInMs, ageAtStartInMs = 0 }: PollHistory): number {
  return elapsedInMs - ageAtStartInMs;
}

/** Returns the wait before jitter, and the tolerance that limits the jitter. */
function wantedGap(
  history: PollHistory,
  prior: Prior,
  nothingKnown: Prior,
  terms: Terms,
): { gap: number; tolerance: number } {
  const { elapsedInMs, ageAtStartInMs = 0, progress, pollCount } = history;
  const own = ownTime(history);
  const maxGap = maxGrowthByAge * gapOf(nothingKnown, own, terms);
  const forecasts = forecastsOf(progress, elapsedInMs);
  if (forecasts.length === 0 && !prior.isInformed) {
    // One that is joined at any moment of its life is nearer to its end than its age alone says.
    const nearness = Math.sqrt(1 + ageAtStartInMs / Math.max(1, elapsedInMs) / hazardTimesAge);
    const gap = Math.min(maxGap, (prior.ahead(elapsedInMs, 1) - elapsedInMs) / nearness);
    return { gap, tolerance: gap };
  }
  const moments = momentsAhead(prior, forecasts, elapsedInMs);
  const posterior = posteriorOf(prior, forecasts, elapsedInMs);
  const { gapInMs, gapAfterInMs: tolerance } = cheapestPlan(moments, posterior, prior, terms);
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
    : withinRegretBound(gapInMs, { ...history, elapsedInMs: own }, nothingKnown, terms);
  return { gap, tolerance };
}
