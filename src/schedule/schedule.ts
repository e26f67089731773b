import type { ProgressHistory } from "./progress-history.ts";

/** The history of a wait that a polling schedule decides on: a plain value that survives `JSON.stringify`. */
export interface PollHistory {
  /** Milliseconds since the operation started, where that is known; else since the wait started. */
  readonly elapsedInMs: number;
  /** How much of `elapsedInMs` had passed when the wait started. It may be wrong. Absent: nothing. */
  readonly ageAtStartInMs?: number | undefined;
  /** The polls so far, failed ones included. */
  readonly pollCount: number;
  /** The milliseconds for which a Retry-After still forbids the next poll. Absent: it may be sent now. */
  readonly retryAfterInMs?: number | undefined;
  /** The latest state, as the service named it. */
  readonly status?: string | undefined;
  /** The highest percentage that the service has reported, 0 to 100. */
  readonly percentComplete?: number | undefined;
  /** How the percentage has moved so far; absent while none was reported. */
  readonly progress?: ProgressHistory | undefined;
}

/** An estimate of how long an operation will still take, in milliseconds. */
export interface RemainingEstimate {
  /** The median: as likely too long as too short. `undefined` if the data do not allow one. */
  readonly estimatedRemainingInMs: number | undefined;
  /** The 80 % interval, which should contain the end in 80 of 100 cases. `undefined` if the data do not allow one. */
  readonly estimatedRemainingRangeInMs: readonly [number, number] | undefined;
  /** Whether the operation has run beyond the upper end of an earlier interval. Default false. */
  readonly isOverdue?: boolean;
}

/**
 * A polling schedule: decides when to poll next. It is a pure function: the same history and the same random numbers
 * give the same delay. The poller never polls before a Retry-After has passed, whatever the schedule returns.
 */
export interface Schedule {
  /** Returns the milliseconds until the next poll; `random` returns numbers from 0 up to 1. */
  (history: PollHistory, random: () => number): number;
  /** Estimates how long the operation will still take, where the schedule knows more than the history. */
  readonly estimate?: (history: PollHistory) => RemainingEstimate | undefined;
}

/** The most jitter, as a share of the delay. */
export const jitterShare = 0.1;

/** The delay in place of one that has overflowed. */
const fallbackDelayInMs = 30_000;

/** Makes a delay up to 10 % longer. It never becomes shorter: a Retry-After is a minimum. */
export function withJitter(delayInMs: number, random: () => number): number {
  return delayInMs * (1 + jitterShare * random());
}

/**
 * Adds jitter below the longest delay, not above it: pollers at the maximum must not poll in step either. A delay that
 * aims at a moment gets 10 % of `toleranceInMs` at most, which says how exact the moment is.
 */
export function withJitterUpTo(
  maxDelayInMs: number,
  delayInMs: number,
  minDelayInMs: number,
  random: () => number,
  toleranceInMs: number = delayInMs,
): number {
  // Extreme options overflow in the arithmetic of the schedules; no delay must become endless or NaN by that.
  if (!(delayInMs < Number.MAX_SAFE_INTEGER))
    return Math.min(maxDelayInMs, Math.max(minDelayInMs, fallbackDelayInMs));
  const maxStartInMs = Math.max(minDelayInMs, maxDelayInMs / (1 + jitterShare));
  const start = Math.min(Math.max(minDelayInMs, delayInMs), maxStartInMs);
  // Late in a long wait, rounding can make a tolerance negative.
  const jittered = Math.max(0, Math.min(start, toleranceInMs));
  return Math.min(maxDelayInMs, start + jitterShare * random() * jittered);
}
