import { parseJson, parseObject } from "../../operation/json-fields.ts";
import { isRestError } from "@azure/core-rest-pipeline";
import type { HttpHeaders, PipelineResponse } from "@azure/core-rest-pipeline";
import { formatOperationError } from "../../operation/error-text.ts";
import { RequestError, codeOf, messageOf } from "../../operation/errors.ts";
import type { RequestErrorKind } from "../../operation/errors.ts";
import { parseOperationError } from "../../operation/parse-status.ts";
import type { OperationError } from "../../operation/status.ts";
import type { RateLimit } from "../../operation/limiter.ts";
import { parseRetryAfter } from "../../operation/retry-after.ts";

/** What an answer says beside its body. */
export interface ResponseMetadata {
  readonly statusCode: number;
  readonly retryAfterInMs: number | undefined;
  readonly requestId: string | undefined;
  readonly rateLimit: RateLimit | undefined;
}

/** Reads an answer's headers. */
export function metadataOf({ status, headers }: PipelineResponse): ResponseMetadata {
  return {
    statusCode: status,
    retryAfterInMs: parseRetryAfter((name) => headers.get(name), Date.now()),
    requestId: headers.get("x-ms-request-id"),
    rateLimit: rateLimitOf(headers),
  };
}

const remainingHeaders = ["x-rate-limit-remaining", "x-ms-ratelimit-remaining-subscription-reads"];

/** DevCenter's headers, and those that Azure Resource Manager has for reads; the scarcest counts. */
function rateLimitOf(headers: HttpHeaders): RateLimit | undefined {
  const remaining = remainingHeaders
    .map((name) => headers.get(name))
    .filter((value) => value !== undefined && /^\d+$/.test(value))
    .map(Number);
  if (remaining.length === 0) return undefined;
  const resetInMs = Date.parse(headers.get("x-rate-limit-reset") ?? "") - nowAt(headers);
  // Both are whole seconds: what begins anew within this one seems to have begun.
  return { remaining: Math.min(...remaining), resetInMs: Math.max(1000, resetInMs) || usualWindowInMs };
}

/** How long ago an operation had begun when its service answered, by that service's own clock. */
export function ageOf(startTime: Date | undefined, { headers }: PipelineResponse): number | undefined {
  if (startTime === undefined) return undefined;
  const answeredAt = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(answeredAt) ? undefined : answeredAt - startTime.getTime();
}

/** Both services count by the minute. */
const usualWindowInMs = 60_000;

/** The service's own time: clocks differ. */
function nowAt(headers: HttpHeaders): number {
  return Date.parse(headers.get("date") ?? "") || Date.now();
}

/**
 * Decodes an answer's body.
 *
 * @throws {@link ContractError} when it is no JSON
 */
export function parseBody({ bodyAsText }: PipelineResponse): unknown {
  return parseJson(bodyAsText ?? "", "$");
}

/** The failed read that an answer other than a status is. */
export function errorOfResponse(response: PipelineResponse, cause?: unknown): RequestError {
  const error = errorInBody(response);
  const code = response.headers.get("x-ms-error-code") || error?.code || undefined;
  const said = error ? formatOperationError(error) : (code ?? "neither a status nor an error in the answer");
  return new RequestError(`HTTP ${response.status}: ${said}`, {
    ...metadataOf(response),
    kind: kindOf(response.status),
    isThrottled: response.status === 429 || response.status === 503,
    code,
    error,
    cause,
  });
}

/** The failed read that an answer is of which only the code is known. */
export function errorOfStatus(statusCode: number): RequestError {
  return new RequestError(`HTTP ${statusCode}`, { kind: kindOf(statusCode), statusCode });
}

/**
 * 408, 429 and 5xx say nothing of the operation (Azure REST guidelines), nor does a success without a status;
 * a 404 may be replication lagging.
 */
function kindOf(status: number): RequestErrorKind {
  if (status === 404) return "notFound";
  return status < 300 || status === 408 || status === 429 || status >= 500 ? "transient" : "permanent";
}

/** `{ error: { code, message } }` as Azure's guidelines have it, or the error itself as some services send it. */
function errorInBody(response: PipelineResponse): OperationError | undefined {
  try {
    const body = parseObject(parseBody(response), "$");
    const error = parseOperationError(body["error"] ?? body, "$.error");
    return error.code === "" && error.message === "" ? undefined : error;
  } catch {
    // An HTML page of a gateway: the HTTP status says all there is.
    return undefined;
  }
}

/** What node:tls and OpenSSL call a certificate that will be as wrong in a minute. */
const certificateError =
  /^(CERT_|CRL_|DEPTH_ZERO_|ERROR_IN_CERT_|ERR_TLS_CERT|HOSTNAME_|INVALID_(CA|PURPOSE)$|PATH_LENGTH_|SELF_SIGNED_|UNABLE_TO_)/;

/** The failed read that a rejected request is. */
export function errorOfRequest(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (isRestError(error) && error.response) return errorOfResponse(error.response, error);
  const code = codeOf(error);
  const isCertificateError = code !== undefined && certificateError.test(code);
  const kind = isCertificateError ? "permanent" : "transient";
  return new RequestError(messageOf(error), { kind, code, cause: error });
}
