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
): readonly number[] {
  const around = forecasts.flatMap(({ endInMs, scaleInMs }) =>
    scalesAround.map((z) => endInMs + z * scaleInMs),
  );
  const moments = [...readsAhead.map((reads) => background.ahead(elapsedInMs, reads)), ...around];
  return [elapsedInMs, ...moments.filter((moment) => moment > elapsedInMs).toSorted((a, b) => a - b)];
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
  moments: readonly number[],
  belief: Survival,
  background: Background,
  { pollCostInMs, minDelayInMs }: Terms,
): Plan {
  const count = moments.length;
  const survival = moments.map(belief);
  const area = cumulated(moments, survival);
  const cost = new Float64Array(count);
  const next = new Int32Array(count);
  const read = (array: ArrayLike<number>, i: number): number => array[i] ?? 0;
  cost[count - 1] = read(survival, count - 1) * background.costToGo(read(moments, count - 1));
  for (let i = count - 2; i >= 0; i--) {
    let [least, best] = [Infinity, count - 1];
    const [from, alive, areaFrom] = [read(moments, i), read(survival, i), read(area, i)];
    for (let j = i + 1; j < count; j++) {
      const gap = read(moments, j) - from;
      if (gap < minDelayInMs && j < count - 1) continue;
      const lateness = alive * gap - (read(area, j) - areaFrom);
      if (alive * pollCostInMs + lateness > least) break;
      const total = alive * pollCostInMs + lateness + read(cost, j);
      if (total < least) [least, best] = [total, j];
    }
    [cost[i], next[i]] = [least, best];
  }
  const first = read(next, 0);
  const second = read(next, first) || first;
  return {
    gapInMs: read(moments, first) - read(moments, 0),
    gapAfterInMs: read(moments, second) - read(moments, first),
  };
}

/** The area under the survival from the first moment on: trapezoids. */
function cumulated(moments: readonly number[], survival: readonly number[]): Float64Array {
  const area = new Float64Array(moments.length);
  for (let i = 1; i < moments.length; i++) {
    const width = (moments[i] ?? 0) - (moments[i - 1] ?? 0);
    area[i] = (area[i - 1] ?? 0) + (width * ((survival[i] ?? 0) + (survival[i - 1] ?? 0))) / 2;
  }
  return area;
}
