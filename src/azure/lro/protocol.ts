import type { HttpMethods } from "@azure/core-rest-pipeline";
import { ContractError } from "../../operation/errors.ts";
import { isTerminal } from "../../operation/status.ts";
import type { OperationState, StatusFields } from "../../operation/status.ts";
import { isObject, parseObject } from "../../operation/json-fields.ts";
import { parseState, parseStatusFields } from "../../operation/parse-status.ts";

/**
 * How a service tells of an operation, as Azure's REST guidelines and its resource providers have it:
 * by a status monitor (`Operation-Location`, `Azure-AsyncOperation`), by a URL that answers 202 until it is done
 * (`Location`), or by the `provisioningState` of the resource itself.
 */
export type PollingKind = "statusMonitor" | "location" | "resource";

/** Where the result of an operation is, as an API's description says in `final-state-via`. */
export type FinalStateVia = "azure-async-operation" | "location" | "operation-location" | "original-uri";

/** Which way an operation goes: where it tells of itself, and where its result will be. */
export interface PollingLocation {
  readonly kind: PollingKind;
  /** Byte for byte as the service sent it, if it was absolute. */
  readonly monitorUrl: string;
  /** Where to get the result after the operation has succeeded; `undefined` when the monitor has it. */
  readonly resultUrl?: string | undefined;
}

/** What the request that begins an operation was. */
export interface InitialRequestInfo {
  readonly method: HttpMethods;
  readonly url: string;
  readonly finalStateVia?: FinalStateVia | undefined;
}

/** The parts of an response that say how an operation goes. */
export interface LroResponse {
  readonly statusCode: number;
  readonly header: (name: string) => string | undefined;
  /**
   * `undefined` when it is empty.
   *
   * @throws {@link ContractError} when it is read though it is no JSON: a header may say all that counts
   */
  readonly body: unknown;
}

/** What an response says: the state, the way from here, and the result if it is here. */
export interface StatusReport {
  readonly fields: StatusFields;
  /** `undefined` when there is nothing left to ask for. */
  readonly pollingLocation: PollingLocation | undefined;
}

/**
 * Reads the response to the request that began an operation.
 *
 * @throws {@link ContractError} when it leaves no way to learn how the operation ends
 */
export function parseInitialResponse(beginning: InitialRequestInfo, response: LroResponse): StatusReport {
  const pollingLocation = pollingLocationOf(beginning, response);
  if (pollingLocation === undefined) return reportWithoutLocation(beginning, response);
  if (pollingLocation.kind === "resource") return parseResource(pollingLocation, response);
  if (pollingLocation.kind === "location") return { fields: { status: "Running" }, pollingLocation };
  const state = firstState(beginning, response);
  return isTerminal(state)
    ? parseStatusMonitor(pollingLocation, response)
    : { fields: { status: state }, pollingLocation };
}

/**
 * Reads an response to a poll.
 *
 * @throws {@link ContractError} when it is none
 */
export function parsePollResponse(location: PollingLocation, response: LroResponse): StatusReport {
  switch (location.kind) {
    case "statusMonitor":
      return parseStatusMonitor(moved(location, monitorHeader(response)), response);
    case "location":
      return parseLocation(moved(location, response.header("location")), response);
    case "resource":
      return parseResource(location, withBody(response));
  }
}

/** A resource that is being made is there to be shown; only the first response may do without. */
function withBody(response: LroResponse): LroResponse {
  if (response.body === undefined && response.statusCode !== 202) {
    throw new ContractError("$", "a resource", undefined);
  }
  return response;
}

function pollingLocationOf(
  beginning: InitialRequestInfo,
  response: LroResponse,
): PollingLocation | undefined {
  const location = resolved(response.header("location"), beginning.url);
  const monitorUrl = resolved(monitorHeader(response), beginning.url);
  if (monitorUrl !== undefined) {
    return { kind: "statusMonitor", monitorUrl, resultUrl: resultUrlOf(beginning, location, monitorUrl) };
  }
  if (location !== undefined && response.statusCode !== 204) {
    const resultUrl = beginning.finalStateVia === "original-uri" ? beginning.url : undefined;
    return { kind: "location", monitorUrl: location, resultUrl };
  }
  const isItsOwnMonitor = beginning.method === "PUT" || beginning.method === "PATCH";
  return isItsOwnMonitor && response.statusCode !== 204
    ? { kind: "resource", monitorUrl: beginning.url }
    : undefined;
}

/** What the guidelines and Azure's SDKs agree on where the API's description is silent. */
function resultUrlOf(
  { method, url, finalStateVia }: InitialRequestInfo,
  location: string | undefined,
  monitorUrl: string,
): string | undefined {
  if (method === "DELETE") return undefined;
  if (method === "PUT" || finalStateVia === "original-uri") return url;
  const isInMonitor = finalStateVia === "azure-async-operation" || finalStateVia === "operation-location";
  // DevCenter sends the monitor itself as Location: there is no resource to be had there.
  const isMonitor = location !== undefined && isSameResource(location, monitorUrl);
  const resource = isInMonitor || isMonitor ? undefined : location;
  return resource ?? (method === "PATCH" ? url : undefined);
}

