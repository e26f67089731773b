import { checkDuration } from "../validate.ts";
import { estimateFrom } from "./remaining-time.ts";
import { forecastsOf } from "./forecast.ts";
import { withinRegretBound } from "./regret-bound.ts";
import { gapOf, uninformed } from "./hazard.ts";
import type { Background, Terms } from "./hazard.ts";
import { learnedFrom } from "./duration-model.ts";
import { beliefOf, cheapestPlan, momentsAhead } from "./plan.ts";
import { spreadUpTo } from "./schedule.ts";
import type { PollHistory, Schedule } from "./schedule.ts";

/** What a wait costs, in words of one number. */
export interface AdaptiveScheduleOptions {
  /** How much lateness one status request is worth, in milliseconds. Default 1000. */
  readonly pollCostInMs?: number;
  /** The shortest wait between reads, in milliseconds. Default 1000. */
  readonly minDelayInMs?: number;
  /** The longest wait between reads, in milliseconds. Default 30 000. `Infinity` is allowed. */
  readonly maxDelayInMs?: number;
  /**
   * How long earlier operations of this kind took, in milliseconds, in any order; failed ones too. 20 are plenty,
   * thousands do no harm. None by default.
   */
  readonly pastDurationsInMs?: readonly number[];
}

/** What a request is worth to who does not say. */
export const defaultPollCostInMs = 1000;

/**
 * The default: spends reads so that lateness plus reads times their price is least.
 *
 * Nothing being known of how long the operation takes, the chance that it ends in the next moment is taken as
 * one in its age. What earlier operations took replaces that guess as far as they reach. `percentComplete` sharpens
 * it, as far as it was right so far on this operation; reads that were saved on its word are all that it may lose.
 *
 * @throws RangeError when an option is negative, not a number, or the bounds are the wrong way round
 */
export function adaptive(options: AdaptiveScheduleOptions = {}): Schedule {
  const { pollCostInMs = defaultPollCostInMs, pastDurationsInMs = [] } = options;
  const { minDelayInMs = 1000, maxDelayInMs = 30_000 } = options;
  checkDuration("pollCostInMs", pollCostInMs, { positive: true });
  checkDuration("minDelayInMs", minDelayInMs);
  checkDuration("maxDelayInMs", maxDelayInMs, { allowInfinity: true });
  if (minDelayInMs > maxDelayInMs) {
    throw new RangeError(`minDelayInMs (${minDelayInMs}) must not be above maxDelayInMs (${maxDelayInMs})`);
  }
  if (!Array.isArray(pastDurationsInMs))
    throw new TypeError(`pastDurationsInMs: expected an array, got ${typeof pastDurationsInMs}`);
  for (const duration of pastDurationsInMs) checkPastDuration(duration);
  const terms = { pollCostInMs, minDelayInMs, maxDelayInMs };
  const background = pastDurationsInMs.length > 0 ? learnedFrom(pastDurationsInMs, terms) : uninformed(terms);
  const hasPast = pastDurationsInMs.length > 0;
  const schedule = (history: PollHistory, random: () => number): number => {
    const { gap, tolerance } = wantedGap(history, background, terms, hasPast);
    return spreadUpTo(maxDelayInMs, gap, minDelayInMs, random, tolerance);
  };
  return Object.assign(schedule, {
    estimate: (history: PollHistory) => estimateFrom(history, background, hasPast),
  });
}

/** Beyond these nothing took place, and the arithmetic of laws would overflow. */
const [shortestPastInMs, longestPastInMs] = [1, 1e12];

function checkPastDuration(durationInMs: number): void {
  if (durationInMs >= shortestPastInMs && durationInMs <= longestPastInMs) return;
  throw new RangeError(
    `pastDurationsInMs: expected milliseconds from ${shortestPastInMs} to ${longestPastInMs}, got ${durationInMs}`,
  );
}

/** The wait before the spreading, and how exact it is meant. */
function wantedGap(
  history: PollHistory,
  background: Background,
  terms: Terms,
  hasPast: boolean,
): { gap: number; tolerance: number } {
  const { elapsedInMs, progress } = history;
  const forecasts = progress === undefined ? [] : forecastsOf(progress, elapsedInMs);
  if (forecasts.length === 0 && !hasPast) {
    const gap = gapOf(background, elapsedInMs, terms);
    return { gap, tolerance: gap };
  }
  const moments = momentsAhead(background, forecasts, elapsedInMs);
  const belief = beliefOf(background, forecasts, elapsedInMs);
  const { gapInMs, gapAfterInMs } = cheapestPlan(moments, belief, background, terms);
  const gap = forecasts.length === 0 ? gapInMs : withinRegretBound(gapInMs, history, background, terms);
  return { gap, tolerance: gapAfterInMs };
}
