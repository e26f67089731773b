import type { RequestError } from "../operation/errors.ts";
import type { PollMetrics, PollerSnapshot } from "../operation/operation.ts";
import { isTerminal } from "../operation/status.ts";
import type { OperationState, OperationStatus } from "../operation/status.ts";
import { estimateRemaining } from "../schedule/remaining-time.ts";
import type { RemainingEstimate, Schedule } from "../schedule/schedule.ts";
import type { StoppedPolling } from "./outcome.ts";
import { historyOf } from "./state-machine.ts";
import type { NextStep, PollState } from "./state-machine.ts";

/** The progress of an operation after a response. */
export interface Progress<P = unknown> extends PollMetrics {
  /** The state; it never moves back. */
  readonly status: OperationState;
  /** The state after the poll before; `undefined` after the first. */
  readonly previousStatus: OperationState | undefined;
  /** Whether status or percentage differ from those of the progress before. */
  readonly changed: boolean;
  /** The highest percentage that the service has reported, 0 to 100; `undefined` where it reports none. */
  readonly percentComplete: number | undefined;
  /** The whole status, as the service sent it. */
  readonly operation: OperationStatus<P>;
  /** The median estimate in milliseconds; `undefined` if the data do not allow one. */
  readonly estimatedRemainingInMs: number | undefined;
  /** The 80 % interval in milliseconds: it should contain the end in 80 of 100 cases. `undefined` if the data do not allow one. */
  readonly estimatedRemainingRangeInMs: readonly [number, number] | undefined;
  /** Whether the operation has run beyond the upper end of an earlier interval; false if there was none. */
  readonly isOverdue: boolean;
}

/** A failed poll, and when the next one follows. */
export interface FailedPoll extends PollMetrics {
  /** The reason. */
  readonly error: RequestError;
  /** The last state known, if any. */
  readonly status: OperationState | undefined;
}

const over: RemainingEstimate = { estimatedRemainingInMs: 0, estimatedRemainingRangeInMs: [0, 0] };

/** Makes the progress since the last response. */
export function progressOf<P>(
  state: PollState<P>,
  latest: OperationStatus<P>,
  step: NextStep | undefined,
  schedule: Schedule,
): Progress<P> {
  const { percentComplete, previousStatus, respondedAtInMs = 0 } = state;
  const { status = latest.status } = state;
  const history = historyOf(state, respondedAtInMs);
  const estimate = isTerminal(status) ? over : (schedule.estimate?.(history) ?? estimateRemaining(history));
  return {
    status,
    previousStatus,
    changed: state.isChange ?? true,
    percentComplete,
    operation: latest,
    estimatedRemainingInMs: estimate?.estimatedRemainingInMs,
    estimatedRemainingRangeInMs: estimate?.estimatedRemainingRangeInMs,
    isOverdue: estimate?.isOverdue ?? false,
    ...metricsOf(state, respondedAtInMs, step),
  };
}

/** Makes the event after a failed poll. */
export function failedPollAfter(
  error: RequestError,
  { state, elapsedInMs }: Pick<StoppedPolling<unknown>, "state" | "elapsedInMs">,
  step: NextStep | undefined,
): FailedPoll {
  return { error, status: state.status, ...metricsOf(state, elapsedInMs, step) };
}

/** Makes the snapshot for observers and logs. It has no estimate, which costs more than all else. */
export function snapshotOf(
  operationId: string,
  state: PollState,
  elapsedInMs: number,
  step: NextStep | undefined,
): PollerSnapshot {
  const { status, previousStatus, percentComplete } = state;
  return {
    operationId,
    status,
    previousStatus,
    percentComplete,
    changed: state.isChange ?? true,
    ...metricsOf(state, elapsedInMs, step),
  };
}

function metricsOf(
  { pollCount, failedPollCount }: PollState,
  elapsedInMs: number,
  step: NextStep | undefined,
): PollMetrics {
  const hasNext = step?.type === "wait" && step.until === "nextPoll";
  return { elapsedInMs, nextPollInMs: hasNext ? step.delayInMs : undefined, pollCount, failedPollCount };
}
