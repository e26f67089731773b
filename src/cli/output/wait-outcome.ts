import {
  LroError,
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  PollingError,
  PollingTimeoutError,
  RequestError,
} from "../../index.ts";
import type { OperationError } from "../../index.ts";
import {
  credentialAdvice,
  isCredentialError,
  noTokenAdvice,
  rejectedTokenAdvice,
} from "../input/credential.ts";
import { exitCodeOfError, exitCodes } from "./exit-codes.ts";
import { namedIn } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import { printable } from "./text.ts";

/** The outcome of a wait for one operation. */
export type WaitOutcome =
  | { readonly type: "succeeded"; readonly result: unknown }
  | { readonly type: "error"; readonly error: Error; readonly resumeToken?: string | undefined }
  | { readonly type: "interrupted"; readonly reason: unknown; readonly resumeToken: string };

/** Converts the error of a wait into its outcome. */
export function outcomeOf(reason: unknown): WaitOutcome {
  const error = toError(reason);
  const canResume = error instanceof PollingError || error instanceof PollingTimeoutError;
  const resumeToken = canResume && !isCredentialError(error) ? error.resumeToken : undefined;
  return { type: "error", error, resumeToken };
}

/** Converts a thrown value into an error. */
export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** Returns the exit code for one outcome. */
export function exitCodeOf(outcome: WaitOutcome): number {
  if (outcome.type === "succeeded") return exitCodes.succeeded;
  return exitCodeOfError(outcome.type === "interrupted" ? outcome.reason : outcome.error);
}

/** Returns the whole text of an error, with the user's name for the operation, but without {@link adviceOn}. */
export function explainError(error: Error, operation?: OperationName): string {
  const { requestId } = serviceFields(error);
  const message = isCredentialError(error) ? firstLine(error.message) : error.message;
  const text = requestId === undefined ? message : `${message}\nRequest id: ${requestId}`;
  return namedIn(printable(withCommandOptions(text)), operation);
}

/** Names the options of the command in place of the library's. */
export function withCommandOptions(text: string): string {
  return text.replace(
    "add it to terminalStates",
    "name it by --succeeded-state, --failed-state or --canceled-state",
  );
}

/** Returns what to do about an error, if that is known. */
export function adviceOn(error: Error, operation?: OperationName): string | undefined {
  if (serviceFields(error).statusCode === 401)
    return `\n${operation?.sendsToken === false ? noTokenAdvice : rejectedTokenAdvice}`;
  if (!isCredentialError(error)) return undefined;
  const tried = printable(error.message.slice(firstLine(error.message).length).trim());
  const details = tried === "" ? "" : `\n\nTried:\n  ${tried.replaceAll("\n", "\n  ")}`;
  return `\n${credentialAdvice}${details}`;
}

function firstLine(text: string): string {
  return text.split("\n", 1).join("");
}

/** Converts an error into an object for JSON. */
export function errorData(error: Error): object {
  if (!(error instanceof LroError)) return { name: error.name, message: error.message };
  const { service, ...ids } = serviceFields(error);
  const { target, details, innererror } = service ?? {};
  const message = (isFailedOrCanceled(error) && service?.message) || error.message;
  return { name: error.name, code: error.code, message, target, details, innererror, ...ids };
}

interface ServiceFields {
  readonly service?: OperationError | undefined;
  readonly statusCode?: number | undefined;
  readonly requestId?: string | undefined;
}

/** Returns the service's error and ids, wherever this kind of error keeps them. */
function serviceFields(error: unknown): ServiceFields {
  if (isFailedOrCanceled(error)) return { service: error.operation?.error, requestId: error.requestId };
  if (error instanceof RequestError) {
    return { service: error.error, statusCode: error.statusCode, requestId: error.requestId };
  }
  const endedPolling = error instanceof PollingError || error instanceof OperationNotFoundError;
  return endedPolling && error.cause instanceof RequestError ? serviceFields(error.cause) : {};
}

/** Returns whether the operation itself failed or was canceled, so that there is nothing left to wait for. */
export function isFailedOrCanceled(error: unknown): error is OperationFailedError | OperationCanceledError {
  return error instanceof OperationFailedError || error instanceof OperationCanceledError;
}
