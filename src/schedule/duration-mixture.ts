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
      const alike = kernels.reduce((sum, kernel) => sum + kernel.share * longerThan(kernel, log), 0);
      return (1 - unlike) * alike + unlike * (1 + Math.exp(log - median)) ** -hazardTimesAge;
    },
    first: Math.min(...kernels.map(({ log, width }) => log - 6 * width)),
    last: Math.max(...kernels.map(({ log, width }) => log + 6 * width)),
  };
}

function thinned(logs: readonly LogDuration[]): readonly LogDuration[] {
  if (logs.length <= maxLogs) return logs;
  return Array.from(
    { length: maxLogs },
    (_, i) => logs[Math.floor(((i + 0.5) * logs.length) / maxLogs)] ?? [],
  ).flat();
}

function candidatesOf(logs: readonly LogDuration[], originalCount: number): readonly Candidate[] {
  const fit = fitOf(logs);
  const points = pointsOf(logs, fit);
  const distances = distancesOf(
    points.map(({ log }) => log),
    originalCount,
  );
  const candidates = widthFactors.map((factor) => {
    const kernels = points.map((point, i): Kernel => {
      return { ...point, width: Math.max(minWidth, factor * (distances[i] ?? defaultWidth)) };
    });
    return { kernels, score: scoreOf(points, (i) => densityOfOthers(kernels, i)) };
  });
  if (fit === undefined || points.length < minForFit) return candidates;
  const fitOfOthers = (i: number): Normal => fitOf(logs.filter((_, j) => j !== i)) ?? fit;
  const ended = logs.flatMap(({ log, hasEnded }, i) => (hasEnded ? { log, i, share: 1 / logs.length } : []));
  const score = scoreOf(ended, (i) => densityAt(fitOfOthers(ended[i]?.i ?? 0), ended[i]?.log ?? 0));
  return [...candidates, { kernels: [{ ...fit, share: 1 }], score: score / sumOf(ended) }];
}

function fitOf(logs: readonly LogDuration[]): Normal | undefined {
  const fit = normalFit(logs);
  return fit && { ...fit, width: Math.max(minWidth, fit.width) };
}

/** Fewer durations than this have no shape. */
const minForFit = 4;

/**
 * Distributes the share of each operation that still ran among those that took longer. What is left beyond the last lies
 * where the fit expects it.
 */
function pointsOf(logs: readonly LogDuration[], fit: Normal | undefined): readonly Omit<Kernel, "width">[] {
  const points: { log: number; share: number }[] = [];
  let alive = 1;
  for (const [i, { log, hasEnded }] of logs.entries()) {
    if (!hasEnded) continue;
    const share = alive / (logs.length - i);
    points.push({ log, share });
    alive -= share;
  }
  const last = logs.at(-1);
  if (last === undefined || last.hasEnded) return points;
  return [...points, { log: last.log + (fit?.width ?? defaultWidth) / 2, share: alive }];
}

function scoreOf(points: readonly { readonly share: number }[], densityOf: (i: number) => number): number {
  return points.reduce((sum, { share }, i) => sum + share * Math.log(minDensity + densityOf(i)), 0);
}

function sumOf(points: readonly { readonly share: number }[]): number {
  return points.reduce((sum, { share }) => sum + share, 0);
}

function densityOfOthers(kernels: readonly Kernel[], index: number): number {
  const { log = 0, share = 0 } = kernels[index] ?? {};
  let sum = 0;
  for (const [i, kernel] of kernels.entries()) if (i !== index) sum += kernel.share * densityAt(kernel, log);
  return share < 1 ? sum / (1 - share) : 0;
}

function mixed(candidates: readonly Candidate[], count: number): readonly Kernel[] {
  const best = Math.max(...candidates.map(({ score }) => score));
  const weights = candidates.map(({ score }) => Math.exp(count * (score - best)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return candidates
    .flatMap(({ kernels }, i) =>
      kernels.map((kernel) => ({ ...kernel, share: (kernel.share * (weights[i] ?? 0)) / total })),
    )
    .filter(({ share }) => share > 1e-6);
}

/** The distance to the k-th neighbour on the nearer side, k being half the square root of the number of durations. */
function distancesOf(logs: readonly number[], originalCount: number): readonly number[] {
  const k = Math.max(1, Math.round((Math.sqrt(originalCount) * logs.length) / originalCount / 2));
  return logs.map((log, i) => {
    // Not the mean of both sides: at the edge of a mode, the other side extends to the next mode.
    const below = i >= k ? log - (logs[i - k] ?? 0) : Infinity;
    const above = i + k < logs.length ? (logs[i + k] ?? 0) - log : Infinity;
    const nearer = Math.min(below, above);
    return Math.min(nearer, defaultWidth);
  });
}
