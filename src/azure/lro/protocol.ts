import type { HttpMethods } from "@azure/core-rest-pipeline";
import { ContractError } from "../../operation/errors.ts";
import { isTerminal } from "../../operation/status.ts";
import type { OperationState, StatusFields } from "../../operation/status.ts";
import { isObject, parseObject } from "../../operation/json-fields.ts";
import type { Fields } from "../../operation/json-fields.ts";
import { parseState, parseStatusFields } from "../../operation/parse-status.ts";

/**
 * How a service reports the status of an operation, by Azure's REST guidelines and its resource providers.
 *
 * - `statusMonitor`: by a status monitor (`Operation-Location`, `Azure-AsyncOperation`).
 * - `location`: by a polling location (`Location`), which answers 202 until the operation is over.
 * - `resource`: by the `provisioningState` of the resource itself.
 */
export type PollingKind = "statusMonitor" | "location" | "resource";

/** Where the result of an operation is, by `final-state-via` in an API's description. */
export type FinalStateVia = "azure-async-operation" | "location" | "operation-location" | "original-uri";

/** Where to poll an operation, and where to get its result. */
export interface PollingLocation {
  readonly kind: PollingKind;
  /** The URL to poll. An absolute one is kept byte for byte as the service sent it. */
  readonly monitorUrl: string;
  /** The URL of the result once the operation has succeeded; `undefined` if the response to the last poll has it. */
  readonly resultUrl?: string | undefined;
}

/** The facts of an initial request that decide where to poll. */
export interface InitialRequestInfo {
  readonly method: HttpMethods;
  readonly url: string;
  readonly finalStateVia?: FinalStateVia | undefined;
}

/** The parts of a response that report the status of an operation. */
export interface LroResponse {
  readonly statusCode: number;
  readonly header: (name: string) => string | undefined;
  /** `undefined` if it is empty. Reading it throws a {@link ContractError} if it is no JSON, which may not matter. */
  readonly body: unknown;
}

/** The content of a response: the status, the place of the next poll, and the result if the response has it. */
export interface StatusReport {
  readonly fields: StatusFields;
  /** `undefined` if there is nothing left to poll. */
  readonly pollingLocation: PollingLocation | undefined;
}

/**
 * Parses the response to an initial request.
 *
 * @throws {@link ContractError} if it names no way to learn the outcome of the operation
 */
export function parseInitialResponse(request: InitialRequestInfo, response: LroResponse): StatusReport {
  const pollingLocation = pollingLocationOf(request, response);
  if (pollingLocation === undefined) return reportWithoutLocation(request, response);
  if (pollingLocation.kind === "resource") return parseResource(pollingLocation, response);
  if (pollingLocation.kind === "location") return { fields: { status: "Running" }, pollingLocation };
  const state = firstState(request, response);
  return isTerminal(state)
    ? parseStatusMonitor(pollingLocation, response)
    : { fields: { status: state }, pollingLocation };
}

/**
 * Parses a response to a poll.
 *
 * @throws {@link ContractError} if it has no usable status
 */
export function parsePollResponse(location: PollingLocation, response: LroResponse): StatusReport {
  switch (location.kind) {
    case "statusMonitor":
      return parseStatusMonitor(moved(location, monitorHeader(response)), response);
    case "location":
      return parseLocation(moved(location, response.header("location")), response);
    case "resource":
      // Only the response to the initial request may come without a resource.
      if (response.body === undefined && response.statusCode !== 202)
        throw new ContractError("$", "a resource", undefined);
      return parseResource(location, response);
  }
}

function pollingLocationOf(request: InitialRequestInfo, response: LroResponse): PollingLocation | undefined {
  const location = resolved(response.header("location"), request.url);
  const monitorUrl = resolved(monitorHeader(response), request.url);
  if (monitorUrl !== undefined) {
    return { kind: "statusMonitor", monitorUrl, resultUrl: resultUrlOf(request, location, monitorUrl) };
  }
  if (response.statusCode === 204) return undefined;
  if (location !== undefined) {
    const resultUrl = request.finalStateVia === "original-uri" ? request.url : undefined;
    return { kind: "location", monitorUrl: location, resultUrl };
  }
  return returnsResource(request) ? { kind: "resource", monitorUrl: request.url } : undefined;
}

function returnsResource({ method }: InitialRequestInfo): boolean {
  return method === "PUT" || method === "PATCH";
}

/** Follows the guidelines and Azure's SDKs where the API's description has no `final-state-via`. */
function resultUrlOf(
  { method, url, finalStateVia }: InitialRequestInfo,
  location: string | undefined,
  monitorUrl: string,
): string | undefined {
  if (method === "DELETE") return undefined;
  if (method === "PUT" || finalStateVia === "original-uri") return url;
  const isInMonitor = finalStateVia === "azure-async-operation" || finalStateVia === "operation-location";
  // DevCenter sends the status monitor itself as Location: there is no resource at it.
  const isMonitor = location !== undefined && isSameResource(location, monitorUrl);
  const resource = isInMonitor || isMonitor ? undefined : location;
  return resource ?? (method === "PATCH" ? url : undefined);
}

