import { gapOf } from "./hazard.ts";
import type { Prior, Terms } from "./hazard.ts";
import type { PollHistory } from "./schedule.ts";
import { jitterShare } from "./schedule.ts";

/** How much more than without a percentage a wait may cost if the operation ends unexpectedly in a long gap. */
const allowance = 0.12;

/**
 * Limits a wait that forecasts suggest to what an error of theirs may cost.
 *
 * The polls saved so far pay for it. The wait is never so long that an end within it costs much more than without a
 * percentage. Nor do polls cost more, but for rounding: in simulations at most 2.5 polls more than 39, on average. So a
 * misleading percentage costs little, whatever its shape.
 *
 * The initial response counts as no poll, with a percentage and without.
 */
export function withinRegretBound(
  gapInMs: number,
  { elapsedInMs, pollCount }: PollHistory,
  prior: Prior,
  terms: Terms,
): number {
  const spent = terms.pollCostInMs * pollCount;
  const priorGap = gapOf(prior, elapsedInMs, terms);
  const priorCostUntil = (at: number): number =>
    terms.pollCostInMs * (prior.pollsUntil(at) + 0.5) + gapOf(prior, at, terms) / 2;
  const maxGap = longestAllowed(priorGap, (gap) => {
    const end = meanEnd(elapsedInMs, gap);
    const lateness = elapsedInMs + gap * (1 + jitterShare / 2) - end;
    return spent + lateness <= (1 + allowance) * priorCostUntil(end);
  });
  // The shortest wait that spends no more on polls than without a percentage.
  const left = (at: number): number => priorCostUntil(at) - spent - priorGap / 2;
  const [now, later] = [left(elapsedInMs), left(elapsedInMs + priorGap)];
  const minGap = now >= 0 ? 0 : priorGap * Math.min(1, -now / Math.max(Number.MIN_VALUE, later - now));
  return Math.max(Math.min(priorGap, minGap), Math.min(gapInMs, maxGap));
}

/** Returns the longest gap that is allowed, from the prior's gap up to 32 times as much, by bisection. */
function longestAllowed(priorGap: number, isAllowed: (gap: number) => boolean): number {
  let [allowed, tooLong] = [priorGap, 32 * priorGap];
  for (let i = 0; i < 12; i++) {
    const gap = (allowed + tooLong) / 2;
    if (isAllowed(gap)) allowed = gap;
    else tooLong = gap;
  }
  return allowed;
}

/** The mean end of an operation that ends within the gap: before the middle, since the hazard falls. */
function meanEnd(elapsedInMs: number, gap: number): number {
  return elapsedInMs + (gap / 2) * (1 - (0.29 * gap) / (elapsedInMs + gap / 2));
}
