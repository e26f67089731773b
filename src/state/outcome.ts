import type { LroErrorContext, RequestError } from "../operation/errors.ts";
import {
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  PollingError,
  PollingTimeoutError,
  defaultRequestErrorCode,
} from "../operation/errors.ts";
import type { PollState, StopReason } from "./state-machine.ts";

/** How a wait ended: as the operation did, or without knowing how it does. */
export type Outcome<P> =
  | { readonly type: "succeeded"; readonly result: P }
  | { readonly type: "failedOrCanceled"; readonly error: unknown }
  | { readonly type: "pollingFailed"; readonly error: unknown }
  /** The poller was disposed of: nobody waits any more, nor ever will. */
  | { readonly type: "disposed"; readonly error: unknown };

/** Where and when a wait ended. */
export interface StoppedPolling<P> {
  readonly reason: StopReason | "disposed";
  readonly operationId: string;
  readonly state: PollState<P>;
  readonly elapsedInMs: number;
  readonly resumeToken: () => string;
}

/** Turns the end of a wait into the value or the error that its callers get. */
export function outcomeOf<P>(end: StoppedPolling<P>): Outcome<P> {
  const { latest } = end.state;
  if (end.reason === "terminal" && latest?.status === "Succeeded") {
    // A success without properties has no result, which P then has to allow for: the contract makes it optional.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return { type: "succeeded", result: latest.properties as P };
  }
  const error = errorOf(end);
  return { type: end.reason === "terminal" ? "failedOrCanceled" : "pollingFailed", error };
}

/** The error that says how a wait ended. */
export function errorOf<P>(end: StoppedPolling<P>): Error {
  const { reason, state } = end;
  const context: LroErrorContext = {
    operation: state.latest,
    pollCount: state.pollCount,
    responseCounts: state.responseCounts,
    resumeToken: tokenOrNothing(end),
    ...(state.failure && { cause: state.failure }),
  };
  switch (reason) {
    case "terminal":
      return failedOrCanceledError(state, context);
    case "timedOut":
      return new PollingTimeoutError(timeoutMessage(end), "PollingTimeout", context);
    case "notFound":
      return new OperationNotFoundError(
        notFoundMessage(end),
        serviceCodeOf(state.failure) ?? "OperationNotFound",
        context,
      );
    case "disposed":
      return new PollingError(disposalMessage(end), "Disposed", context);
    case "pollingFailed":
      return new PollingError(pollingFailedMessage(end), state.failure?.code ?? "Unreadable", context);
  }
}

/** `undefined` where the read failed without a code: what came of the wait has a word of its own then. */
function serviceCodeOf(failure: RequestError | undefined): string | undefined {
  return failure?.code === defaultRequestErrorCode ? undefined : failure?.code;
}

/** A transport's toJSON is the user's code: an error without a token is better than none. */
function tokenOrNothing<P>({ resumeToken }: StoppedPolling<P>): string | undefined {
  try {
    return resumeToken();
  } catch {
    return undefined;
  }
}

function failedOrCanceledError<P>(state: PollState<P>, context: LroErrorContext): Error {
  const { latest: operation, requestId } = state;
  if (operation === undefined)
    return new PollingError("The operation settled without a status.", "NoStatus", context);
  const ended = { ...context, operation, requestId };
  return operation.status === "Failed" ? new OperationFailedError(ended) : new OperationCanceledError(ended);
}

function timeoutMessage<P>({ operationId, state, elapsedInMs }: StoppedPolling<P>): string {
  const last = state.failure ? ` The last read failed: ${withoutStop(state.failure.message)}.` : "";
  return (
    `Stopped waiting for operation ${operationId} after ${seconds(elapsedInMs)}: ` +
    `${stateText(state)}.${last} Use the resume token to go on waiting.`
  );
}

function disposalMessage<P>({ operationId, state }: StoppedPolling<P>): string {
  const seen = lastSeenText(state, ", and goes on.");
  return `Stopped waiting for operation ${operationId}, because its poller was disposed of.${seen}`;
}

function stateText(state: PollState): string {
  if (state.status === undefined) return "its status could not be read";
  return state.isResultPending
    ? "it succeeded, but its result has not been read"
    : `it is still ${lastSeen(state)} and goes on`;
}

function notFoundMessage<P>({ operationId, state }: StoppedPolling<P>): string {
  const said = state.failure ? ` (${withoutStop(state.failure.message)})` : "";
  return `The service knows no operation ${operationId}${said}.${lastSeenText(state)}`;
}

function pollingFailedMessage<P>({ operationId, state, elapsedInMs }: StoppedPolling<P>): string {
  const { failure, consecutiveFailures, outageSinceInMs = elapsedInMs } = state;
  const span =
    consecutiveFailures > 1
      ? ` (${consecutiveFailures} failed reads in ${seconds(elapsedInMs - outageSinceInMs)})`
      : "";
  const why = `${span}: ${withoutStop(failure?.message ?? "the service's Retry-After is not over")}.`;
  if (state.isResultPending)
    return `Operation ${operationId} succeeded, but its result could not be read${why}`;
  return `Could not read operation ${operationId}${why}${lastSeenText(state)}`;
}

function lastSeenText(state: PollState, end = "."): string {
  return state.status === undefined ? "" : ` It was ${lastSeen(state)} when last seen${end}`;
}

function lastSeen({ status = "", percentComplete }: PollState): string {
  return percentComplete === undefined ? status : `${status} at ${Math.round(percentComplete)} %`;
}

/** Sentences quoted in a sentence bring a full stop of their own. */
function withoutStop(message: string): string {
  return message.replace(/\.$/, "");
}

function seconds(durationInMs: number): string {
  const digits = durationInMs < 10_000 ? 1 : 0;
  return `${Number((durationInMs / 1000).toFixed(digits))} s`;
}
