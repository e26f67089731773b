import { gapOf } from "./hazard.ts";
import type { Background, Terms } from "./hazard.ts";
import type { PollHistory } from "./schedule.ts";
import { jitterShare } from "./schedule.ts";

/** How much more than without a bar a wait may come to cost if the operation ends unforeseen in a long gap. */
const allowance = 0.12;

/**
 * Keeps a wait that a bar suggests within what being wrong may cost.
 *
 * Reads that were saved so far pay for what follows: the wait is never so long that the operation, if it ends at
 * any moment of it, comes much dearer than without a bar, nor are there ever more reads. So a bar is followed as far as
 * it has paid for itself, and one that lies costs little, whatever its shape.
 *
 * The answer with which a wait begins is the same with a bar and without: it stands for the read to come.
 */
export function withinRegretBound(
  gapInMs: number,
  history: PollHistory,
  background: Background,
  terms: Terms,
): number {
  const own = gapOf(background, history.elapsedInMs, terms);
  const most = longestGap(own, history, background, terms);
  return Math.max(Math.min(own, shortestGap(own, history, background, terms)), Math.min(gapInMs, most));
}

/** What the background's own reads would have cost by `at`, the last one and its lateness included. */
function ownCost(background: Background, at: number, terms: Terms): number {
  return terms.pollCostInMs * (background.count(at) + 0.5) + gapOf(background, at, terms) / 2;
}

/** The longest wait after which "it ended meanwhile" costs what is allowed, on the average over that wait. */
function longestGap(
  own: number,
  { elapsedInMs, pollCount }: PollHistory,
  background: Background,
  terms: Terms,
): number {
  const spent = terms.pollCostInMs * pollCount;
  const isAllowed = (gap: number): boolean => {
    const end = meanEnd(elapsedInMs, gap);
    const lateness = elapsedInMs + gap * (1 + jitterShare / 2) - end;
    return spent + lateness <= (1 + allowance) * ownCost(background, end, terms);
  };
  let [allowed, tooLong] = [own, 32 * own];
  for (let halvings = 0; halvings < 12; halvings++) {
    const gap = (allowed + tooLong) / 2;
    if (isAllowed(gap)) allowed = gap;
    else tooLong = gap;
  }
  return allowed;
}

/** When an operation that ends within the wait ends on the average: before the middle, since the hazard falls. */
function meanEnd(elapsedInMs: number, gap: number): number {
  return elapsedInMs + (gap / 2) * (1 - (0.29 * gap) / (elapsedInMs + gap / 2));
}

/** The shortest wait that spends no more on reads than would have been spent without a bar. */
function shortestGap(
  own: number,
  { elapsedInMs, pollCount }: PollHistory,
  background: Background,
  terms: Terms,
): number {
  const left = (at: number): number =>
    ownCost(background, at, terms) - terms.pollCostInMs * pollCount - own / 2;
  const [now, later] = [left(elapsedInMs), left(elapsedInMs + own)];
  return now >= 0 ? 0 : own * Math.min(1, -now / Math.max(Number.MIN_VALUE, later - now));
}
