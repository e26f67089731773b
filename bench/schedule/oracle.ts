import { uninformed, uninformedOutlook } from "../../src/schedule/hazard.ts";
import { cheapestPlan, momentsAhead, posteriorOf } from "../../src/schedule/plan.ts";
import { withinRegretBound } from "../../src/schedule/regret-bound.ts";
import { withJitterUpTo } from "../../src/schedule/schedule.ts";
import type { PollHistory, Schedule } from "../../src/schedule/schedule.ts";

/** The scale of a logistic distribution with a standard deviation of 1. */
const scaleOfDeviation = Math.sqrt(3) / Math.PI;
/** As `adaptive`: of the operations with a trusted percentage, few end without warning. */
const [trust, shareWithoutWarning] = [0.9, 0.15];

/**
 * Plans as `adaptive` does, within the same regret bound, but knows what no schedule can. The percentage is proportional
 * to the time, and its levels scatter by a known standard deviation, in percent. `boundShare` is how much of the regret
 * bound's extension it may use.
 */
export function oracle(deviation: number, pollCostInMs: number, boundShare = 1): Schedule {
  const terms = { pollCostInMs, minDelayInMs: 500, maxDelayInMs: Infinity };
  const prior = uninformed(terms);
  const outlook = uninformedOutlook(pollCostInMs, shareWithoutWarning);
  return (history, random) => {
    const forecasts = forecastOf(history, deviation);
    const { gapInMs, gapAfterInMs } = cheapestPlan(
      momentsAhead(outlook, forecasts, history.elapsedInMs),
      posteriorOf(outlook, forecasts, history.elapsedInMs),
      outlook,
      terms,
    );
    const gap = withinRegretBound(gapInMs, history, prior, terms, boundShare);
    return withJitterUpTo(Infinity, gap, terms.minDelayInMs, random, gapAfterInMs);
  };
}

/** The end by least squares through the origin, with the error of those. */
function forecastOf(
  { progress, elapsedInMs }: PollHistory,
  deviation: number,
): Parameters<typeof posteriorOf>[1] {
  let [ty, tt] = [0, 0];
  for (const { atInMs, percent, levels } of progress?.points ?? []) {
    // Percentages are rounded down.
    ty += levels * atInMs * (percent + 0.5);
    tt += levels * atInMs ** 2;
  }
  const speed = ty / tt;
  if (!(speed > 0)) return [];
  const endInMs = 100 / speed;
  const errorInMs = ((deviation / Math.sqrt(tt)) * endInMs) / speed;
  return [
    {
      endInMs: Math.max(endInMs, elapsedInMs / 2),
      scaleInMs: scaleOfDeviation * errorInMs,
      weight: trust,
      relativeError: 0,
    },
  ];
}
