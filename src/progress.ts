import type { ReadError } from "./errors.ts";
import { historyOf } from "./machine.ts";
import type { NextStep, WaitState } from "./machine.ts";
import { isTerminal } from "./operation.ts";
import type { OperationState, OperationStatus, Reading } from "./operation.ts";
import { estimateRemaining } from "./schedule/estimate.ts";
import type { RemainingEstimate, Schedule } from "./schedule/schedule.ts";

/** What a wait knows after a read that was answered. */
export interface Progress<P = unknown> {
  readonly status: OperationState;
  /** The state after the read before; `undefined` after the first. */
  readonly previousStatus: OperationState | undefined;
  /** Whether status or percentage differ from those of the progress before. */
  readonly changed: boolean;
  /** The highest percentage that the service has reported, 0 to 100; `undefined` where it reports none. */
  readonly percentComplete: number | undefined;
  /** The whole status, as the service gave it. */
  readonly operation: OperationStatus<P>;
  /** Milliseconds since the wait began. */
  readonly elapsedInMs: number;
  /** Milliseconds, as likely too many as too few; `undefined` where it would be a guess. */
  readonly estimatedRemainingInMs: number | undefined;
  /** Milliseconds: in 10 of 100 cases it takes less than the first, in 10 of 100 longer than the second. */
  readonly estimatedRemainingRangeInMs: readonly [number, number] | undefined;
  /** Milliseconds until the next read; `undefined` when there is none. */
  readonly nextPollInMs: number | undefined;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount: number;
  /** How many of them failed. */
  readonly failedReads: number;
}

/** A read that failed, and what follows. */
export interface FailedRead {
  readonly error: ReadError;
  /** The last state known, if any. */
  readonly status: OperationState | undefined;
  /** Milliseconds since the wait began. */
  readonly elapsedInMs: number;
  /** Milliseconds until the next read; `undefined` when there is none. */
  readonly nextPollInMs: number | undefined;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount: number;
  /** How many of them failed. */
  readonly failedReads: number;
}

const ended: RemainingEstimate = { estimatedRemainingInMs: 0, estimatedRemainingRangeInMs: [0, 0] };

/** The progress after an answer. */
export function progressAfter<P>(
  state: WaitState<P>,
  reading: Reading<P>,
  elapsedInMs: number,
  step: NextStep,
  before: Progress<P> | undefined,
  schedule: Schedule,
): Progress<P> {
  const { latest = reading.status, percentComplete, previousStatus, pollCount, failedReads } = state;
  const { status = latest.status } = state;
  const history = historyOf(state, elapsedInMs);
  const estimate = isTerminal(status) ? ended : (schedule.estimate?.(history) ?? estimateRemaining(history));
  return {
    status,
    previousStatus,
    changed: status !== before?.status || percentComplete !== before.percentComplete,
    percentComplete,
    operation: latest,
    elapsedInMs,
    estimatedRemainingInMs: estimate?.estimatedRemainingInMs,
    estimatedRemainingRangeInMs: estimate?.estimatedRemainingRangeInMs,
    nextPollInMs: nextPollInMs(step),
    pollCount,
    failedReads,
  };
}

/** The event after a failed read. */
export function failedReadAfter(
  error: ReadError,
  state: WaitState,
  elapsedInMs: number,
  step: NextStep,
): FailedRead {
  const { status, pollCount, failedReads } = state;
  return { error, status, elapsedInMs, nextPollInMs: nextPollInMs(step), pollCount, failedReads };
}

function nextPollInMs(step: NextStep): number | undefined {
  return step.type === "wait" && step.until === "nextRead" ? step.delayInMs : undefined;
}
