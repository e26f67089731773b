import type { Forecast } from "./forecast.ts";
import type { Prior, Terms } from "./hazard.ts";

/** The chance that an operation that runs now still runs at a later moment (milliseconds since the wait started). */
export type Survival = (atInMs: number) => number;

/** Returns the posterior survival of an operation that runs at `elapsedInMs`: the forecasts' mix with the prior. */
export function posteriorOf(prior: Prior, forecasts: readonly Forecast[], elapsedInMs: number): Survival {
  const alive = Math.max(Number.MIN_VALUE, prior.survival(elapsedInMs));
  const doubt = 1 - forecasts.reduce((sum, { weight }) => sum + weight, 0);
  const terms = forecasts.map(({ endInMs, scaleInMs, weight }) => ({
    endInMs,
    scaleInMs,
    weight: weight / logistic((endInMs - elapsedInMs) / scaleInMs),
  }));
  return (atInMs) => {
    let survival = (doubt * prior.survival(atInMs)) / alive;
    for (const { endInMs, scaleInMs, weight } of terms) {
      survival += weight * logistic((endInMs - atInMs) / scaleInMs);
    }
    return survival;
  };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The moments to consider, in polls of the prior and in scales around each forecast's end. */
const pollsAhead: readonly number[] = [
  0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8, 11,
];
const scalesAround: readonly number[] = [-4, -2.5, -1.5, -0.8, -0.2, 0.4, 1, 1.6, 2.3, 3, 4, 5, 6.5, 8.5];

/** Returns moments from `elapsedInMs` on, in order, dense wherever the posterior may fall steeply. */
export function momentsAhead(
  prior: Prior,
  forecasts: readonly Forecast[],
  elapsedInMs: number,
): Float64Array {
  const moments = [elapsedInMs];
  const add = (moment: number): void => {
    if (moment > elapsedInMs) moments.push(moment);
  };
  for (const polls of pollsAhead) add(prior.ahead(elapsedInMs, polls));
  for (const { endInMs, scaleInMs } of forecasts) {
    for (const scales of scalesAround) add(endInMs + scales * scaleInMs);
  }
  return new Float64Array(moments).toSorted();
}

/** The next two waits of a plan, in milliseconds. */
interface Plan {
  readonly gapInMs: number;
  readonly gapAfterInMs: number;
}

/**
 * Returns the cheapest polls among the moments, by backward induction. Each poll costs its price, each delay its
 * lateness. Beyond the last moment the prior's cost to go applies.
 */
export function cheapestPlan(moments: Float64Array, posterior: Survival, prior: Prior, terms: Terms): Plan {
  const next = cheapestNext(moments, moments.map(posterior), prior, terms);
  const first = next[0] ?? 0;
  const second = next[first] ?? 0;
  const gapInMs = at(moments, first) - at(moments, 0);
  return {
    gapInMs,
    gapAfterInMs: second > first ? at(moments, second) - at(moments, first) : gapInMs,
  };
}

/** For each moment with a poll, the index of the poll after it. */
function cheapestNext(
  moments: Float64Array,
  survival: Float64Array,
  prior: Prior,
  { pollCostInMs, minDelayInMs }: Terms,
): Int32Array {
  const last = moments.length - 1;
  const [cost, next] = [new Float64Array(last + 1), new Int32Array(last + 1)];
  cost[last] = at(survival, last) * prior.costToGo(at(moments, last));
  for (let i = last - 1; i >= 0; i--) {
    let [min, best] = [Infinity, last];
    const price = at(survival, i) * pollCostInMs;
    for (let j = i + 1; j <= last; j++) {
      const gap = at(moments, j) - at(moments, i);
      if (gap < minDelayInMs && j < last) continue;
      // The lateness, without the area under the survival, which is the same on every way to the last moment.
      const spent = price + at(survival, i) * gap;
      if (spent >= min) break;
      const total = spent + at(cost, j);
      if (total < min) [min, best] = [total, j];
    }
    [cost[i], next[i]] = [min, best];
  }
  return next;
}

// Not shared with `duration-model.ts`: calls with one kind of array only are faster.
function at(array: ArrayLike<number>, index: number): number {
  return array[index] ?? 0;
}
