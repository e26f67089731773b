import { forecastsOf } from "./forecast.ts";
import { uninformed } from "./hazard.ts";
import type { Background } from "./hazard.ts";
import { beliefOf } from "./plan.ts";
import type { Survival } from "./plan.ts";
import type { PollHistory, RemainingEstimate } from "./schedule.ts";

/** The terms do not matter where only the age of an operation is asked for. */
const nothingKnown: Background = uninformed({
  pollCostInMs: 1000,
  minDelayInMs: 1000,
  maxDelayInMs: Infinity,
});

/** Below this, what the bar says is a guess. */
const leastTrust = 0.3;
/** How much of its weight a forecast loses for slipping: a schedule is guarded against a wrong bar, a reader is not. */
const lossPerSlip = 3;

/** How long the operation will still take, going by its percentage alone; `undefined` where it would be a guess. */
export function estimateRemaining(history: PollHistory): RemainingEstimate | undefined {
  return estimateFrom(history, nothingKnown, false);
}

/** The same, going by what is known of the kind of operation too. */
export function estimateFrom(
  history: PollHistory,
  background: Background,
  hasPast: boolean,
): RemainingEstimate | undefined {
  const { elapsedInMs, progress } = history;
  const said = progress === undefined ? [] : forecastsOf(progress, elapsedInMs);
  const forecasts = said.map((forecast) => ({
    ...forecast,
    weight: forecast.weight / (1 + lossPerSlip * forecast.slip),
  }));
  const trust = forecasts.reduce((sum, { weight }) => sum + weight, 0);
  if (!hasPast && trust < leastTrust) return undefined;
  const belief = beliefOf(background, forecasts, elapsedInMs);
  const remaining = (share: number): number => quantile(belief, elapsedInMs, share) - elapsedInMs;
  return {
    estimatedRemainingInMs: remaining(0.5),
    estimatedRemainingRangeInMs: [remaining(0.1), remaining(0.9)],
  };
}

/** The moment by which the given share of what is believed has ended. */
function quantile(belief: Survival, from: number, share: number): number {
  const isBefore = (at: number): boolean => belief(at) > 1 - share;
  let [low, width] = [from, Math.max(1, from / 64)];
  while (width < Number.MAX_SAFE_INTEGER && isBefore(low + width)) {
    low += width;
    width *= 2;
  }
  for (let halvings = 0; halvings < 20; halvings++) {
    width /= 2;
    if (isBefore(low + width)) low += width;
  }
  return low;
}
