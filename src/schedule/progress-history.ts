/** A level of the percentage, first seen at a moment; or the mean of some that came after each other. */
export interface ProgressPoint {
  /** When it was seen there, in milliseconds since the wait began. */
  readonly atInMs: number;
  /** The last read before that, in milliseconds: the level was reached in between. */
  readonly afterInMs: number;
  /** The level, 0 to 100. */
  readonly percent: number;
  /** How many levels this is the mean of. */
  readonly levels: number;
}

/**
 * How `percentComplete` has moved so far on one operation. Its content is private to this library: pass it on as it is.
 * It is small, of a fixed size, and plain JSON.
 */
export interface ProgressHistory {
  /** @internal Changes of level, oldest first; at most 12. Where there were more, the older ones are means. */
  readonly points: readonly ProgressPoint[];
  /** @internal When the percentage was last reported, in milliseconds since the wait started. */
  readonly latestInMs: number;
  /** @internal The number that every percentage so far is a multiple of; 0 before the first above 0. */
  readonly quantum: number;
  /** @internal How far levels are from the line between their neighbours, in percent: the mean of the square roots. */
  readonly roughness: { readonly meanRoot: number; readonly count: number };
}

/** One answer's percentage. */
export interface ReportedProgress {
  /** Milliseconds since the wait began. */
  readonly elapsedInMs: number;
  /** 0 to 100; `undefined` where the service reported none. */
  readonly percentComplete?: number | undefined;
}

const mostPoints = 12;
const newestPoints = 3;
/** A thousandth of a percent: finer steps make no difference. */
const stepsInPercent = 1000;

/** The record after one more answer. An answer without a percentage changes nothing. */
export function observeProgress(
  record: ProgressHistory | undefined,
  { elapsedInMs, percentComplete }: ReportedProgress,
): ProgressHistory | undefined {
  if (percentComplete === undefined) return record;
  const { points = [], roughness = smooth } = record ?? {};
  const point = {
    atInMs: elapsedInMs,
    afterInMs: record?.latestInMs ?? elapsedInMs,
    percent: percentComplete,
    levels: 1,
  };
  const isNew = stepsBetween(points.at(-1)?.percent, percentComplete) >= 0.5;
  const longer = isNew ? [...points, point] : points;
  return {
    points: thinned(longer),
    latestInMs: elapsedInMs,
    quantum: commonQuantum(record?.quantum ?? 0, percentComplete),
    roughness: isNew && points.length > 1 ? rougher(roughness, longer.slice(-3)) : roughness,
  };
}

const smooth: ProgressHistory["roughness"] = { meanRoot: 0, count: 0 };

/** The mean goes over roots, so that one jump among many steps does not count as roughness. */
function rougher(
  { meanRoot, count }: ProgressHistory["roughness"],
  [before, between, after]: readonly ProgressPoint[],
): ProgressHistory["roughness"] {
  if (before === undefined || between === undefined || after === undefined) return { meanRoot, count };
  const span = after.atInMs - before.atInMs;
  const part = span > 0 ? (between.atInMs - before.atInMs) / span : 0.5;
  const deviation = between.percent - before.percent - part * (after.percent - before.percent);
  const root = Math.sqrt(Math.abs(deviation) / Math.hypot(1, 1 - part, part));
  return { meanRoot: (meanRoot * count + root) / (count + 1), count: count + 1 };
}

/** Merges the two neighbours that are nearest to each other for their age; the newest are kept apart. */
function thinned(points: readonly ProgressPoint[]): readonly ProgressPoint[] {
  if (points.length <= mostPoints) return points;
  let [nearest, leastGap] = [0, Infinity];
  points.slice(0, -newestPoints).forEach(({ atInMs }, i) => {
    const next = points[i + 1]?.atInMs ?? 0;
    const gap = (next - atInMs) / (next + 1);
    if (gap < leastGap) [nearest, leastGap] = [i, gap];
  });
  const merged = points.slice(nearest, nearest + 2).reduce(mean);
  return [...points.slice(0, nearest), merged, ...points.slice(nearest + 2)];
}

function mean(a: ProgressPoint, b: ProgressPoint): ProgressPoint {
  const levels = a.levels + b.levels;
  const of = (x: number, y: number): number => (x * a.levels + y * b.levels) / levels;
  return {
    atInMs: of(a.atInMs, b.atInMs),
    afterInMs: of(a.afterInMs, b.afterInMs),
    percent: of(a.percent, b.percent),
    levels,
  };
}

function stepsBetween(before: number | undefined, percent: number): number {
  return before === undefined ? Infinity : stepsInPercent * Math.abs(percent - before);
}

function commonQuantum(before: number, percent: number): number {
  const [a, b] = [Math.round(before * stepsInPercent), Math.round(percent * stepsInPercent)];
  return greatestCommonDivisor(a, b) / stepsInPercent;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