/** An response that names no place to ask: it is the end, unless it says that there is more to come. */
function reportWithoutLocation(
  { method }: InitialRequestInfo,
  { statusCode, body }: LroResponse,
): StatusReport {
  if (statusCode !== 202)
    return { fields: { status: "Succeeded", properties: body }, pollingLocation: undefined };
  const fields = parseStatusFields(parseObject(body, "$"));
  if (!isTerminal(fields.status)) {
    throw new ContractError("Operation-Location", `a URL in the response 202 to the ${method}`, undefined);
  }
  return { fields: withResult(fields, body), pollingLocation: undefined };
}

/** The body is the monitor's where there is no resource to show: then it may bring the end already. */
function firstState({ method }: InitialRequestInfo, response: LroResponse): OperationState {
  const showsResource = method === "PUT" || method === "PATCH";
  const body = showsResource ? undefined : jsonOf(response);
  const word = isObject(body) ? body["status"] : undefined;
  return typeof word === "string" && word.trim() !== "" ? parseState(word, "$.status") : "NotStarted";
}

/** `undefined` when it is none, which does not matter where a header says where to ask. */
function jsonOf(response: LroResponse): unknown {
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

/** `properties` is DevCenter's name for it, `result` the guidelines' for that of an action; some have no name for it. */
function withResult(fields: StatusFields, body: unknown): StatusFields {
  if (fields.status !== "Succeeded") return fields;
  return { ...fields, properties: fields.properties ?? fields["result"] ?? body };
}

function parseLocation(pollingLocation: PollingLocation, response: LroResponse): StatusReport {
  if (response.statusCode === 202) return { fields: { status: "Running" }, pollingLocation };
  const { body } = response;
  // By the book the code alone decides; a body that says that it failed is believed all the same.
  const word = isObject(body) ? provisioningStateOf(body) : undefined;
  const state = typeof word === "string" && word !== "" ? parseState(word, "$.status") : "Succeeded";
  const isUnsuccessful = state === "Failed" || state === "Canceled";
  return isUnsuccessful ? failedOrCanceled(state, body, pollingLocation) : succeeded(body, pollingLocation);
}

function parseResource(pollingLocation: PollingLocation, { statusCode, body }: LroResponse): StatusReport {
  const word = isObject(body) ? provisioningStateOf(body) : undefined;
  const codeSays = statusCode === 202 ? "Running" : "Succeeded";
  const state =
    word === undefined || word === null ? codeSays : parseState(word, "$.properties.provisioningState");
  if (state === "Succeeded") return succeeded(body, pollingLocation);
  return isTerminal(state)
    ? failedOrCanceled(state, body, pollingLocation)
    : { fields: { status: state }, pollingLocation };
}

function succeeded(body: unknown, pollingLocation: PollingLocation): StatusReport {
  return { fields: { status: "Succeeded", properties: body }, pollingLocation };
}

function failedOrCanceled(
  status: OperationState,
  body: unknown,
  pollingLocation: PollingLocation,
): StatusReport {
  const error = isObject(body) ? (body["error"] ?? propertiesOf(body)["error"]) : undefined;
  return { fields: parseStatusFields({ status, error }), pollingLocation };
}

function provisioningStateOf(body: Readonly<Record<string, unknown>>): unknown {
  return propertiesOf(body)["provisioningState"] ?? body["provisioningState"];
}

function propertiesOf(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return isObject(body["properties"]) ? body["properties"] : {};
}

function monitorHeader({ header }: LroResponse): string | undefined {
  return header("operation-location") ?? header("azure-asyncoperation");
}

function moved(location: PollingLocation, url: string | undefined): PollingLocation {
  return url === undefined
    ? location
    : { ...location, monitorUrl: resolved(url, location.monitorUrl) ?? location.monitorUrl };
}

/** An absolute URL is kept byte for byte: its signature covers how it is spelled. */
function resolved(url: string | undefined, base: string): string | undefined {
  if (url === undefined) return undefined;
  if (URL.canParse(url)) return url;
  if (!URL.canParse(url, base)) throw new ContractError("Operation-Location", "a URL", url);
  return new URL(url, base).href;
}

/** Whether two URLs differ in their queries at most. */
export function isSameResource(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  return a.origin === b.origin && a.pathname.toLowerCase() === b.pathname.toLowerCase();
}

/** The last part of a URL's path: an operation's name for people, without the query that may be signed. */
export function nameOf(url: string): string {
  const { pathname, host } = new URL(url);
  return pathname.split("/").findLast((segment) => segment !== "") ?? host;
}
