import type { ReadError } from "./errors.ts";
import { historyOf } from "./machine.ts";
import type { NextStep, WaitState } from "./machine.ts";
import { isTerminal } from "./operation.ts";
import type { OperationState, OperationStatus, Reading } from "./operation.ts";
import { estimateRemaining } from "./schedule.ts";

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
  /** Milliseconds; `undefined` where it would be a guess. */
  readonly estimatedRemainingInMs: number | undefined;
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

/** The progress after an answer. */
export function progressAfter<P>(
  state: WaitState<P>,
  reading: Reading<P>,
  elapsedInMs: number,
  step: NextStep,
  before: Progress<P> | undefined,
): Progress<P> {
  const { latest = reading.status, percentComplete, previousStatus, pollCount, failedReads } = state;
  const { status = latest.status } = state;
  return {
    status,
    previousStatus,
    changed: status !== before?.status || percentComplete !== before.percentComplete,
    percentComplete,
    operation: latest,
    elapsedInMs,
    estimatedRemainingInMs: isTerminal(status) ? 0 : estimateRemaining(historyOf(state, elapsedInMs)),
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
