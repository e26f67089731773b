import { hazardTimesAge } from "./hazard.ts";
import type { Background, Terms } from "./hazard.ts";

/** The law of durations as a table: moments in rising order, and what is true at each. */
interface Table {
  readonly at: Float64Array;
  readonly survival: Float64Array;
  readonly count: Float64Array;
  /** What waiting costs from there on, times the survival. */
  readonly cost: Float64Array;
}

const tableSize = 512;
/** More durations than this are thinned to as many quantiles. */
const mostQuantiles = 200;
/** Durations of one kind differ by at least this much, whatever a few of them say: 5 %. */
const leastBandwidth = 0.05;
/** A duration without neighbours is taken for this wide. */
const loneBandwidth = 0.3;

/**
 * What earlier operations of the kind took. Each duration stands for a narrow logistic law around it, in the
 * logarithm, as wide as its neighbours are far, so that two modes stay two. One more operation counts as unlike all
 * of them; beyond what was seen only that one is left, and nothing is known again.
 */
export function learnedFrom(pastDurationsInMs: readonly number[], terms: Terms): Background {
  const table = tableOf(pastDurationsInMs, terms.pollCostInMs);
  const last = tableSize - 1;
  const [end, endCount] = [valueAt(table.at, last), valueAt(table.count, last)];
  const step = Math.sqrt(terms.pollCostInMs / (2 * hazardTimesAge));
  const count = (at: number): number =>
    at <= end ? between(table.at, table.count, at) : endCount + (Math.sqrt(at) - Math.sqrt(end)) / step;
  return {
    survival: (at) =>
      at <= end
        ? between(table.at, table.survival, at)
        : valueAt(table.survival, last) * (at / end) ** -hazardTimesAge,
    count,
    ahead: (from, reads) => {
      const due = count(from) + reads;
      return due <= endCount
        ? Math.max(from, between(table.count, table.at, due))
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
  const [first, last] = [
    valueAt(logs, 0) - 8 * valueAt(widths, 0),
    valueAt(logs, logs.length - 1) + 8 * valueAt(widths, logs.length - 1),
  ];
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

/** Reads are as dense as `√(h/2c)`, and cost `√(2ch)` per unit of time while the operation runs. */
function pollsAlong(
  at: Float64Array,
  survival: Float64Array,
  pollCostInMs: number,
): Pick<Table, "count" | "cost"> {
  const [count, cost] = [new Float64Array(tableSize), new Float64Array(tableSize)];
  const readsIn = (i: number): number => {
    const hazard =
      (valueAt(survival, i - 1) - valueAt(survival, i)) / (valueAt(at, i) - valueAt(at, i - 1)) / alive(i);
    return Math.sqrt(hazard / (2 * pollCostInMs)) * (valueAt(at, i) - valueAt(at, i - 1));
  };
  const alive = (i: number): number => (valueAt(survival, i) + valueAt(survival, i - 1)) / 2;
  for (let i = 1; i < tableSize; i++) count[i] = valueAt(count, i - 1) + readsIn(i);
  const step = Math.sqrt(pollCostInMs / (2 * hazardTimesAge));
  cost[tableSize - 1] = 4 * step * Math.sqrt(valueAt(at, tableSize - 1)) * valueAt(survival, tableSize - 1);
  for (let i = tableSize - 1; i > 0; i--) {
    cost[i - 1] = valueAt(cost, i) + 2 * pollCostInMs * readsIn(i) * alive(i);
  }
  return { count, cost };
}

function quantiles(sorted: readonly number[]): readonly number[] {
  if (sorted.length <= mostQuantiles) return sorted;
  return Array.from({ length: mostQuantiles }, (_, i) =>
    valueAt(sorted, Math.floor(((i + 0.5) * sorted.length) / mostQuantiles)),
  );
}

/** The way to the k-th neighbour on the nearer side, k being half the root of how many there are. */
function bandwidths(logs: readonly number[], originalCount: number): readonly number[] {
  const k = Math.max(1, Math.round((Math.sqrt(originalCount) * logs.length) / originalCount / 2));
  return logs.map((log, i) => {
    // Not the mean of both sides: at the edge of a mode, the other side reaches over to the next one.
    const below = i >= k ? log - valueAt(logs, i - k) : Infinity;
    const above = i + k < logs.length ? valueAt(logs, i + k) - log : Infinity;
    const nearer = Math.min(below, above);
    return Math.max(leastBandwidth, Number.isFinite(nearer) ? 0.7 * nearer : loneBandwidth);
  });
}

/** The value of `ys` where rising `xs` reach `x`, in a straight line between neighbours. */
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

function valueAt(array: ArrayLike<number>, i: number): number {
  return array[i] ?? 0;
}
