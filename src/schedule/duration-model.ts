import { hazardTimesAge } from "./hazard.ts";
import type { Prior, Terms } from "./hazard.ts";
import { mixtureOf } from "./duration-mixture.ts";
import { ranksOf } from "./past-ranks.ts";
import type { Ranks } from "./past-ranks.ts";
import type { PastDuration } from "./past-durations.ts";

/** The distribution of durations as a table: moments in rising order, and the values at each. */
interface Table {
  readonly at: Float64Array;
  readonly survival: Float64Array;
  readonly pollCount: Float64Array;
  /** The cost to go, times the survival. */
  readonly cost: Float64Array;
}

const tableSize = 512;

/** What past durations of the kind say. */
export interface Learned extends Prior {
  readonly ranks: Ranks;
}

/** By the list of durations and the price: thousands of waits of one kind need one table. */
const priors = new Map<string, Learned>();
const maxPriors = 20;

/** Returns the prior that past durations of the kind give. It is computed once. */
export function learnedFrom(past: readonly PastDuration[], terms: Terms): Learned {
  const key = JSON.stringify([terms.pollCostInMs, past]);
  const known = priors.get(key);
  if (known) return known;
  const prior = { ...priorOf(past, terms), ranks: ranksOf(past) };
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
function priorOf(past: readonly PastDuration[], terms: Terms): Prior {
  const table = tableOf(past, terms.pollCostInMs);
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

function tableOf(past: readonly PastDuration[], pollCostInMs: number): Table {
  const mixture = mixtureOf(past);
  const { first, last } = mixture;
  const at = Float64Array.from({ length: tableSize }, (_, i) =>
    i === 0 ? 0 : Math.exp(first + ((last - first) * (i - 1)) / (tableSize - 2)),
  );
  const survival = at.map((moment) => mixture.survival(Math.log(moment)));
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
