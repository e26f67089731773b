import { errorResponse, jsonResponse, statusId } from "./responses.ts";
import type { WireResponse } from "./responses.ts";
import { checkNumber, checkObject, checkString, fail } from "./validation.ts";

/** How far an answer gets before it stops. */
export type FaultPoint = "beforeHeaders" | "afterHeaders" | "midBody";

/** What goes wrong with the answer to a read of a status. */
export type Fault =
  | StatusFault
  | BodyFault
  | UnauthorizedFault
  | RedirectFault
  | OtherOperationFault
  | StaleFault
  | DeliveryFault;

/** Another status code, with an `ErrorResponse` unless there is a `body`: text as it is, anything else as JSON. */
export interface StatusFault {
  /** Tells this fault from others. */
  readonly kind: "status";
  /** The status code, 200 to 599. */
  readonly status: number;
  /** The `Retry-After` header: seconds or a date, or garbage. */
  readonly retryAfter?: string | number;
  /** More headers, or others in place of the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of an `ErrorResponse`. */
  readonly body?: unknown;
}

/** Status 200 with this text, such as a proxy's HTML or half a JSON document. */
export interface BodyFault {
  /** Tells this fault from others. */
  readonly kind: "body";
  /** The body, as it is. */
  readonly text: string;
  /** Default `text/html`. */
  readonly contentType?: string;
}

/** A 401. */
export interface UnauthorizedFault {
  /** Tells this fault from others. */
  readonly kind: "unauthorized";
  /** The whole `WWW-Authenticate` header. Default: none. */
  readonly challenge?: string;
  /** The claims, as JSON text, that a token has to have: makes a claims challenge of the header. */
  readonly claims?: string;
}

/** A redirect. */
export interface RedirectFault {
  /** Tells this fault from others. */
  readonly kind: "redirect";
  /** Where to, as the `Location` header has it. */
  readonly location: string;
  /** Default 307. */
  readonly status?: number;
}

/** The status of another operation, which has succeeded. */
export interface OtherOperationFault {
  /** Tells this fault from others. */
  readonly kind: "otherOperation";
  /** Default: the id of nothing. */
  readonly operationId?: string;
}

/** The status that the operation had when it began, as from a replica that lags behind. */
export interface StaleFault {
  /** Tells this fault from others. */
  readonly kind: "stale";
}

/** The true answer, but its delivery goes wrong. */
export type DeliveryFault =
  /** The connection breaks. Default: before the headers. `afterBody` leaves the answer whole. */
  | { readonly kind: "reset"; readonly when?: FaultPoint | "afterBody" }
  /** Nothing more comes until the server is closed. Default: before the headers. */
  | { readonly kind: "hang"; readonly when?: FaultPoint }
  /** The body drips: `chunkBytes` (default 16) at a time, every `delayInMs` milliseconds (default 0) of the clock. */
  | { readonly kind: "slow"; readonly chunkBytes?: number; readonly delayInMs?: number }
  /** It comes `delayInMs` milliseconds of the clock later, and says what was true when it was asked for. */
  | { readonly kind: "late"; readonly delayInMs: number }
  /** Spaces fill its body up to `bytes`. With `gzip` they are sent packed, a thousandth of their size. */
  | { readonly kind: "long"; readonly bytes: number; readonly gzip?: boolean }
  /** It has these headers too, or in place of its own. */
  | { readonly kind: "headers"; readonly headers: Readonly<Record<string, string>> };

/** Faults by the number of the read they hit: 1 for the first read of the operation. */
export type Faults = Readonly<Record<number, Fault>>;

const deliveryFaults: ReadonlySet<string> = new Set(["reset", "hang", "slow", "late", "long", "headers"]);

/** Whether a read that meets this fault still brings the true answer, or would if it arrived. */
export function isDeliveryFault(fault: Fault): fault is DeliveryFault {
  return deliveryFaults.has(fault.kind);
}

/** Whether a read that meets this fault, or none, brings the whole true answer. */
export function deliversStatus(fault: Fault | undefined): boolean {
  if (fault?.kind === "reset") return fault.when === "afterBody";
  return fault === undefined || (isDeliveryFault(fault) && fault.kind !== "hang");
}

/** What a fault puts in the true answer's place. */
export function responseOf(
  fault: Exclude<Fault, StaleFault | DeliveryFault>,
  projectName: string,
): WireResponse {
  switch (fault.kind) {
    case "status":
      return statusAnswer(fault);
    case "body":
      return { status: 200, headers: { "content-type": fault.contentType ?? "text/html" }, body: fault.text };
    case "unauthorized":
      return errorResponse(401, "Unauthorized", "The token is not accepted.", {
        headers: challengeOf(fault),
      });
    case "redirect":
      return { status: fault.status ?? 307, headers: { location: fault.location }, body: "" };
    case "otherOperation":
      return otherOperation(fault, projectName);
  }
}

function statusAnswer({ status, retryAfter, headers, body }: StatusFault): WireResponse {
  const extra = { ...headers, ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }) };
  if (body === undefined)
    return errorResponse(status, `Fault${status}`, `A fault of ${status}.`, { headers: extra });
  if (typeof body !== "string") return jsonResponse(status, body, extra);
  return { status, headers: { "content-type": "text/plain", ...extra }, body };
}

function challengeOf({ challenge, claims }: UnauthorizedFault): Record<string, string> {
  if (challenge !== undefined) return { "www-authenticate": challenge };
  if (claims === undefined) return {};
  const encoded = Buffer.from(claims).toString("base64");
  return { "www-authenticate": `Bearer realm="", error="insufficient_claims", claims="${encoded}"` };
}

function otherOperation({ operationId }: OtherOperationFault, projectName: string): WireResponse {
  const name = operationId ?? "00000000-0000-0000-0000-000000000000";
  return jsonResponse(200, { id: statusId(projectName, name), name, status: "Succeeded" });
}

/** @throws TypeError or RangeError that names the read and the field */
export function checkFaults(name: string, faults: Faults | undefined): void {
  if (faults === undefined) return;
  checkObject(name, faults);
  for (const [pollNumber, fault] of Object.entries(faults)) {
    checkNumber(`a key of ${name}`, Number(pollNumber), { least: 1, isInteger: true });
    checkFault(`${name}[${pollNumber}]`, fault);
  }
}

/** @throws TypeError or RangeError that names the field */
export function checkFault(name: string, fault: Fault): void {
  checkObject(name, fault);
  const httpStatus = { least: 200, most: 599, isInteger: true };
  switch (fault.kind) {
    case "status":
      return checkNumber(`${name}.status`, fault.status, httpStatus);
    case "body":
      if (fault.text !== "") checkString(`${name}.text`, fault.text);
      return;
    case "redirect":
      checkNumber(`${name}.status`, fault.status ?? 307, { least: 300, most: 399, isInteger: true });
      return checkString(`${name}.location`, fault.location);
    case "slow":
      checkNumber(`${name}.chunkBytes`, fault.chunkBytes ?? 16, { least: 1, isInteger: true });
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
