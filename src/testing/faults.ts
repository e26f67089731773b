import type { IncomingHttpHeaders } from "node:http";
import { bearerTokenOf, errorResponse, jsonResponse, unauthorizedResponse } from "./styles/responses.ts";
import type { ErrorResponder, WireResponse } from "./styles/responses.ts";
import { checkNumber, checkObject, checkString, fail } from "./validation.ts";

/** The point at which a response stops. */
export type FaultPoint = "beforeHeaders" | "afterHeaders" | "midBody";

/** A fault of the response to a poll. */
export type Fault =
  | StatusFault
  | BodyFault
  | UnauthorizedFault
  | RedirectFault
  | OtherOperationFault
  | StaleFault
  | DeliveryFault;

/** Another HTTP status code. The body is an `ErrorResponse` by default. */
export interface StatusFault {
  /** The kind of fault. */
  readonly kind: "status";
  /** The status code, 200 to 599. */
  readonly status: number;
  /** The `Retry-After` header: seconds, a date or an invalid value. Default: none. */
  readonly retryAfter?: string | number;
  /** Headers to add or replace. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the `ErrorResponse`. A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** A 200 with another body, such as a proxy's HTML or half a JSON document. */
export interface BodyFault {
  /** The kind of fault. */
  readonly kind: "body";
  /** The body, as it is. */
  readonly text: string;
  /** Default `text/html`. */
  readonly contentType?: string;
}

/** A 401. */
export interface UnauthorizedFault {
  /** The kind of fault. */
  readonly kind: "unauthorized";
  /** The whole `WWW-Authenticate` header. Default: none. */
  readonly challenge?: string;
  /** The claims that a token needs, as JSON text. They make the header a claims challenge. */
  readonly claims?: string;
}

/** A redirect. */
export interface RedirectFault {
  /** The kind of fault. */
  readonly kind: "redirect";
  /** The `Location` header. */
  readonly location: string;
  /** The status code, 300 to 399. Default 307. */
  readonly status?: number;
}

/** The status of another operation, which has succeeded. */
export interface OtherOperationFault {
  /** The kind of fault. */
  readonly kind: "otherOperation";
  /** The id of the other operation. Default: all zeros. */
  readonly operationId?: string;
}

/** The first status of the operation, as from a replica that lags behind. */
export interface StaleFault {
  /** The kind of fault. */
  readonly kind: "stale";
}

/** A fault in the delivery of the correct response. */
export type DeliveryFault =
  /** The connection breaks, by default before the headers. `afterBody` leaves the response whole. */
  | { readonly kind: "reset"; readonly when?: FaultPoint | "afterBody" }
  /** The response stops, by default before the headers, and the connection stays open until the server closes. */
  | { readonly kind: "hang"; readonly when?: FaultPoint }
  /** The body comes in chunks of `chunkBytes` (default 16), every `delayInMs` milliseconds (default 0) of the clock. */
  | { readonly kind: "slow"; readonly chunkBytes?: number; readonly delayInMs?: number }
  /** The response comes `delayInMs` milliseconds of the clock later, with the status at the time of the request. */
  | { readonly kind: "late"; readonly delayInMs: number }
  /** Spaces pad the body to `bytes`. With `gzip` they are sent compressed to a thousandth of their size. */
  | { readonly kind: "long"; readonly bytes: number; readonly gzip?: boolean }
  /** These headers are added to the response, or replace its own. */
  | { readonly kind: "headers"; readonly headers: Readonly<Record<string, string>> };

/** A fault of the response to an initial request. */
export type InitialRequestFault = Exclude<Fault, StaleFault | OtherOperationFault>;

/** Faults by the number of the poll: 1 for the first poll of the operation. */
export type Faults = Readonly<Record<number, Fault>>;

const deliveryFaults: ReadonlySet<string> = new Set(["reset", "hang", "slow", "late", "long", "headers"]);

/** Whether the server sends the correct response, at least in part, to a poll with this fault. */
export function isDeliveryFault(fault: Fault): fault is DeliveryFault {
  return deliveryFaults.has(fault.kind);
}

/** Whether a poll with this fault, or without one, gets the whole correct response. */
export function deliversStatus(fault: Fault | undefined): boolean {
  if (fault?.kind === "reset") return fault.when === "afterBody";
  return fault === undefined || (isDeliveryFault(fault) && fault.kind !== "hang");
}

/** The parts of a request that the response of a fault depends on. */
export interface FaultContext {
  readonly headers: IncomingHttpHeaders;
  /** The path of the status of the operation. */
  readonly id: string;
  /** Default: DevCenter's. */
  readonly errorResponse?: ErrorResponder;
}

/** Returns the response that a fault puts in place of the correct one. */
export function responseOf(
  fault: Exclude<Fault, StaleFault | DeliveryFault>,
  { headers, id, errorResponse: respond = errorResponse }: FaultContext,
): WireResponse {
  switch (fault.kind) {
    case "status":
      return statusResponse(fault, respond);
    case "body":
      return { status: 200, headers: { "content-type": fault.contentType ?? "text/html" }, body: fault.text };
    case "unauthorized":
      return unauthorizedResponse(bearerTokenOf(headers), challengeOf(fault), respond);
    case "redirect":
      return { status: fault.status ?? 307, headers: { location: fault.location }, body: "" };
    case "otherOperation":
      return otherOperationResponse(fault, id);
  }
}

function statusResponse(
  { status, retryAfter, headers, body }: StatusFault,
  respond: ErrorResponder,
): WireResponse {
  const extra = { ...headers, ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }) };
  if (body === undefined)
    return respond(status, `Fault${status}`, `A fault of ${status}.`, { headers: extra });
  if (typeof body !== "string") return jsonResponse(status, body, extra);
  return { status, headers: { "content-type": "text/plain", ...extra }, body };
}

