import {
  ContractError,
  LroError,
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  PollingError,
  PollingTimeoutError,
  ReadError,
  codeOf,
  messageOf,
  unnamedReadError,
} from "../operation/errors.ts";
import type { LroErrorContext } from "../operation/errors.ts";
import type { WaitEnding, WaitState } from "./state-machine.ts";

/** How a wait ended: as the operation did, or without knowing how it does. */
export type Outcome<P> =
  | { readonly type: "succeeded"; readonly result: P }
  | { readonly type: "unsuccessful"; readonly error: unknown }
  | { readonly type: "gaveUp"; readonly error: unknown }
  /** The poller was disposed of: nobody waits any more, nor ever will. */
  | { readonly type: "disposed"; readonly error: unknown };

/** Where and when a wait ended. */
export interface EndOfWait<P> {
  readonly ending: WaitEnding | "disposed";
  readonly operationId: string;
  readonly state: WaitState<P>;
  readonly elapsedInMs: number;
  readonly resumeToken: () => string;
}

/** Turns the end of a wait into the value or the error that its callers get. */
export function outcomeOf<P>(end: EndOfWait<P>): Outcome<P> {
  const { latest } = end.state;
  if (end.ending === "settled" && latest?.status === "Succeeded") {
    // A success without properties has no result, which P then has to allow for: the contract makes it optional.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return { type: "succeeded", result: latest.properties as P };
  }
  const error = errorOf(end);
  return { type: end.ending === "settled" ? "unsuccessful" : "gaveUp", error };
}

/** The error that says how a wait ended. */
export function errorOf<P>(end: EndOfWait<P>): Error {
  const { ending, state } = end;
  const context: LroErrorContext = {
    operation: state.latest,
    pollCount: state.pollCount,
    observed: state.observed,
    resumeToken: tokenOrNothing(end),
    ...(state.failure && { cause: state.failure }),
  };
  switch (ending) {
    case "settled":
      return unsuccessful(state, context);
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
    case "unreadable":
      return new PollingError(unreadableMessage(end), state.failure?.code ?? "Unreadable", context);
  }
}

/** `undefined` where the read failed without a code: what came of the wait has a word of its own then. */
function serviceCodeOf(failure: ReadError | undefined): string | undefined {
  return failure?.code === unnamedReadError ? undefined : failure?.code;
}

/** A transport's toJSON is the user's code: an error without a token is better than none. */
function tokenOrNothing<P>({ resumeToken }: EndOfWait<P>): string | undefined {
  try {
    return resumeToken();
  } catch {
    return undefined;
  }
}

function unsuccessful<P>(state: WaitState<P>, context: LroErrorContext): Error {
  const { latest: operation, requestId } = state;
  if (operation === undefined)
    return new PollingError("The operation settled without a status.", "NoStatus", context);
  const ended = { ...context, operation, requestId };
  return operation.status === "Failed" ? new OperationFailedError(ended) : new OperationCanceledError(ended);
}

function timeoutMessage<P>({ operationId, state, elapsedInMs }: EndOfWait<P>): string {
  const last = state.failure ? ` The last read failed: ${withoutStop(state.failure.message)}.` : "";
  return (
    `Stopped waiting for operation ${operationId} after ${seconds(elapsedInMs)}: ` +
    `${whatGoesOn(state)}.${last} Use the resume token to go on waiting.`
  );
}

function disposalMessage<P>({ operationId, state }: EndOfWait<P>): string {
  const seen = whenLastSeen(state, ", and goes on.");
  return `Stopped waiting for operation ${operationId}, because its poller was disposed of.${seen}`;
}

function whatGoesOn(state: WaitState): string {
  if (state.status === undefined) return "its status could not be read";
  return state.isResultPending
    ? "it succeeded, but its result has not been read"
    : `it is still ${lastSeen(state)} and goes on`;
}

function notFoundMessage<P>({ operationId, state }: EndOfWait<P>): string {
  const said = state.failure ? ` (${withoutStop(state.failure.message)})` : "";
  return `The service knows no operation ${operationId}${said}.${whenLastSeen(state)}`;
}

function unreadableMessage<P>({ operationId, state, elapsedInMs }: EndOfWait<P>): string {
  const { failure, consecutiveFailures, outageSinceInMs = elapsedInMs } = state;
  const span =
    consecutiveFailures > 1
      ? ` (${consecutiveFailures} failed reads in ${seconds(elapsedInMs - outageSinceInMs)})`
      : "";
  const why = `${span}: ${withoutStop(failure?.message ?? "the service's Retry-After is not over")}.`;
  if (state.isResultPending)
    return `Operation ${operationId} succeeded, but its result could not be read${why}`;
  return `Could not read operation ${operationId}${why}${whenLastSeen(state)}`;
}

function whenLastSeen(state: WaitState, end = "."): string {
  return state.status === undefined ? "" : ` It was ${lastSeen(state)} when last seen${end}`;
}

function lastSeen({ status = "", percentComplete }: WaitState): string {
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

/** Whether a transport ended the wait for good by what it threw, beyond a read that failed. */
export function isVerdict(error: unknown): error is LroError {
  return error instanceof LroError && !(error instanceof ReadError) && !(error instanceof ContractError);
}

/** Whatever a transport threw, as a failed read. */
export function toReadError(error: unknown): ReadError {
  if (error instanceof ReadError) return error;
  return new ReadError(messageOf(error), { kind: "transient", code: codeOf(error), cause: error });
}
