import {
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  PollingError,
  PollingTimeoutError,
  defaultRequestErrorCode,
} from "../operation/errors.ts";
import type { LroErrorContext } from "../operation/errors.ts";
import { signOfEnd } from "./sign-of-end.ts";
import { hasReachedNothing } from "./state-machine.ts";
import type { PollState, StopReason } from "./state-machine.ts";

/** How a wait ended for its callers. */
export type Outcome<P> =
  | { readonly type: "succeeded"; readonly result: P }
  | { readonly type: "failedOrCanceled"; readonly error: unknown }
  | { readonly type: "pollingFailed"; readonly error: unknown }
  /** The poller was disposed of: no caller waits any more, nor can one. */
  | { readonly type: "disposed"; readonly error: unknown };

/** The reason and the time at which polling stopped, and the state then. */
export interface StoppedPolling<P> {
  readonly reason: StopReason | "disposed";
  readonly operationId: string;
  readonly state: PollState<P>;
  readonly elapsedInMs: number;
  readonly resumeToken: () => string | undefined;
}

/** Makes the value or the error that callers get. */
export function outcomeOf<P>(stopped: StoppedPolling<P>): Outcome<P> {
  const { latest: operation, requestId } = stopped.state;
  if (stopped.reason !== "terminal" || operation === undefined)
    return { type: "pollingFailed", error: errorOf(stopped) };
  // A success without properties has no result, which P then has to allow for: the contract makes it optional.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (operation.status === "Succeeded") return { type: "succeeded", result: operation.properties as P };
  const context = { ...contextOf(stopped), operation, requestId };
  const error =
    operation.status === "Failed" ? new OperationFailedError(context) : new OperationCanceledError(context);
  return { type: "failedOrCanceled", error };
}

function contextOf<P>(stopped: StoppedPolling<P>): LroErrorContext {
  const { latest: operation, pollCount, responseCounts, failure } = stopped.state;
  const resumeToken = tokenOrNothing(stopped);
  return { operation, pollCount, responseCounts, resumeToken, ...(failure && { cause: failure }) };
}

/** Makes the error of a wait that ended before its operation. */
export function errorOf<P>(stopped: StoppedPolling<P>): Error {
  const { reason, state } = stopped;
  const context = contextOf(stopped);
  switch (reason) {
    case "timedOut":
      return new PollingTimeoutError(timeoutMessage(stopped), "PollingTimeout", context);
    case "stalled":
      return new PollingTimeoutError(timeoutMessage(stopped), "Stalled", context);
    case "notFound":
      return new OperationNotFoundError(notFoundMessage(stopped), notFoundCodeOf(state), context);
    case "disposed":
      return new PollingError(disposalMessage(stopped), "Disposed", context);
    case "terminal":
    case "pollingFailed":
      return new PollingError(failureMessage(stopped), state.failure?.code ?? "PollingFailed", context);
  }
}

/** The service's code, if it sent one. */
function notFoundCodeOf({ failure }: PollState): string {
  return failure && failure.code !== defaultRequestErrorCode ? failure.code : "OperationNotFound";
}

/** A transport's toJSON is the user's code: an error without a token is better than none. */
function tokenOrNothing<P>({ resumeToken }: StoppedPolling<P>): string | undefined {
  try {
    return resumeToken();
  } catch {
    return undefined;
  }
}

function timeoutMessage<P>({ operationId, state, elapsedInMs, reason }: StoppedPolling<P>): string {
  const { changedAtInMs = elapsedInMs } = state;
  const unchanged = reason === "stalled" ? `, unchanged for ${seconds(elapsedInMs - changedAtInMs)}` : "";
  const last = state.failure ? ` The last poll failed: ${withoutStop(state.failure.message)}.` : "";
  // Before the first poll a token leads nowhere.
  const advice = state.pollCount > 0 ? " To continue, use the resume token." : "";
  return `Operation ${operationId} ${stateText(state)} after ${seconds(elapsedInMs)}${unchanged}.${endText(state)}${last}${advice}`;
}

function endText({ latest }: PollState): string {
  const sign = latest && signOfEnd(latest);
  return sign === undefined
    ? ""
    : ` The service sent ${sign} with this state: if it is terminal, add it to terminalStates.`;
}

function stateText(state: PollState): string {
  if (state.status === undefined) return "has reported no status";
  return state.isResultPending
    ? "succeeded, but its result was not received"
    : `is still ${latestState(state)}`;
}

function disposalMessage<P>({ operationId, state }: StoppedPolling<P>): string {
  return `The poller of operation ${operationId} was disposed of.${lastPollText(state)}`;
}

function notFoundMessage<P>({ operationId, state }: StoppedPolling<P>): string {
  const cause = state.failure ? `: ${withoutStop(state.failure.message)}` : "";
  return `Operation ${operationId} was not found${cause}.${lastPollText(state)}`;
}

function failureMessage<P>({ operationId, state, elapsedInMs }: StoppedPolling<P>): string {
  const { failure, consecutiveFailures, outageSinceInMs = elapsedInMs } = state;
  const span =
    consecutiveFailures > 1
      ? ` (${consecutiveFailures} failed polls in ${seconds(elapsedInMs - outageSinceInMs)})`
      : "";
  const cause = `${span}: ${withoutStop(failure?.message ?? "the service's Retry-After is not over")}.`;
  const advice = hasReachedNothing(state) ? " Check the endpoint." : "";
  return state.isResultPending
    ? `Operation ${operationId} succeeded, but the request for its result failed${cause}`
    : `Polling operation ${operationId} failed${cause}${advice}${lastPollText(state)}`;
}

function lastPollText(state: PollState): string {
  return state.status === undefined ? "" : ` It was ${latestState(state)} at the last successful poll.`;
}

const maxWordLength = 100;

function latestState({ status = "", percentComplete }: PollState): string {
  const word = status.length > maxWordLength ? `${status.slice(0, maxWordLength)}…` : status;
  return percentComplete === undefined ? word : `${word} at ${Math.round(percentComplete)} %`;
}

/** A message that is quoted in a sentence may have a full stop of its own. */
function withoutStop(message: string): string {
  return message.replace(/\.$/, "");
}

/** Formats a duration: `2.5 s`, `382 s`. */
export function seconds(durationInMs: number): string {
  const digits = durationInMs < 10_000 ? 1 : 0;
  return `${Number((durationInMs / 1000).toFixed(digits))} s`;
}
