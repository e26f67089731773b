import { gapOf } from "./hazard.ts";
import type { Prior, Terms } from "./hazard.ts";
import type { PollHistory } from "./schedule.ts";

/** How much longer than without a percentage a wait may be, as a share, once there were many polls. */
const maxExtension = 0.62;
/** After so many polls, half of it: where there are few, each costs more. */
const pollsUntilHalf = 2;

/**
 * Limits a wait that forecasts suggest to what an error of theirs may cost.
 *
 * Without information the hazard `1/t` has its cheapest polls at `√t`, and each factor on their density costs little:
 * `cost ~ a + 1/a`. So waits that are 1.6 times as long cost little more, however the operation ends. They save a third
 * of the polls. The number of polls hardly exceeds that without a percentage: polls around a predicted end use up those
 * that were saved.
 */
export function withinRegretBound(
  gapInMs: number,
  { elapsedInMs, pollCount }: PollHistory,
  prior: Prior,
  terms: Terms,
  savableShare = 1,
): number {
  const priorGap = gapOf(prior, elapsedInMs, terms);
  const maxGap = priorGap * (1 + (maxExtension * savableShare * pollCount) / (pollCount + pollsUntilHalf));
  // The initial response counts in `pollCount`, but is no poll; the one to come counts half, on average.
  const left = (at: number): number => prior.pollsUntil(at) + 0.5 - pollCount;
  const [now, later] = [left(elapsedInMs), left(elapsedInMs + priorGap)];
  const minGap = now >= 0 ? 0 : priorGap * Math.min(1, -now / Math.max(Number.MIN_VALUE, later - now));
  return Math.max(minGap, Math.min(gapInMs, maxGap));
}
