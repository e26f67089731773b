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
import { credentialAdvice, isCredentialError } from "../input/credential.ts";
import { exitCodeOfError, exitCodes } from "./exit-codes.ts";
import { namedIn } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import { printable } from "./text.ts";

/** How a wait for one operation ended. */
export type WaitResult =
  | { readonly type: "succeeded"; readonly result: unknown }
  | { readonly type: "error"; readonly error: Error; readonly resumeToken?: string | undefined }
  | { readonly type: "interrupted"; readonly reason: unknown; readonly resumeToken: string };

/** The ending that a rejection is. */
export function endingOf(reason: unknown): WaitResult {
  const error = toError(reason);
  const isInterim = error instanceof PollingError || error instanceof PollingTimeoutError;
  const resumeToken = isInterim && !isCredentialError(error) ? error.resumeToken : undefined;
  return { type: "error", error, resumeToken };
}

/** Whatever was thrown, as an error. */
export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** The exit code of one operation's ending. */
export function exitCodeOf(ending: WaitResult): number {
  if (ending.type === "succeeded") return exitCodes.succeeded;
  return exitCodeOfError(ending.type === "interrupted" ? ending.reason : ending.error);
}

/** The whole text of an error, but for what {@link adviceOn} has to say. Calls the operation what the user does. */
export function explainError(error: Error, operation?: OperationName): string {
  const { requestId } = serviceFields(error);
  const said = isCredentialError(error) ? firstLine(error.message) : error.message;
  return namedIn(printable(requestId === undefined ? said : `${said}\nRequest id: ${requestId}`), operation);
}

/** What to do about an error, where that is known. */
export function adviceOn(error: Error): string | undefined {
  if (!isCredentialError(error)) return undefined;
  const tried = printable(error.message.slice(firstLine(error.message).length).trim());
  const details = tried === "" ? "" : `\n\nWhat was tried:\n  ${tried.replaceAll("\n", "\n  ")}`;
  return `\n${credentialAdvice}${details}`;
}

function firstLine(text: string): string {
  return text.split("\n", 1).join("");
}

/** An error as data. */
export function errorData(error: Error): object {
  if (!(error instanceof LroError)) return { name: error.name, message: error.message };
  const { service, ...ids } = serviceFields(error);
  const { target, details, innererror } = service ?? {};
  const message = (isOfOperation(error) && service?.message) || error.message;
  return { name: error.name, code: error.code, message, target, details, innererror, ...ids };
}

interface ServiceFields {
  readonly service?: OperationError | undefined;
  readonly statusCode?: number | undefined;
  readonly requestId?: string | undefined;
}

/** What the service said, wherever this kind of error keeps it. */
function serviceFields(error: unknown): ServiceFields {
  if (isOfOperation(error)) return { service: error.operation?.error, requestId: error.requestId };
  if (error instanceof RequestError) {
    return { service: error.error, statusCode: error.statusCode, requestId: error.requestId };
  }
  const isOfRead = error instanceof PollingError || error instanceof OperationNotFoundError;
  return isOfRead && error.cause instanceof RequestError ? serviceFields(error.cause) : {};
}

/** Whether the operation itself ended so: whether there is nothing left to wait for. */
export function isOfOperation(error: unknown): error is OperationFailedError | OperationCanceledError {
  return error instanceof OperationFailedError || error instanceof OperationCanceledError;
}
