import { forecastsOf } from "./forecast.ts";
import { uninformed } from "./hazard.ts";
import type { Prior } from "./hazard.ts";
import { posteriorOf } from "./plan.ts";
import type { Survival } from "./plan.ts";
import type { PollHistory, RemainingEstimate } from "./schedule.ts";

/** The terms do not matter for survival. */
const uninformedPrior: Prior = uninformed({ pollCostInMs: 1000, minDelayInMs: 1000, maxDelayInMs: Infinity });

/** With less trust in the percentage, an estimate would be a guess. */
const minTrust = 0.3;
/** How much weight a forecast loses for its relative error: a regret bound protects a schedule, but no estimate. */
const lossPerError = 3;

/** Estimates how long the operation will still take; `undefined` where it would be a guess. */
export function estimateRemaining(
  { elapsedInMs, progress }: PollHistory,
  prior: Prior = uninformedPrior,
): RemainingEstimate | undefined {
  const forecasts = forecastsOf(progress, elapsedInMs).map((forecast) => ({
    ...forecast,
    weight: forecast.weight / (1 + lossPerError * forecast.relativeError),
  }));
  const trust = forecasts.reduce((sum, { weight }) => sum + weight, 0);
  if (!prior.isInformed && trust < minTrust) return undefined;
  const posterior = posteriorOf(prior, forecasts, elapsedInMs);
  const remaining = (share: number): number => quantile(posterior, elapsedInMs, share) - elapsedInMs;
  return {
    estimatedRemainingInMs: remaining(0.5),
    estimatedRemainingRangeInMs: [remaining(0.1), remaining(0.9)],
  };
}

/** Returns the moment by which the operation has ended with the given probability. */
function quantile(posterior: Survival, from: number, share: number): number {
  const isBefore = (at: number): boolean => posterior(at) > 1 - share;
  let [low, width] = [from, Math.max(1, from / 64)];
  while (width < Number.MAX_SAFE_INTEGER && isBefore(low + width)) {
    low += width;
    width *= 2;
  }
  for (let i = 0; i < 20; i++) {
    width /= 2;
    if (isBefore(low + width)) low += width;
  }
  return low;
}