/** Parses a response without a URL to poll. The operation is over, unless the status code is 202. */
function reportWithoutLocation({ method }: InitialRequestInfo, response: LroResponse): StatusReport {
  const { statusCode, body } = response;
  if (statusCode !== 202) return succeeded(body, undefined);
  const fields = parseStatusFields(parseObject(body, "$"));
  if (!isTerminal(fields.status)) {
    throw new ContractError("Operation-Location", `a URL in the response 202 to the ${method}`, undefined);
  }
  return { fields: withResult(fields, body), pollingLocation: undefined };
}

/** Returns the first state by the body, which may be terminal already. A body that shows a resource has none. */
function firstState(request: InitialRequestInfo, response: LroResponse): OperationState {
  const body = returnsResource(request) ? undefined : bodyIfJson(response);
  const word = isObject(body) ? body["status"] : undefined;
  return typeof word === "string" && word.trim() !== "" ? parseState(word, "$.status") : "NotStarted";
}

/** Returns `undefined` if the body is no JSON, which does not matter where a header names the status monitor. */
function bodyIfJson(response: LroResponse): unknown {
  try {
    return response.body;
  } catch {
    return undefined;
  }
}

function parseStatusMonitor(location: PollingLocation, { body }: LroResponse): StatusReport {
  const fields = parseStatusFields(parseObject(body, "$"));
  const resourceLocation = fields["resourceLocation"];
  const resultUrl =
    typeof resourceLocation === "string" && resourceLocation !== ""
      ? resolved(resourceLocation, location.monitorUrl)
      : location.resultUrl;
  return { fields: withResult(fields, body), pollingLocation: { ...location, resultUrl } };
}

/** Adds the result: `properties` by DevCenter, `result` by the guidelines for actions, the whole body by others. */
function withResult(fields: StatusFields, body: unknown): StatusFields {
  if (fields.status !== "Succeeded") return fields;
  return { ...fields, properties: fields.properties ?? fields["result"] ?? body };
}

function parseLocation(pollingLocation: PollingLocation, response: LroResponse): StatusReport {
  if (response.statusCode === 202) return { fields: { status: "Running" }, pollingLocation };
  const { body } = response;
  // By the guidelines the status code alone decides; a body that reports a failure counts all the same.
  const word = provisioningStateOf(body);
  const state = typeof word === "string" && word !== "" ? parseState(word, "$.status") : "Succeeded";
  const isUnsuccessful = state === "Failed" || state === "Canceled";
  return isUnsuccessful ? failedOrCanceled(state, body, pollingLocation) : succeeded(body, pollingLocation);
}

function parseResource(pollingLocation: PollingLocation, { statusCode, body }: LroResponse): StatusReport {
  const word = provisioningStateOf(body);
  const stateByCode = statusCode === 202 ? "Running" : "Succeeded";
  const state =
    word === undefined || word === null ? stateByCode : parseState(word, "$.properties.provisioningState");
  if (state === "Succeeded") return succeeded(body, pollingLocation);
  return isTerminal(state)
    ? failedOrCanceled(state, body, pollingLocation)
    : { fields: { status: state }, pollingLocation };
}

function succeeded(body: unknown, pollingLocation: PollingLocation | undefined): StatusReport {
  return { fields: { status: "Succeeded", properties: body }, pollingLocation };
}

function failedOrCanceled(
  status: OperationState,
  body: unknown,
  pollingLocation: PollingLocation,
): StatusReport {
  const error = fieldsOf(body)["error"] ?? fieldsOf(fieldsOf(body)["properties"])["error"];
  return { fields: parseStatusFields({ status, error }), pollingLocation };
}

function provisioningStateOf(body: unknown): unknown {
  return fieldsOf(fieldsOf(body)["properties"])["provisioningState"] ?? fieldsOf(body)["provisioningState"];
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function monitorHeader({ header }: LroResponse): string | undefined {
  return header("operation-location") ?? header("azure-asyncoperation");
}

function moved(location: PollingLocation, url: string | undefined): PollingLocation {
  return { ...location, monitorUrl: resolved(url, location.monitorUrl) ?? location.monitorUrl };
}

/** Makes a URL absolute. An absolute one is kept byte for byte: its signature covers how it is spelled. */
function resolved(url: string | undefined, base: string): string | undefined {
  if (url === undefined) return undefined;
  if (URL.canParse(url)) return url;
  if (!URL.canParse(url, base)) throw new ContractError("Operation-Location", "a URL", url);
  return new URL(url, base).href;
}

/** Whether two URLs are equal but for their queries. */
export function isSameResource(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  return a.origin === b.origin && a.pathname.toLowerCase() === b.pathname.toLowerCase();
}

/** Returns the last part of a URL's path: an operation's name for people, without the query that may be signed. */
export function nameOf(url: string): string {
  const { pathname, host } = new URL(url);
  return pathname.split("/").findLast((segment) => segment !== "") ?? host;
}
