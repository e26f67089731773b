import { hazardTimesAge } from "./hazard.ts";
import type { Prior, Terms } from "./hazard.ts";

/** The distribution of durations as a table: moments in rising order, and the values at each. */
interface Table {
  readonly at: Float64Array;
  readonly survival: Float64Array;
  readonly pollCount: Float64Array;
  /** The cost to go, times the survival. */
  readonly cost: Float64Array;
}

const tableSize = 512;
/** More durations than this are thinned to as many quantiles. */
const maxQuantiles = 200;
/** Durations of one kind differ by at least 5 %, even where a few of them say otherwise. */
const minBandwidth = 0.05;
/** The bandwidth of a duration without neighbours. */
const defaultBandwidth = 0.3;

/** The prior of each list of durations and price: thousands of waits of one kind need one table. */
const priors = new Map<string, Prior>();
const maxPriors = 20;

/** Returns the prior that past durations of the kind give. It is computed once. */
export function learnedFrom(pastDurationsInMs: readonly number[], terms: Terms): Prior {
  const key = String([terms.pollCostInMs, pastDurationsInMs]);
  const known = priors.get(key);
  if (known) return known;
  const prior = priorOf(pastDurationsInMs, terms);
  if (priors.size >= maxPriors) priors.clear();
  priors.set(key, prior);
  return prior;
}

/**
 * Makes the prior that past durations of the kind give.
 *
 * Each duration stands for a narrow logistic distribution of the logarithm around it. Its width is the distance to its
 * neighbours, so that two modes stay two. One more operation counts as unlike all of them. Beyond the past durations
 * only that one is left, and the prior is uninformed again.
 */
function priorOf(pastDurationsInMs: readonly number[], terms: Terms): Prior {
  const table = tableOf(pastDurationsInMs, terms.pollCostInMs);
  const last = tableSize - 1;
  const [end, endCount] = [valueAt(table.at, last), valueAt(table.pollCount, last)];
  const step = Math.sqrt(terms.pollCostInMs / (2 * hazardTimesAge));
  const pollsUntil = (at: number): number =>
    at <= end ? between(table.at, table.pollCount, at) : endCount + (Math.sqrt(at) - Math.sqrt(end)) / step;
  return {
    isInformed: true,
    survival: (at) =>
      at <= end
        ? between(table.at, table.survival, at)
        : valueAt(table.survival, last) * (at / end) ** -hazardTimesAge,
    pollsUntil,
    ahead: (from, polls) => {
      const due = pollsUntil(from) + polls;
      return due <= endCount
        ? Math.max(from, between(table.pollCount, table.at, due))
        : (Math.sqrt(end) + (due - endCount) * step) ** 2;
    },
    costToGo: (from) =>
      from < end
        ? between(table.at, table.cost, from) / between(table.at, table.survival, from)
        : 4 * step * Math.sqrt(from),
  };
}

function tableOf(pastDurationsInMs: readonly number[], pollCostInMs: number): Table {
  const logs = quantiles(pastDurationsInMs.map(Math.log).toSorted((a, b) => a - b));
  const widths = bandwidths(logs, pastDurationsInMs.length);
  const first = valueAt(logs, 0) - 8 * valueAt(widths, 0);
  const last = valueAt(logs, logs.length - 1) + 8 * valueAt(widths, logs.length - 1);
  const median = Math.exp(valueAt(logs, logs.length >> 1));
  const unlike = 1 / (pastDurationsInMs.length + 1);
  const at = Float64Array.from({ length: tableSize }, (_, i) =>
    i === 0 ? 0 : Math.exp(first + ((last - first) * (i - 1)) / (tableSize - 2)),
  );
  const survival = at.map((moment) => {
    const x = Math.log(moment);
    const alike = logs.reduce((sum, log, i) => sum + 1 / (1 + Math.exp((x - log) / valueAt(widths, i))), 0);
    return ((1 - unlike) * alike) / logs.length + unlike * (1 + moment / median) ** -hazardTimesAge;
  });
  return { at, survival, ...pollsAlong(at, survival, pollCostInMs) };
}

/** Polls are as dense as `√(h/2c)`, and cost `√(2ch)` per unit of time while the operation runs. */
function pollsAlong(
  at: Float64Array,
  survival: Float64Array,
  pollCostInMs: number,
): Pick<Table, "pollCount" | "cost"> {
  const [pollCount, cost] = [new Float64Array(tableSize), new Float64Array(tableSize)];
  const pollsIn = (i: number): number => {
    const width = valueAt(at, i) - valueAt(at, i - 1);
    const hazard = (valueAt(survival, i - 1) - valueAt(survival, i)) / width / alive(i);
    return Math.sqrt(hazard / (2 * pollCostInMs)) * width;
  };
  const alive = (i: number): number => (valueAt(survival, i) + valueAt(survival, i - 1)) / 2;
  for (let i = 1; i < tableSize; i++) pollCount[i] = valueAt(pollCount, i - 1) + pollsIn(i);
  const step = Math.sqrt(pollCostInMs / (2 * hazardTimesAge));
  cost[tableSize - 1] = 4 * step * Math.sqrt(valueAt(at, tableSize - 1)) * valueAt(survival, tableSize - 1);
  for (let i = tableSize - 1; i > 0; i--) {
    cost[i - 1] = valueAt(cost, i) + 2 * pollCostInMs * pollsIn(i) * alive(i);
  }
  return { pollCount, cost };
}

function quantiles(sorted: readonly number[]): readonly number[] {
  if (sorted.length <= maxQuantiles) return sorted;
  return Array.from({ length: maxQuantiles }, (_, i) =>
    valueAt(sorted, Math.floor(((i + 0.5) * sorted.length) / maxQuantiles)),
  );
}

/** The distance to the k-th neighbour on the nearer side, k being half the square root of the number of durations. */
function bandwidths(logs: readonly number[], originalCount: number): readonly number[] {
  const k = Math.max(1, Math.round((Math.sqrt(originalCount) * logs.length) / originalCount / 2));
  return logs.map((log, i) => {
    // Not the mean of both sides: at the edge of a mode, the other side extends to the next mode.
    const below = i >= k ? log - valueAt(logs, i - k) : Infinity;
    const above = i + k < logs.length ? valueAt(logs, i + k) - log : Infinity;
    const nearer = Math.min(below, above);
    return Math.max(minBandwidth, Number.isFinite(nearer) ? 0.7 * nearer : defaultBandwidth);
  });
}

/** Interpolates linearly: the value of `ys` where rising `xs` reach `x`. */
function between(xs: Float64Array, ys: Float64Array, x: number): number {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valueAt(xs, middle) <= x) low = middle;
    else high = middle;
  }
  const width = valueAt(xs, high) - valueAt(xs, low);
  const part = width > 0 ? Math.min(1, Math.max(0, (x - valueAt(xs, low)) / width)) : 0;
  return valueAt(ys, low) + part * (valueAt(ys, high) - valueAt(ys, low));
}

function valueAt(array: ArrayLike<number>, index: number): number {
  return array[index] ?? 0;
}
