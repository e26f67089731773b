import { hazardTimesAge, stepOf } from "./hazard.ts";
import type { Prior, Terms } from "./hazard.ts";
import { mixtureOf } from "./duration-mixture.ts";
import { ranksOf } from "./past-ranks.ts";
import type { Ranks } from "./past-ranks.ts";
import type { PastDuration } from "./past-durations.ts";

/** The distribution of durations as a table: moments in rising order, 0 and then evenly by logarithm, and the values at each. */
interface Table {
  readonly at: Float64Array;
  readonly survival: Float64Array;
  readonly pollCount: Float64Array;
  /** The cost to go, times the survival. */
  readonly cost: Float64Array;
}

const tableSize = 512;
const last = tableSize - 1;

/** The facts that past durations of the kind give. */
interface Learned extends Prior {
  readonly ranks: Ranks;
}

/**
 * Keyed by the price and the durations: thousands of waits of one kind need one table. One deployment may need those of
 * 50 types at two prices with each read of its lists.
 */
const priors = new Map<string, Learned>();
const maxPriors = 100;

/** Returns the prior that past durations of the kind give. It is computed once. */
export function learnedFrom(past: readonly PastDuration[], terms: Terms): Learned {
  const key = JSON.stringify([terms.pollCostInMs, past]);
  const known = priors.get(key);
  if (known) return known;
  const prior = { ...priorOf(past, terms), ranks: ranksOf(past) };
  const [oldest] = priors.keys();
  if (priors.size >= maxPriors && oldest !== undefined) priors.delete(oldest);
  priors.set(key, prior);
  return prior;
}

/** Makes the prior that past durations of the kind give. Beyond the table, it is uninformed again. */
function priorOf(past: readonly PastDuration[], { pollCostInMs }: Terms): Prior {
  const step = stepOf(pollCostInMs);
  const { at, survival, pollCount, cost } = tableOf(past, pollCostInMs);
  const firstLog = Math.log(valueAt(at, 1));
  const stepsPerLog = (last - 1) / (Math.log(valueAt(at, last)) - firstLog);
  // A search takes three times as long, and a decision has a hundred of them.
  const atMoment = (values: Float64Array, moment: number): number => {
    const index = Math.floor((Math.log(moment) - firstLog) * stepsPerLog) + 1;
    return interpolated(at, values, moment, Math.max(0, Math.min(last - 1, index)));
  };
  const [end, endSurvival, endCount] = [valueAt(at, last), valueAt(survival, last), valueAt(pollCount, last)];
  const pollsUntil = (moment: number): number =>
    moment <= end ? atMoment(pollCount, moment) : endCount + (Math.sqrt(moment) - Math.sqrt(end)) / step;
  return {
    isInformed: true,
    survival: (moment) =>
      moment <= end ? atMoment(survival, moment) : endSurvival * (moment / end) ** -hazardTimesAge,
    pollsUntil,
    ahead: (from, polls) => {
      const due = pollsUntil(from) + polls;
      return due <= endCount
        ? Math.max(from, between(pollCount, at, due))
        : (Math.sqrt(end) + (due - endCount) * step) ** 2;
    },
    costToGo: (from) =>
      from < end ? atMoment(cost, from) / atMoment(survival, from) : 4 * step * Math.sqrt(from),
  };
}

/** Polls are as dense as `√(h/2c)`, and cost `√(2ch)` per unit of time while the operation runs. */
function tableOf(past: readonly PastDuration[], pollCostInMs: number): Table {
  const mixture = mixtureOf(past);
  const at = Float64Array.from({ length: tableSize }, (_, i) =>
    i === 0 ? 0 : Math.exp(mixture.first + ((mixture.last - mixture.first) * (i - 1)) / (last - 1)),
  );
  const survival = at.map((moment) => mixture.survival(Math.log(moment)));
  const aliveOf = (i: number): number => (valueAt(survival, i) + valueAt(survival, i - 1)) / 2;
  const pollsIn = at.map((moment, i) => {
    if (i === 0) return 0;
    const width = moment - valueAt(at, i - 1);
    const hazard = (valueAt(survival, i - 1) - valueAt(survival, i)) / width / aliveOf(i);
    return Math.sqrt(hazard / (2 * pollCostInMs)) * width;
  });
  let count = 0;
  const pollCount = pollsIn.map((polls) => (count += polls));
  const cost = new Float64Array(tableSize);
  let costToGo = 4 * stepOf(pollCostInMs) * Math.sqrt(valueAt(at, last)) * valueAt(survival, last);
  for (let i = last; i >= 0; i--) {
    cost[i] = costToGo;
    costToGo += 2 * pollCostInMs * valueAt(pollsIn, i) * aliveOf(i);
  }
  return { at, survival, pollCount, cost };
}

/** Interpolates linearly: the value of `ys` where rising `xs` reach `x`. */
function between(xs: Float64Array, ys: Float64Array, x: number): number {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valueAt(xs, middle) <= x) low = middle;
    else high = middle;
  }
  return interpolated(xs, ys, x, low);
}

function interpolated(xs: Float64Array, ys: Float64Array, x: number, low: number): number {
  const high = low + 1;
  const width = valueAt(xs, high) - valueAt(xs, low);
  const part = width > 0 ? Math.min(1, Math.max(0, (x - valueAt(xs, low)) / width)) : 0;
  return valueAt(ys, low) + part * (valueAt(ys, high) - valueAt(ys, low));
}

function valueAt(array: Float64Array, index: number): number {
  return array[index] ?? 0;
}
