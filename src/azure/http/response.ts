import { parseJson } from "../../operation/json-fields.ts";
import { createHttpHeaders, isRestError } from "@azure/core-rest-pipeline";
import type { HttpHeaders, PipelineResponse, RestError } from "@azure/core-rest-pipeline";
import { codeOfError, formatOperationError } from "../../operation/error-text.ts";
import { ContractError, RequestError, codeOf, isBug, messageOf } from "../../operation/errors.ts";
import type { RequestErrorKind } from "../../operation/errors.ts";
import { findError, parseOperationError } from "../../operation/parse-error.ts";
import type { OperationError } from "../../operation/status.ts";
import type { RateLimit } from "../../operation/limiter.ts";
import { parseRetryAfter } from "../../operation/retry-after.ts";
import { unreachableCodes } from "../../state/state-machine.ts";
import { credentialError, isCredentialError } from "./token-cache.ts";

/** Headers of an initial response that lead to the operation, whatever its body has. */
export const locationHeaders: readonly string[] = ["operation-location", "azure-asyncoperation", "location"];

/** The parts of a response that are read. */
export type ResponseParts = Pick<PipelineResponse, "status" | "headers" | "bodyAsText">;

/** The facts in the head of a response. */
export interface ResponseMetadata {
  readonly statusCode: number;
  readonly retryAfterInMs: number | undefined;
  readonly requestId: string | undefined;
  readonly rateLimit: RateLimit | undefined;
}

/** Parses the head of a response. */
export function metadataOf({ status, headers }: ResponseParts): ResponseMetadata {
  return {
    statusCode: status,
    retryAfterInMs: parseRetryAfter((name) => headers.get(name), Date.now()),
    requestId: headers.get("x-ms-request-id"),
    rateLimit: rateLimitOf(headers),
  };
}

const remainingHeaders = ["x-rate-limit-remaining", "x-ms-ratelimit-remaining-subscription-reads"];

/** Azure Resource Manager says no time: its bucket of 250 reads is filled by 25 a second. */
const usualWindowInMs = 10_000;

/** Parses DevCenter's headers, and those that Azure Resource Manager has for reads; the scarcest counts. */
function rateLimitOf(headers: HttpHeaders): RateLimit | undefined {
  let remaining = Infinity;
  for (const name of remainingHeaders) {
    const value = headers.get(name);
    if (value !== undefined && /^\d+$/.test(value)) remaining = Math.min(remaining, Number(value));
  }
  if (remaining === Infinity) return undefined;
  // By the service's own time: clocks differ.
  const now = dateOf(headers) || Date.now();
  const resetInMs = Date.parse(headers.get("x-rate-limit-reset") ?? "") - now;
  // Both are whole seconds: a window that starts within this second seems to have started.
  return { remaining, resetInMs: Math.max(1000, resetInMs) || usualWindowInMs };
}

/** Returns the age of an operation in milliseconds at the time of a response, by its service's own clock. */
export function ageOf(startTime: Date | undefined, { headers }: ResponseParts): number | undefined {
  const sentAt = dateOf(headers);
  return startTime === undefined || Number.isNaN(sentAt) ? undefined : sentAt - startTime.getTime();
}

function dateOf(headers: HttpHeaders): number {
  return Date.parse(headers.get("date") ?? "");
}

/**
 * Parses the body of a response as JSON.
 *
 * @throws {@link ContractError} if it is no JSON
 */
export function parseBody({ bodyAsText }: ResponseParts): unknown {
  return parseJson(bodyAsText ?? "", "$");
}

/**
 * Calls a parser of a response.
 *
 * @throws {@link RequestError} of this kind if the parser throws a {@link ContractError}
 */
export function parseResponse<T>(parse: () => T, metadata: ResponseMetadata, kind: RequestErrorKind): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new RequestError(error.message, { ...metadata, kind, code: error.code, cause: error });
  }
}

/** Makes the error of a poll whose response is no status. */
export function errorOfResponse(response: ResponseParts, cause?: unknown): RequestError {
  const error = errorInBody(response) ?? errorKeptIn(cause);
  const headerCode = codeInHeaders(response.headers);
  const reason = error
    ? formatOperationError({ ...error, code: error.code || headerCode })
    : headerCode || "neither a status nor an error in the response";
  return new RequestError(`HTTP ${response.status}: ${reason}`, {
    ...metadataOf(response),
    kind: kindOf(response.status),
    isThrottled: response.status === 429 || response.status === 503,
    code: headerCode || (error && codeOfError(error)) || undefined,
    error,
    cause,
  });
}

function codeInHeaders(headers: HttpHeaders): string {
  return headers.get("x-ms-error-code") || headers.get("x-ms-public-api-error-code") || "";
}

/**
 * 408, 429 and 5xx say nothing of the operation (Azure REST guidelines), nor does a success without a status. A 404 may
 * be a replica that lags behind.
 */
function kindOf(status: number): RequestErrorKind {
  if (status === 404) return "notFound";
  return status < 300 || isTransientStatus(status) ? "transient" : "permanent";
}

/** Returns whether a status code says nothing of the operation, and another attempt may succeed. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Some SDKs drop the body, and keep its code and message in their error. */
function errorKeptIn(thrown: unknown): OperationError | undefined {
  if (!isRestError(thrown) || thrown.response?.bodyAsText) return undefined;
  // Without a message in the body, the SDK puts one in of its own.
  return codeOf(thrown) === undefined
    ? undefined
    : parseOperationError({ code: thrown.code, message: thrown.message });
}

function errorInBody(response: ResponseParts): OperationError | undefined {
  try {
    return findError(parseBody(response));
  } catch {
    // An HTML page of a gateway: the HTTP status says all there is.
    return undefined;
  }
}

/** Makes the error of a response of which an SDK has kept the status code alone. */
function errorOfStatus(status: number, error: RestError): RequestError {
  return errorOfResponse({ status, headers: createHttpHeaders() }, error);
}

/**
 * The names that node:tls and OpenSSL give to a certificate that will be as wrong in a minute, and those of Node for an
 * invalid argument.
 */
const certificateOrArgument =
  /^(CERT_|CRL_|DEPTH_ZERO_|ERROR_IN_CERT_|ERR_INVALID_|ERR_TLS_CERT|HOSTNAME_|INVALID_(CA|PURPOSE)$|PATH_LENGTH_|SELF_SIGNED_|UNABLE_TO_)/;

/** The codes of an attempt that got no connection, or no token: nothing was sent. */
const notSentCodes: ReadonlySet<string> = new Set([
  ...unreachableCodes,
  "CredentialError",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Returns whether a code proves that not a byte of the request was sent. */
export function isNotSent(code: string): boolean {
  return notSentCodes.has(code) || certificateOrArgument.test(code);
}

/**
 * Makes a {@link RequestError} of the error that a request was rejected with.
 *
 * @param hasWorked - whether there was a response before: without one, an error of the credential is no outage
 */
export function errorOfRequest(error: unknown, hasWorked = true): RequestError {
  if (error instanceof RequestError) return error;
  if (isRestError(error)) {
    if (error.response) return errorOfResponse(error.response, error);
    if (error.statusCode !== undefined) return errorOfStatus(error.statusCode, error);
  }
  if (isCredentialError(error)) return credentialError(error, hasWorked);
  const code = codeOf(error);
  const isPermanent = isBug(error) || certificateOrArgument.test(code ?? "");
  const kind = isPermanent ? "permanent" : "transient";
  return new RequestError(messageOf(error), { kind, code, cause: error });
}