function challengeOf({ challenge, claims }: UnauthorizedFault): Record<string, string> {
  if (challenge !== undefined) return { "www-authenticate": challenge };
  if (claims === undefined) return {};
  const encoded = Buffer.from(claims).toString("base64");
  return { "www-authenticate": `Bearer realm="", error="insufficient_claims", claims="${encoded}"` };
}

function otherOperationResponse({ operationId }: OtherOperationFault, id: string): WireResponse {
  const name = operationId ?? "00000000-0000-0000-0000-000000000000";
  return jsonResponse(200, { id: id.replace(/[^/]*$/, name), name, status: "Succeeded" });
}

/** @throws TypeError or RangeError that names the poll and the field */
export function checkFaults(name: string, faults: Faults): void {
  checkObject(name, faults);
  for (const [pollNumber, fault] of Object.entries(faults)) {
    checkNumber(`a key of ${name}`, Number(pollNumber), { min: 1, isInteger: true });
    checkFault(`${name}[${pollNumber}]`, fault);
  }
}

/** @throws TypeError or RangeError that names the field */
export function checkInitialRequestFault(name: string, fault: InitialRequestFault): void {
  checkFault(name, fault);
  const { kind }: Fault = fault;
  if (["stale", "otherOperation"].includes(kind)) fail(`${name}.kind`, "a fault of an initial request", kind);
}

/** @throws TypeError or RangeError that names the field */
export function checkFault(name: string, fault: Fault): void {
  checkObject(name, fault);
  switch (fault.kind) {
    case "status":
      return checkNumber(`${name}.status`, fault.status, { min: 200, max: 599, isInteger: true });
    case "body":
      if (fault.text !== "") checkString(`${name}.text`, fault.text);
      return;
    case "redirect":
      checkNumber(`${name}.status`, fault.status ?? 307, { min: 300, max: 399, isInteger: true });
      return checkString(`${name}.location`, fault.location);
    case "slow":
      checkNumber(`${name}.chunkBytes`, fault.chunkBytes ?? 16, { min: 1, isInteger: true });
      return checkNumber(`${name}.delayInMs`, fault.delayInMs ?? 0);
    case "reset":
      return checkPoint(`${name}.when`, fault.when, [...faultPoints, "afterBody"]);
    case "hang":
      return checkPoint(`${name}.when`, fault.when, faultPoints);
    case "late":
      return checkNumber(`${name}.delayInMs`, fault.delayInMs);
    case "long":
      return checkNumber(`${name}.bytes`, fault.bytes, { isInteger: true });
    case "headers":
      return checkObject(`${name}.headers`, fault.headers);
    case "unauthorized":
    case "otherOperation":
    case "stale":
      return;
    default: {
      const { kind }: { readonly kind: unknown } = fault;
      fail(`${name}.kind`, "a kind of fault", kind);
    }
  }
}

const faultPoints: readonly FaultPoint[] = ["beforeHeaders", "afterHeaders", "midBody"];

function checkPoint(name: string, when: string | undefined, points: readonly string[]): void {
  if (when !== undefined && !points.includes(when)) fail(name, `one of ${points.join(", ")}`, when);
}
