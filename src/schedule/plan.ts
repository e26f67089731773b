import { trustIn } from "./forecast.ts";
import type { Forecast } from "./forecast.ts";
import type { Outlook, Terms } from "./hazard.ts";

/** The chance that an operation that runs now still runs at a later moment, in milliseconds as `elapsedInMs`. */
export type Survival = (atInMs: number) => number;

/** Returns the posterior survival of an operation that runs at `elapsedInMs`: the forecasts' mix with the prior. */
export function posteriorOf(prior: Outlook, forecasts: readonly Forecast[], elapsedInMs: number): Survival {
  const alive = Math.max(Number.MIN_VALUE, prior.survival(elapsedInMs));
  const doubt = 1 - trustIn(forecasts);
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

/** The moments to consider, in polls of the prior: past durations may have several modes. */
const pollsAhead: readonly number[] = [0.07, 0.15, 0.3, 0.45, 0.6, 0.8, 1, 1.25, 1.6, 2.2, 3, 5, 9];
const pollsAheadWithPast: readonly number[] = [
  0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8, 11,
];
/** The moments around each forecast's end, in its scales. */
const scalesAround: readonly number[] = [-3, -1.5, -0.7, 0, 0.7, 1.4, 2.2, 3, 4, 5.5, 8];
/** Nearer to another moment than so many scales, one more changes no plan: forecasts that agree share theirs. */
const minScalesApart = 0.2;

/** Returns moments from `elapsedInMs` on, in order, dense wherever the posterior may fall steeply. */
export function momentsAhead(
  prior: Outlook,
  forecasts: readonly Forecast[],
  elapsedInMs: number,
): readonly number[] {
  const moments = [elapsedInMs];
  for (const polls of prior.isInformed ? pollsAheadWithPast : pollsAhead) {
    moments.push(prior.ahead(elapsedInMs, polls));
  }
  for (const { endInMs, scaleInMs } of forecasts) {
    for (const scales of scalesAround) {
      insert(moments, endInMs + scales * scaleInMs, minScalesApart * scaleInMs);
    }
  }
  return moments;
}

/** Inserts a moment into a list in order, unless it is before the first or too near to another. */
function insert(moments: number[], moment: number, minApart: number): void {
  let i = moments.length;
  while (i > 0 && at(moments, i - 1) > moment) i--;
  const after = i < moments.length ? at(moments, i) : Infinity;
  if (i === 0 || moment - at(moments, i - 1) < minApart || after - moment < minApart) return;
  moments.push(moment);
  // `splice` and `copyWithin` take several times as long.
  for (let j = moments.length - 1; j > i; j--) moments[j] = at(moments, j - 1);
  moments[i] = moment;
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
export function cheapestPlan(
  moments: readonly number[],
  posterior: Survival,
  prior: Outlook,
  terms: Terms,
): Plan {
  const next = cheapestNext(moments, moments.map(posterior), prior, terms);
  const first = indexAt(next, 0);
  const second = indexAt(next, first);
  const gapInMs = at(moments, first) - at(moments, 0);
  return {
    gapInMs,
    gapAfterInMs: second > first ? at(moments, second) - at(moments, first) : gapInMs,
  };
}

/**
 * For each moment with a poll, the index of the poll after it.
 *
 * The lateness counts without the area under the survival, which is the same on every way to the last moment. So a poll
 * at `i` with the next one at `j` costs `survival[i] * (price + moments[j] - moments[i]) + cost[j]`. The cheapest `j` is
 * the lowest of the lines `moments[j] * x + cost[j]` at `survival[i]`. Slopes fall and `x` rises, so a queue of those
 * that are lowest somewhere makes a plan linear in its moments.
 */
function cheapestNext(
  moments: readonly number[],
  survival: readonly number[],
  prior: Outlook,
  { pollCostInMs, minDelayInMs }: Terms,
): readonly number[] {
  const last = moments.length - 1;
  // Of the right length: each value is set before it is read.
  const [cost, next] = [moments.slice(), moments.map(() => last)];
  cost[last] = at(survival, last) * prior.costToGo(at(moments, last));
  const heightOf = (line: number, x: number): number => at(moments, line) * x + at(cost, line);
  /** Whether a line is the lowest anywhere between the one before it and the one after it. */
  const isNeeded = (before: number, line: number, after: number): boolean =>
    (at(cost, line) - at(cost, before)) * (at(moments, line) - at(moments, after)) <
    (at(cost, after) - at(cost, line)) * (at(moments, before) - at(moments, line));
  const lines = [last];
  let [first, candidate] = [0, last - 1];
  for (let i = last - 1; i >= 0; i--) {
    for (; candidate > i && at(moments, candidate) - at(moments, i) >= minDelayInMs; candidate--) {
      for (let end = lines.length - 1; end > first; end--) {
        if (isNeeded(indexAt(lines, end - 1), indexAt(lines, end), candidate)) break;
        lines.pop();
      }
      lines.push(candidate);
    }
    const alive = at(survival, i);
    let best = indexAt(lines, first);
    for (; first < lines.length - 1; first++) {
      const line = indexAt(lines, first + 1);
      if (heightOf(line, alive) > heightOf(best, alive)) break;
      best = line;
    }
    next[i] = best;
    cost[i] = alive * (pollCostInMs + at(moments, best) - at(moments, i)) + at(cost, best);
  }
  return next;
}

// Two functions of one body, and none shared with `duration-model.ts`: calls with one kind of array only are faster.
function at(array: readonly number[], index: number): number {
  return array[index] ?? 0;
}

function indexAt(array: readonly number[], index: number): number {
  return array[index] ?? 0;
}
