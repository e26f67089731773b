import type { ReadError } from "../operation/errors.ts";
import { historyOf } from "./state-machine.ts";
import type { NextStep, WaitState } from "./state-machine.ts";
import { isTerminal } from "../operation/operation.ts";
import type { OperationState, OperationStatus, WaitFacts } from "../operation/operation.ts";
import { estimateRemaining } from "../schedule/remaining-time.ts";
import type { RemainingEstimate, Schedule } from "../schedule/schedule.ts";

/** What a wait knows after a read that was answered. */
export interface Progress<P = unknown> {
  /** The state that it is in; never one before what was known already. */
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
  /** Why it failed. */
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

/** What is known since the last answer. */
export function progressOf<P>(
  state: WaitState<P>,
  latest: OperationStatus<P>,
  step: NextStep,
  schedule: Schedule,
): Progress<P> {
  const { percentComplete, previousStatus, pollCount, failedReads, answeredAtInMs = 0 } = state;
  const { status = latest.status } = state;
  const history = historyOf(state, answeredAtInMs);
  const estimate = isTerminal(status) ? ended : (schedule.estimate?.(history) ?? estimateRemaining(history));
  return {
    status,
    previousStatus,
    changed: state.isChange ?? true,
    percentComplete,
    operation: latest,
    elapsedInMs: answeredAtInMs,
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

/** What observers and logs are told: unlike a progress, without an estimate, which costs more than all else. */
export function factsOf(
  operationId: string,
  state: WaitState,
  elapsedInMs: number,
  step: NextStep,
): WaitFacts {
  const { status, previousStatus, percentComplete, pollCount, failedReads } = state;
  return {
    operationId,
    status,
    previousStatus,
    percentComplete,
    changed: state.isChange ?? true,
    elapsedInMs,
    nextPollInMs: nextPollInMs(step),
    pollCount,
    failedReads,
  };
}

function nextPollInMs(step: NextStep): number | undefined {
  return step.type === "wait" && step.until === "nextRead" ? step.delayInMs : undefined;
}
