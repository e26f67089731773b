import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { OperationError, OperationState } from "../../index.ts";

/** A whole response, before it is sent. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The status of an operation, in DevCenter's format. Dates are text with seven digits after the second. */
export interface StatusBody {
  /** The path of the status. DevCenter: `/projects/{projectName}/operationStatuses/{operationId}`. */
  readonly id: string;
  /** The operation's id. */
  readonly name: string;
  /** The phase's state. */
  readonly status: OperationState;
  /** The path of the operation's dev box or environment. */
  readonly resourceId?: string | undefined;
  /** The date of the operation's start. */
  readonly startTime?: string | undefined;
  /** The date of the operation's end. */
  readonly endTime?: string | undefined;
  /** The percentage, 0 to 100; missing where the phase has none. */
  readonly percentComplete?: number | undefined;
  /** The phase's `properties`. */
  readonly properties?: unknown;
  /** The phase's `result`. */
  readonly result?: unknown;
  /** The phase's `error`. */
  readonly error?: OperationError | undefined;
}

type ResponseHeaders = Readonly<Record<string, string>>;

/** Returns a JSON response. Its body is indented, like the service's. */
export function jsonResponse(status: number, body: unknown, headers: ResponseHeaders = {}): WireResponse {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(body, null, 2),
  };
}

/** Returns an `ErrorResponse`, with its code in the header too. */
export function errorResponse(
  status: number,
  code: string,
  message: string,
  { target, headers }: { readonly target?: string; readonly headers?: ResponseHeaders } = {},
): WireResponse {
  return jsonResponse(status, { error: { code, message, target } }, { "x-ms-error-code": code, ...headers });
}

/** Makes the response to a request that is rejected, in the format of a service. */
export type ErrorResponder = typeof errorResponse;

/** Returns a 401, which says whether the request had a bearer token. */
export function unauthorizedResponse(
  token: string | undefined,
  headers: ResponseHeaders,
  respond: ErrorResponder = errorResponse,
): WireResponse {
  const message = token === undefined ? "The request has no token." : "The token is not accepted.";
  return respond(401, "Unauthorized", message, { headers });
}

/** Returns the bearer token of a request; `undefined` where it has none. */
export function bearerTokenOf({ authorization = "" }: IncomingHttpHeaders): string | undefined {
  return /^Bearer (.+)$/i.exec(authorization)?.[1];
}

/** Returns the `id` of a status. Its `operationStatuses` has a capital letter; the URL's path has none. */
export function statusId(projectName: string, operationId: string): string {
  return `/projects/${projectName}/operationStatuses/${operationId}`;
}

/** Returns the URL of a status by its `id`, as in `Operation-Location`. */
export function statusUrl(origin: string, id: string, apiVersion: string): string {
  const path = id.replace("/operationStatuses/", "/operationstatuses/");
  return `${origin}${path}?${new URLSearchParams({ "api-version": apiVersion }).toString()}`;
}

/** Returns the headers of every response. */
export function commonHeaders(request: IncomingHttpHeaders, serviceHeaders: ResponseHeaders): Headers {
  const headers = new Headers(serviceHeaders);
  headers.set("access-control-allow-origin", "*");
  headers.set("x-ms-request-id", randomUUID());
  headers.set("x-ms-correlation-request-id", randomUUID());
  const clientRequestId = request["x-ms-client-request-id"];
  if (typeof clientRequestId === "string") headers.set("x-ms-client-request-id", clientRequestId);
  return headers;
}

/** Formats a date for a body: `2023-09-07T06:14:22.4080000+00:00`. */
export function bodyDate(timestamp: number): string {
  return new Date(timestamp).toISOString().replace("Z", "0000+00:00");
}

/** Formats a date for a header: `2023-09-07T06:20:24.9130000Z`. */
export function headerDate(timestamp: number): string {
  return new Date(timestamp).toISOString().replace("Z", "0000Z");
}

/** Returns a value's fields; none where it is no object. */
export function asObject(value: unknown): object {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
