import type { Forecast } from "./forecast.ts";
import type { Background, Terms } from "./hazard.ts";

/** The chance that an operation that runs now still runs at a later moment (milliseconds since the wait began). */
export type Survival = (atInMs: number) => number;

/** What is believed of an operation that still runs at `elapsedInMs`: its bar where it is trusted, else the background. */
export function beliefOf(
  background: Background,
  forecasts: readonly Forecast[],
  elapsedInMs: number,
): Survival {
  const alive = Math.max(Number.MIN_VALUE, background.survival(elapsedInMs));
  const doubt = 1 - forecasts.reduce((sum, { weight }) => sum + weight, 0);
  const terms = forecasts.map(({ endInMs, scaleInMs, weight }) => ({
    endInMs,
    scaleInMs,
    weight: weight / logistic((endInMs - elapsedInMs) / scaleInMs),
  }));
  return (atInMs) => {
    let survival = (doubt * background.survival(atInMs)) / alive;
    for (const { endInMs, scaleInMs, weight } of terms) {
      survival += weight * logistic((endInMs - atInMs) / scaleInMs);
    }
    return survival;
  };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Where to look, in reads of the background and in scales around each forecast's end. */
const readsAhead: readonly number[] = [
  0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8, 11,
];
const scalesAround: readonly number[] = [-4, -2.5, -1.5, -0.8, -0.2, 0.4, 1, 1.6, 2.3, 3, 4, 5, 6.5, 8.5];

/** Moments from `elapsedInMs` on, in order, dense wherever the belief may fall steeply. */
export function momentsAhead(
  background: Background,
  forecasts: readonly Forecast[],
  elapsedInMs: number,
): Float64Array {
  const moments = [elapsedInMs];
  const add = (moment: number): void => {
    if (moment > elapsedInMs) moments.push(moment);
  };
  for (const reads of readsAhead) add(background.ahead(elapsedInMs, reads));
  for (const { endInMs, scaleInMs } of forecasts) {
    for (const scales of scalesAround) add(endInMs + scales * scaleInMs);
  }
  return Float64Array.from(moments).toSorted();
}

/** The reads of a plan: the next two waits, in milliseconds. */
export interface Plan {
  readonly gapInMs: number;
  readonly gapAfterInMs: number;
}

/**
 * The cheapest reads among the moments, by going backwards through them: each read costs its price, lateness what
 * it is, and beyond the last moment the background's cost goes on.
 */
export function cheapestPlan(
  moments: Float64Array,
  belief: Survival,
  background: Background,
  terms: Terms,
): Plan {
  const next = cheapestNext(moments, moments.map(belief), background, terms);
  const first = next[0] ?? 0;
  const second = next[first] ?? 0;
  const gapInMs = at(moments, first) - at(moments, 0);
  return { gapInMs, gapAfterInMs: second > first ? at(moments, second) - at(moments, first) : gapInMs };
}

/** For each moment with a read, the index of the read after it. */
function cheapestNext(
  moments: Float64Array,
  survival: Float64Array,
  background: Background,
  { pollCostInMs, minDelayInMs }: Terms,
): Int32Array {
  const last = moments.length - 1;
  const [cost, next] = [new Float64Array(last + 1), new Int32Array(last + 1)];
  cost[last] = at(survival, last) * background.costToGo(at(moments, last));
  for (let i = last - 1; i >= 0; i--) {
    let [least, best] = [Infinity, last];
    const price = at(survival, i) * pollCostInMs;
    for (let j = i + 1; j <= last; j++) {
      const gap = at(moments, j) - at(moments, i);
      if (gap < minDelayInMs && j < last) continue;
      // Lateness, but for the area under the survival, which is the same whichever way leads to the last moment.
      const spent = price + at(survival, i) * gap;
      if (spent >= least) break;
      const total = spent + at(cost, j);
      if (total < least) [least, best] = [total, j];
    }
    [cost[i], next[i]] = [least, best];
  }
  return next;
}

function at(array: ArrayLike<number>, index: number): number {
  return array[index] ?? 0;
}
