import type { RequestError } from "../operation/errors.ts";
import { historyOf } from "./state-machine.ts";
import type { NextStep, PollState } from "./state-machine.ts";
import { isTerminal } from "../operation/status.ts";
import type { PollerSnapshot } from "../operation/operation.ts";
import type { OperationState, OperationStatus } from "../operation/status.ts";
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
  readonly failedPollCount: number;
}

/** A read that failed, and what follows. */
export interface FailedPoll {
  /** Why it failed. */
  readonly error: RequestError;
  /** The last state known, if any. */
  readonly status: OperationState | undefined;
  /** Milliseconds since the wait began. */
  readonly elapsedInMs: number;
  /** Milliseconds until the next read; `undefined` when there is none. */
  readonly nextPollInMs: number | undefined;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount: number;
  /** How many of them failed. */
  readonly failedPollCount: number;
}

const ended: RemainingEstimate = { estimatedRemainingInMs: 0, estimatedRemainingRangeInMs: [0, 0] };

/** What is known since the last answer. */
export function progressOf<P>(
  state: PollState<P>,
  latest: OperationStatus<P>,
  step: NextStep,
  schedule: Schedule,
): Progress<P> {
  const { percentComplete, previousStatus, pollCount, failedPollCount, respondedAtInMs = 0 } = state;
  const { status = latest.status } = state;
  const history = historyOf(state, respondedAtInMs);
  const estimate = isTerminal(status) ? ended : (schedule.estimate?.(history) ?? estimateRemaining(history));
  return {
    status,
    previousStatus,
    changed: state.isChange ?? true,
    percentComplete,
    operation: latest,
    elapsedInMs: respondedAtInMs,
    estimatedRemainingInMs: estimate?.estimatedRemainingInMs,
    estimatedRemainingRangeInMs: estimate?.estimatedRemainingRangeInMs,
    nextPollInMs: nextPollInMs(step),
    pollCount,
    failedPollCount: failedPollCount,
  };
}

/** The event after a failed read. */
export function failedPollAfter(
  error: RequestError,
  state: PollState,
  elapsedInMs: number,
  step: NextStep,
): FailedPoll {
  const { status, pollCount, failedPollCount } = state;
  return {
    error,
    status,
    elapsedInMs,
    nextPollInMs: nextPollInMs(step),
    pollCount,
    failedPollCount: failedPollCount,
  };
}

/** What observers and logs are told: unlike a progress, without an estimate, which costs more than all else. */
export function snapshotOf(
  operationId: string,
  state: PollState,
  elapsedInMs: number,
  step: NextStep,
): PollerSnapshot {
  const { status, previousStatus, percentComplete, pollCount, failedPollCount } = state;
  return {
    operationId,
    status,
    previousStatus,
    percentComplete,
    changed: state.isChange ?? true,
    elapsedInMs,
    nextPollInMs: nextPollInMs(step),
    pollCount,
    failedPollCount,
  };
}

function nextPollInMs(step: NextStep): number | undefined {
  return step.type === "wait" && step.until === "nextPoll" ? step.delayInMs : undefined;
}
