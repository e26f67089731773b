import type { ProgressHistory } from "./progress-history.ts";

/** What a schedule may know of a wait: a plain value that survives `JSON.stringify`. */
export interface PollHistory {
  /** Milliseconds since the operation began, where the service says when; else since the wait began. */
  readonly elapsedInMs: number;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount: number;
  /** The latest state, as the service named it. */
  readonly status?: string | undefined;
  /** The highest percentage that the service has reported, 0 to 100. */
  readonly percentComplete?: number | undefined;
  /** How the percentage moved so far on this operation; absent while none was reported. */
  readonly progress?: ProgressHistory | undefined;
}

/** How long an operation will still take. Milliseconds. */
export interface RemainingEstimate {
  /** As likely too long as too short. */
  readonly estimatedRemainingInMs: number;
  /** The operation ends before the first in 10 of 100 cases, and after the second in 10 of 100. */
  readonly estimatedRemainingRangeInMs: readonly [number, number];
}

/**
 * When to read next: milliseconds from now. A pure function: the same history and the same random numbers give
 * the same wait. The engine never reads before a Retry-After, whatever a schedule says.
 */
export interface Schedule {
  /** Returns milliseconds until the next read; `random` gives numbers from 0 up to 1. */
  (history: PollHistory, random: () => number): number;
  /** How long the operation will still take, where the schedule knows more than the history says. */
  readonly estimate?: (history: PollHistory) => RemainingEstimate | undefined;
}

/** Spreads waiters that would read at the same moment over a tenth of their wait. */
export const jitterShare = 0.1;

/** Half a minute: what a schedule falls back on that has lost its way. */
const longestGuessInMs = 30_000;

/** Makes a wait up to a tenth longer: a Retry-After is a minimum, so never shorter. */
export function spread(delayInMs: number, random: () => number): number {
  return delayInMs * (1 + jitterShare * random());
}

/**
 * Spreads below the longest delay, not above it: waiters at the cap must not read in step either. A wait that aims
 * at a moment is spread by a tenth of `toleranceInMs` at most, which says how exact the moment is.
 */
export function spreadUpTo(
  mostInMs: number,
  delayInMs: number,
  leastInMs: number,
  random: () => number,
  toleranceInMs: number = delayInMs,
): number {
  // Absurd terms overflow in the arithmetic above; no wait must become endless, nor nothing, by that.
  if (!(delayInMs < Number.MAX_SAFE_INTEGER))
    return Math.min(mostInMs, Math.max(leastInMs, longestGuessInMs));
  const start = Math.min(Math.max(leastInMs, delayInMs), Math.max(leastInMs, mostInMs / (1 + jitterShare)));
  return Math.min(
    mostInMs,
    start + spread(Math.min(start, toleranceInMs), random) - Math.min(start, toleranceInMs),
  );
}
