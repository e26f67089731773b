import { hazardTimesAge } from "./hazard.ts";
import { densityAt, distributionOfLogs, longerThan, normalFit } from "./log-normal.ts";
import type { LogDuration, Normal } from "./log-normal.ts";
import type { PastDuration } from "./past-durations.ts";

/** A distribution of the logarithm of a duration. */
interface Mixture {
  /** Returns the share that takes longer than the duration with this logarithm. */
  survival(log: number): number;
  /** All but very few of the operations like the past ones end between these. */
  readonly first: number;
  readonly last: number;
}

/** One of the normal distributions that an estimate consists of. */
interface Kernel extends Normal {
  readonly share: number;
}

/** An estimate of the distribution, and its mean logarithmic score. */
interface Candidate {
  readonly kernels: readonly Kernel[];
  readonly score: number;
}

/** More durations than this are thinned to as many quantiles. */
const maxLogs = 200;
/** Durations of one kind differ by at least so much, even where a few of them say otherwise. */
const minWidth = 0.05;
/** The width of a duration without near neighbours. */
const defaultWidth = 0.5;
/** Kernels are so many times as wide as the distance to their neighbours. */
const widthFactors: readonly number[] = [1, 2];
/** How many operations count as unlike the past ones. */
const unlikeCount = 0.5;
/** No past duration counts as less likely, so that one alone does not decide against an estimate. */
const minDensity = 0.02;

/**
 * Mixes three estimates: one log-normal law, and kernels of two widths around each duration, which keep two modes apart.
 * Each counts as much as it predicts every past duration from the others. Half an operation more counts as unlike all of
 * them.
 */
export function mixtureOf(past: readonly PastDuration[]): Mixture {
  const logs = thinned(distributionOfLogs(past));
  const kernels = mixed(candidatesOf(logs, past.length), past.length);
  const unlike = unlikeCount / (past.length + unlikeCount);
  const median = logs[logs.length >> 1]?.log ?? 0;
  return {
    survival: (log) => {
      const alike = sumOf(kernels, (kernel) => kernel.share * longerThan(kernel, log));
      return (1 - unlike) * alike + unlike * (1 + Math.exp(log - median)) ** -hazardTimesAge;
    },
    first: Math.min(...kernels.map(({ log, width }) => log - 6 * width)),
    last: Math.max(...kernels.map(({ log, width }) => log + 6 * width)),
  };
}

/** Keeps at most as many as `maxLogs`, evenly. */
function thinned(logs: readonly LogDuration[]): readonly LogDuration[] {
  const rankOf = (i: number): number => Math.ceil((i * maxLogs) / logs.length - 0.5);
  return logs.filter((_, i) => rankOf(i) < rankOf(i + 1));
}

function candidatesOf(logs: readonly LogDuration[], originalCount: number): readonly Candidate[] {
  const fit = fitOf(logs);
  const points = pointsOf(logs, fit, originalCount);
  const candidates = widthFactors.map((factor) => {
    const kernels = points.map((point) => ({ ...point, width: Math.max(minWidth, factor * point.width) }));
    const score = sumOf(kernels, (kernel) => kernel.share * scoreOf(densityOfOthers(kernels, kernel)));
    return { kernels, score };
  });
  if (fit === undefined || points.length < minForFit) return candidates;
  const ended = logs.filter(({ hasEnded }) => hasEnded);
  const sumOfScores = sumOf(ended, (left) =>
    scoreOf(densityAt(fitOf(logs.filter((one) => one !== left)) ?? fit, left.log)),
  );
  return [...candidates, { kernels: [{ ...fit, share: 1 }], score: sumOfScores / ended.length }];
}

function fitOf(logs: readonly LogDuration[]): Normal | undefined {
  const fit = normalFit(logs);
  return fit && { ...fit, width: Math.max(minWidth, fit.width) };
}

/** Fewer durations than this have no shape. */
const minForFit = 4;

/**
 * Distributes the share of each operation that still ran among those that took longer. The rest, beyond the last, lies
 * where the fit expects it. The width is the distance to the k-th neighbour on the nearer side, k being half the square
 * root of the number of durations.
 */
function pointsOf(
  logs: readonly LogDuration[],
  fit: Normal | undefined,
  originalCount: number,
): readonly Kernel[] {
  const points: Omit<Kernel, "width">[] = [];
  let alive = 1;
  for (const [i, { log, hasEnded }] of logs.entries()) {
    if (!hasEnded) continue;
    const share = alive / (logs.length - i);
    points.push({ log, share });
    alive -= share;
  }
  const lastLog = logs.at(-1)?.log ?? 0;
  if (alive > 0) points.push({ log: lastLog + (fit?.width ?? defaultWidth) / 2, share: alive });
  const k = Math.max(1, Math.round(points.length / Math.sqrt(originalCount) / 2));
  return points.map((point, i) => {
    // Not the mean of both sides: at the edge of a mode, the other side extends to the next mode.
    const below = point.log - (points[i - k]?.log ?? -Infinity);
    const above = (points[i + k]?.log ?? Infinity) - point.log;
    return { ...point, width: Math.min(below, above, defaultWidth) };
  });
}

function scoreOf(density: number): number {
  return Math.log(minDensity + density);
}

function densityOfOthers(kernels: readonly Kernel[], left: Kernel): number {
  const sum = sumOf(kernels, (kernel) => (kernel === left ? 0 : kernel.share * densityAt(kernel, left.log)));
  return left.share < 1 ? sum / (1 - left.share) : 0;
}

function mixed(candidates: readonly Candidate[], count: number): readonly Kernel[] {
  const best = Math.max(...candidates.map(({ score }) => score));
  const weightOf = ({ score }: Candidate): number => Math.exp(count * (score - best));
  const total = sumOf(candidates, weightOf);
  return candidates
    .flatMap((candidate) =>
      candidate.kernels.map((kernel) => ({
        ...kernel,
        share: (kernel.share * weightOf(candidate)) / total,
      })),
    )
    .filter(({ share }) => share > 1e-6);
}

function sumOf<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}
