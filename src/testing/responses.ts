import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { OperationError, OperationState } from "../index.ts";

/** A whole answer, before it is put on the wire. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A status as DevCenter's data plane words it; dates are text with seven digits after the second. */
export interface StatusBody {
  /** `/projects/{projectName}/operationStatuses/{operationId}`. */
  readonly id: string;
  /** The operation's id. */
  readonly name: string;
  /** The phase's state. */
  readonly status: OperationState;
  /** The path of the dev box or environment that it is about. */
  readonly resourceId?: string | undefined;
  /** When it began. */
  readonly startTime?: string | undefined;
  /** When it was over. */
  readonly endTime?: string | undefined;
  /** 0 to 100; missing where the phase has none. */
  readonly percentComplete?: number | undefined;
  /** The phase's `properties`. */
  readonly properties?: unknown;
  /** The phase's `result`. */
  readonly result?: unknown;
  /** The phase's `error`. */
  readonly error?: OperationError | undefined;
}

type ResponseHeaders = Readonly<Record<string, string>>;

/** Pretty-printed, like the service's. */
export function jsonResponse(status: number, body: unknown, headers: ResponseHeaders = {}): WireResponse {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(body, null, 2),
  };
}

/** An `ErrorResponse`, its code in the header too. */
export function errorResponse(
  status: number,
  code: string,
  message: string,
  { target, headers }: { readonly target?: string; readonly headers?: ResponseHeaders } = {},
): WireResponse {
  return jsonResponse(status, { error: { code, message, target } }, { "x-ms-error-code": code, ...headers });
}

/** The `id` of a status. Its `operationStatuses` has a capital that the path of the URL lacks. */
export function statusId(projectName: string, operationId: string): string {
  return `/projects/${projectName}/operationStatuses/${operationId}`;
}

/** The URL of a status, as `Operation-Location` has it. */
export function statusUrl(
  origin: string,
  projectName: string,
  operationId: string,
  apiVersion: string,
): string {
  const query = new URLSearchParams({ "api-version": apiVersion });
  return `${origin}/projects/${projectName}/operationstatuses/${operationId}?${query.toString()}`;
}

/** The headers that every answer carries. */
export function commonHeaders(request: IncomingHttpHeaders, rateHeaders: ResponseHeaders): Headers {
  const headers = new Headers(rateHeaders);
  headers.set("access-control-allow-origin", "*");
  headers.set("access-control-expose-headers", exposedHeaders);
  headers.set("x-ms-request-id", randomUUID());
  headers.set("x-ms-correlation-request-id", randomUUID());
  const clientRequestId = request["x-ms-client-request-id"];
  if (typeof clientRequestId === "string") headers.set("x-ms-client-request-id", clientRequestId);
  return headers;
}

const exposedHeaders = "Location,Operation-Location,x-ms-correlation-request-id,x-ms-client-request-id";

/** A date in a body: `2023-09-07T06:14:22.4080000+00:00`. */
export function bodyDate(timestamp: number): string {
  return new Date(timestamp).toISOString().replace("Z", "0000+00:00");
}

/** A date in a header: `2023-09-07T06:20:24.9130000Z`. */
export function headerDate(timestamp: number): string {
  return new Date(timestamp).toISOString().replace("Z", "0000Z");
}
