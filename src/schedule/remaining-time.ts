import { forecastsOf } from "./forecast.ts";
import type { Forecast } from "./forecast.ts";
import { uninformed } from "./hazard.ts";
import type { Prior } from "./hazard.ts";
import { intervalAt } from "./past-ranks.ts";
import type { Ranks } from "./past-ranks.ts";
import { posteriorOf } from "./plan.ts";
import type { Survival } from "./plan.ts";
import type { ProgressHistory } from "./progress-history.ts";
import type { PollHistory, RemainingEstimate } from "./schedule.ts";

/** The prior, and the ranks of the past durations that it comes from. */
type KnownDurations = Prior & { readonly ranks?: Ranks };

/** The terms do not matter for survival. */
const nothingKnown: Prior = uninformed({ pollCostInMs: 1000, minDelayInMs: 1000, maxDelayInMs: Infinity });

/** With less trust in the percentage, an estimate would be a guess. */
const minTrust = 0.3;
/** How much weight a forecast loses for its relative error: a regret bound protects a schedule, but no estimate. */
const lossPerError = 3;

type Times = Pick<RemainingEstimate, "estimatedRemainingInMs" | "estimatedRemainingRangeInMs">;

/** Estimates how long the operation will still take; `undefined` where it would be a guess. */
export function estimateRemaining(
  history: PollHistory,
  known: KnownDurations = nothingKnown,
): RemainingEstimate | undefined {
  const times = timesOf(history, known);
  const isOverdue = isBeyond(history, known);
  if (times === undefined && !isOverdue) return undefined;
  return { estimatedRemainingInMs: undefined, estimatedRemainingRangeInMs: undefined, ...times, isOverdue };
}

function timesOf({ elapsedInMs, progress }: PollHistory, prior: KnownDurations): Times | undefined {
  const forecasts = cautious(forecastsOf(progress, elapsedInMs));
  if (!prior.isInformed && trustIn(forecasts) < minTrust) return undefined;
  const posterior = posteriorOf(prior, forecasts, elapsedInMs);
  const remaining = (share: number): number => quantile(posterior, elapsedInMs, share) - elapsedInMs;
  if (forecasts.length > 0) {
    return {
      estimatedRemainingInMs: remaining(0.5),
      estimatedRemainingRangeInMs: [remaining(0.1), remaining(0.9)],
    };
  }
  const interval = prior.ranks && intervalAt(prior.ranks, elapsedInMs);
  if (interval === undefined) {
    return { estimatedRemainingInMs: remaining(0.5), estimatedRemainingRangeInMs: undefined };
  }
  const [min, max] = interval.range;
  return {
    estimatedRemainingInMs: interval.median - elapsedInMs,
    estimatedRemainingRangeInMs: [min - elapsedInMs, max - elapsedInMs],
  };
}

/**
 * Returns whether the operation runs beyond the interval that was expected: the one at the latest new level of the
 * percentage, the one at half the elapsed time, or else the one of the past durations before it started.
 */
function isBeyond({ elapsedInMs, progress, pollCount }: PollHistory, known: KnownDurations): boolean {
  const earlier = [progress?.points.at(-1)?.atInMs, elapsedInMs / 2].map((atInMs) =>
    progress === undefined || atInMs === undefined ? undefined : latestAt(progress, atInMs),
  );
  const ends = earlier.flatMap((shorter) => {
    if (shorter === undefined) return [];
    const { latestInMs } = shorter;
    const trust = trustIn(cautious(forecastsOf(shorter, latestInMs)));
    if (trust < minTrust) return [];
    const times = timesOf({ elapsedInMs: latestInMs, progress: shorter, pollCount }, known);
    const [, max] = times?.estimatedRemainingRangeInMs ?? [];
    return max === undefined ? [] : latestInMs + max;
  });
  const [, max] = (known.ranks && intervalAt(known.ranks, 0))?.range ?? [];
  if (ends.length === 0) return max !== undefined && elapsedInMs > max;
  return elapsedInMs > Math.min(...ends);
}

/** Returns the history as it was at the last new level until `atInMs`; `undefined` if there was none. */
function latestAt(progress: ProgressHistory, atInMs: number): ProgressHistory | undefined {
  const points = progress.points.filter((point) => point.atInMs <= atInMs);
  const latestInMs = points.at(-1)?.atInMs;
  return latestInMs === undefined ? undefined : { ...progress, points, latestInMs };
}

function cautious(forecasts: readonly Forecast[]): readonly Forecast[] {
  return forecasts.map((forecast) => ({
    ...forecast,
    weight: forecast.weight / (1 + lossPerError * forecast.relativeError),
  }));
}

function trustIn(forecasts: readonly Forecast[]): number {
  return forecasts.reduce((sum, { weight }) => sum + weight, 0);
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
