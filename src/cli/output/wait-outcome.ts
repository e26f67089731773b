import {
  LroError,
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  PollingError,
  PollingTimeoutError,
  RequestError,
} from "../../index.ts";
import { Interruption } from "../input/context.ts";
import { credentialAdvice, noTokenAdvice, rejectedTokenAdvice } from "../input/credential.ts";
import { combinedExitCode, exitCodes } from "./exit-codes.ts";
import { toError } from "./to-error.ts";
import { namedIn } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import { withoutUrlSecrets } from "../../redaction.ts";
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

/** Returns whether a wait or a poll failed because there is no token. */
export function isCredentialError(error: unknown): boolean {
  return error instanceof LroError && error.code === "CredentialError";
}

/** Returns the exit code for the error of a wait or a poll. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof Interruption) return error.exitCode;
  if (error instanceof OperationFailedError) return exitCodes.failed;
  if (error instanceof OperationCanceledError) return exitCodes.canceled;
  return error instanceof PollingTimeoutError ? exitCodes.timedOut : exitCodes.pollingFailed;
}

/** Returns the exit code for one outcome. */
export function exitCodeOf(outcome: WaitOutcome): number {
  if (outcome.type === "succeeded") return exitCodes.succeeded;
  return exitCodeOfError(outcome.type === "interrupted" ? outcome.reason : outcome.error);
}

/** Returns whether the operation itself is over, and not only the wait. */
export function isOver(outcome: WaitOutcome): boolean {
  return outcome.type === "succeeded" || (outcome.type === "error" && isFailedOrCanceled(outcome.error));
}

/**
 * Returns the exit code for several outcomes, in the order in which the waits ended.
 *
 * @param any - whether the first operation that is over decides
 */
export function exitCodeOfAll(outcomes: readonly WaitOutcome[], any = false): number {
  const first = any ? outcomes.find(isOver) : undefined;
  return first ? exitCodeOf(first) : combinedExitCode(outcomes.map(exitCodeOf));
}

/** Returns the whole text of an error, with the user's name for the operation, but without {@link adviceOn}. */
export function explainError(error: Error, operation?: OperationName): string {
  const requestId = hasServiceError(error) ? error.requestId : undefined;
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
  if (hasServiceError(error) && statusCodeOf(error) === 401)
    return `\n${operation?.sendsToken === false ? noTokenAdvice : rejectedTokenAdvice}`;
  if (!isCredentialError(error)) return undefined;
  const tried = printable(error.message.slice(firstLine(error.message).length).trim());
  const details = tried === "" ? "" : `\n\nTried:\n  ${tried.replaceAll("\n", "\n  ")}`;
  return `\n${credentialAdvice}${details}`;
}

function firstLine(text: string): string {
  return text.split("\n", 1).join("");
}

/** Converts an error into an object for JSON. Fields of the service's error that this library does not know are kept. */
export function errorData(error: Error): object {
  if (!(error instanceof LroError)) return { name: error.name, message: error.message };
  const { name, code } = error;
  const message = (isFailedOrCanceled(error) && error.operation?.error?.message) || error.message;
  if (!hasServiceError(error)) return { name, code, message };
  const { target, innererror, requestId } = error;
  const details = withoutEmpty(error.details);
  const additionalInfo = withoutEmpty(error.additionalInfo);
  const statusCode = statusCodeOf(error);
  const rootCause = error.rootCause?.code === code ? undefined : error.rootCause;
  const known = {
    name,
    code,
    message,
    rootCause,
    target,
    details,
    innererror,
    additionalInfo,
    statusCode,
    requestId,
  };
  return withoutSecrets({ ...known, ...unknownFields(error.error, known) });
}

/** A service may quote signed URLs in its texts. */
function withoutSecrets(data: object): object {
  const redacted: object = JSON.parse(JSON.stringify(data), (_, value: unknown) =>
    typeof value === "string" ? withoutUrlSecrets(value) : value,
  );
  return redacted;
}

function withoutEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** Returns the fields of a service's error that `known` lacks. */
function unknownFields(error: unknown, known: object): object {
  if (typeof error !== "object" || error === null || Array.isArray(error)) return {};
  const names = new Set(Object.keys(known).map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(error).filter(([name]) => !names.has(name.toLowerCase())));
}

type ErrorWithServiceError =
  | OperationFailedError
  | OperationCanceledError
  | OperationNotFoundError
  | PollingError
  | RequestError;

function hasServiceError(error: unknown): error is ErrorWithServiceError {
  return error instanceof LroError && "rootCause" in error;
}

/** Returns the most specific code of an error. */
export function causeCodeOf(error: LroError): string {
  return (hasServiceError(error) && error.rootCause?.code) || error.code;
}

/** Returns the HTTP status of the request that failed. */
function statusCodeOf(error: ErrorWithServiceError): number | undefined {
  if ("statusCode" in error) return error.statusCode;
  const { cause } = error;
  return error instanceof OperationNotFoundError && cause instanceof RequestError
    ? cause.statusCode
    : undefined;
}

/** Returns whether the operation itself failed or was canceled, so that there is nothing left to wait for. */
export function isFailedOrCanceled(error: unknown): error is OperationFailedError | OperationCanceledError {
  return error instanceof OperationFailedError || error instanceof OperationCanceledError;
}
