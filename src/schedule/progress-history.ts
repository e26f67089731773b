/** A level of the percentage, first seen at a moment; or the mean of several consecutive ones. */
export interface ProgressPoint {
  /** When it was first seen, in milliseconds since the wait started. */
  readonly atInMs: number;
  /** The poll before that, in milliseconds: the level was reached in between. */
  readonly afterInMs: number;
  /** The level, 0 to 100. */
  readonly percent: number;
  /** The number of levels that this is the mean of. */
  readonly levels: number;
}

/**
 * How `percentComplete` has moved so far on one operation. Its content is private to this library: pass it on as it is.
 * It is small, of a fixed size, and plain JSON.
 */
export interface ProgressHistory {
  /** @internal Changes of level, oldest first; at most 8. Where there were more, the older ones are means. */
  readonly points: readonly ProgressPoint[];
  /** @internal When the percentage was last reported, in milliseconds since the wait started. */
  readonly latestInMs: number;
  /** @internal The number that every percentage so far is a multiple of; 0 before the first above 0. */
  readonly quantum: number;
  /**
   * @internal How far levels are from the line between their neighbours, in percent: the mean of the square roots, and
   * their number.
   */
  readonly roughness: { readonly meanRoot: number; readonly count: number };
}

/** The percentage in one response. */
interface ReportedProgress {
  /** Milliseconds since the wait started. */
  readonly elapsedInMs: number;
  /** 0 to 100; `undefined` where the service reported none. */
  readonly percentComplete?: number | undefined;
}

export const maxPoints = 8;
/** So many of the newest points stay as they are. */
const newestPoints = 3;
/** A thousandth of a percent: finer steps make no difference. */
const stepsInPercent = 1000;

/** Returns the history after one more response. A response without a percentage changes nothing. */
export function observeProgress(
  history: ProgressHistory | undefined,
  { elapsedInMs, percentComplete }: ReportedProgress,
): ProgressHistory | undefined {
  if (percentComplete === undefined) return history;
  const { points, latestInMs, quantum, roughness } = history ?? { ...emptyHistory, latestInMs: elapsedInMs };
  const point = { atInMs: elapsedInMs, afterInMs: latestInMs, percent: percentComplete, levels: 1 };
  const steps = stepsInPercent * Math.abs(percentComplete - (points.at(-1)?.percent ?? Infinity));
  const isNew = steps >= 0.5;
  const longer = isNew ? [...points, point] : points;
  return {
    points: thinned(longer),
    latestInMs: elapsedInMs,
    quantum: commonQuantum(quantum, percentComplete),
    roughness: isNew && points.length > 1 ? rougher(roughness, longer.slice(-3)) : roughness,
  };
}

const emptyHistory: Omit<ProgressHistory, "latestInMs"> = {
  points: [],
  quantum: 0,
  roughness: { meanRoot: 0, count: 0 },
};

/** The mean is one of square roots, so that one jump among many steps does not count as roughness. */
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

/** Merges the two neighbours that are nearest to each other for their age; the newest stay apart. */
function thinned(points: readonly ProgressPoint[]): readonly ProgressPoint[] {
  if (points.length <= maxPoints) return points;
  let [nearest, minGap] = [0, Infinity];
  points.slice(0, -newestPoints).forEach(({ atInMs }, i) => {
    const next = points[i + 1]?.atInMs ?? 0;
    const gap = (next - atInMs) / (next + 1);
    if (gap < minGap) [nearest, minGap] = [i, gap];
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

function commonQuantum(before: number, percent: number): number {
  const [a, b] = [Math.round(before * stepsInPercent), Math.round(percent * stepsInPercent)];
  return greatestCommonDivisor(a, b) / stepsInPercent;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
