import { forecastsOf, noiseOf, trustIn } from "./forecast.ts";
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
export type KnownDurations = Prior & { readonly ranks?: Ranks };

/** The terms do not matter for survival. */
const nothingKnown: Prior = uninformed({ pollCostInMs: 1000, minDelayInMs: 1000, maxDelayInMs: Infinity });

/** With less trust in the percentage, an estimate would be a guess. */
const minTrust = 0.3;
/** How much weight a forecast loses for its relative error: a regret bound protects a schedule, but no estimate. */
const lossPerError = 3;

/** The time to the end, in milliseconds: the median, and the 80 % interval if the data allow one. */
interface Remaining {
  readonly median: number;
  readonly range?: readonly [number, number];
}

/** Estimates how long the operation will still take. Returns `undefined` if the data do not allow an estimate. */
export function estimateRemaining(
  history: PollHistory,
  known: KnownDurations = nothingKnown,
): RemainingEstimate | undefined {
  const remaining = remainingOf(history, known);
  const isOverdue = isBeyond(history, known);
  if (remaining === undefined && !isOverdue) return undefined;
  return {
    estimatedRemainingInMs: remaining?.median,
    estimatedRemainingRangeInMs: remaining?.range,
    isOverdue,
  };
}

function remainingOf({ elapsedInMs, progress }: PollHistory, prior: KnownDurations): Remaining | undefined {
  const forecasts = cautious(forecastsOf(progress, elapsedInMs));
  if (progress !== undefined && !prior.isInformed) {
    return remainingByPercentage(progress, forecasts, prior, elapsedInMs);
  }
  if (!prior.isInformed) return undefined;
  if (forecasts.length > 0) return remainingBetween(prior, forecasts, elapsedInMs, [0.1, 0.9]);
  const interval = prior.ranks && intervalAt(prior.ranks, elapsedInMs);
  if (interval === undefined)
    return { median: quantile(posteriorOf(prior, forecasts, elapsedInMs), elapsedInMs, 0.5) - elapsedInMs };
  const [min, max] = interval.range;
  return { median: interval.median - elapsedInMs, range: [min - elapsedInMs, max - elapsedInMs] };
}

/** Returns the median and the interval between two shares of the operations that are then at their end. */
function remainingBetween(
  prior: Prior,
  forecasts: readonly Forecast[],
  elapsedInMs: number,
  [low, high]: readonly [number, number],
): Required<Remaining> {
  const posterior = posteriorOf(prior, forecasts, elapsedInMs);
  const remaining = (share: number): number => quantile(posterior, elapsedInMs, share) - elapsedInMs;
  return { median: remaining(0.5), range: [remaining(low), remaining(high)] };
}

/** Levels without which a percentage says nothing. */
const minLevels = 2;
/** Measured: an early end is missed at few polls, a late one at many. */
const sharesAtEnd = [0.08, 0.86] as const;
/** A percentage that slows down is expected to slow down further, to so much of its present slowing at most. */
const maxDrift = 0.8;
/** The part of the time so far after which the drift is measured. */
const driftFrom = 0.75;

function remainingByPercentage(
  progress: ProgressHistory,
  forecasts: readonly Forecast[],
  prior: Prior,
  elapsedInMs: number,
): Remaining | undefined {
  if (progress.points.length < minLevels || isErratic(progress)) return undefined;
  if (isStuck(progress, elapsedInMs)) return remainingByAge(elapsedInMs);
  if (trustIn(forecasts) < minTrust) return undefined;
  const { median, range } = remainingBetween(prior, forecasts, elapsedInMs, sharesAtEnd);
  const drift = Math.min(maxDrift, Math.max(0, driftOf(progress, forecasts)));
  return { median, range: [range[0], range[1] / (1 - drift)] };
}

/** Returns by how many milliseconds the expected end has moved with each one that passed. */
function driftOf(progress: ProgressHistory, forecasts: readonly Forecast[]): number {
  const shorter = latestAt(progress, driftFrom * progress.latestInMs);
  if (shorter === undefined) return 0;
  const before = forecastsOf(shorter, shorter.latestInMs);
  if (before.length === 0) return 0;
  return (meanEndOf(forecasts) - meanEndOf(before)) / (progress.latestInMs - shorter.latestInMs);
}

function meanEndOf(forecasts: readonly Forecast[]): number {
  return forecasts.reduce((sum, { endInMs, weight }) => sum + endInMs * weight, 0) / trustIn(forecasts);
}

/** With more noise than this, or a larger drop besides it, a percentage is ignored. In percent. */
const [maxNoise, maxDrop, noisesInDrop] = [8, 12, 2];

function isErratic(progress: ProgressHistory): boolean {
  const noise = noiseOf(progress);
  let [highest, drop] = [0, 0];
  for (const { percent } of progress.points) {
    highest = Math.max(highest, percent);
    drop = Math.max(drop, highest - percent);
  }
  return noise > maxNoise || drop > maxDrop + noisesInDrop * noise;
}

/** A percentage that stands still for so many times its longest step so far is stuck. */
const stuckAfter = 1.5;

function isStuck({ points }: ProgressHistory, elapsedInMs: number): boolean {
  const steps = points.map(({ atInMs }, i) => atInMs - (points[i - 1]?.atInMs ?? 0));
  const { atInMs = 0, percent = 0 } = points.at(-1) ?? {};
  return percent >= 100 || elapsedInMs - atInMs > stuckAfter * Math.max(...steps);
}

/** Where a percentage says no more, the age does: the longer an operation has run, the longer it will. */
function remainingByAge(elapsedInMs: number): Remaining {
  const [low, median, high] = timesOfAge;
  return { median: median * elapsedInMs, range: [low * elapsedInMs, high * elapsedInMs] };
}

/** Polls are dense as the root of the age: 80 of 100 are between 0.15 and 0.95 of the root of the whole duration. */
const timesOfAge = [0.1, 1.5, 43] as const;

/**
 * Returns whether the operation runs beyond the upper end of an earlier interval. With a percentage, that is the one at
 * its latest new level, or at half the elapsed time. Else it is that of the past durations before the start.
 */
function isBeyond({ elapsedInMs, progress }: PollHistory, known: KnownDurations): boolean {
  const moments = progress === undefined ? [] : [Infinity, elapsedInMs / 2];
  const earlier = moments.flatMap((atInMs) => (progress && latestAt(progress, atInMs)) ?? []);
  const expected = earlier.flatMap((shorter) => {
    // An interval that begins now cannot be exceeded yet.
    if (shorter.latestInMs === elapsedInMs) return () => 1;
    const forecasts = cautious(forecastsOf(shorter, shorter.latestInMs));
    return trustIn(forecasts) < minTrust ? [] : posteriorOf(known, forecasts, shorter.latestInMs);
  });
  if (expected.length > 0) return expected.some((posterior) => posterior(elapsedInMs) < 0.1);
  const [, max = Infinity] = (known.ranks && intervalAt(known.ranks, 0))?.range ?? [];
  return elapsedInMs > max;
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

/** Returns the moment by which the operation has ended with the given probability. */
function quantile(posterior: Survival, from: number, share: number): number {
  const isBefore = (at: number): boolean => posterior(at) > 1 - share;
  let [low, width] = [from, Math.max(1, from / 64)];
  while (width < Number.MAX_SAFE_INTEGER && isBefore(low + width)) {
    low += width;
    width *= 2;
  }
  for (let i = 0; i < 14; i++) {
    width /= 2;
    if (isBefore(low + width)) low += width;
  }
  return low;
}
