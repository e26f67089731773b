import type { HttpMethods } from "@azure/core-rest-pipeline";
import { ContractError } from "../../operation/errors.ts";
import { isObject, parseObject } from "../../operation/json-fields.ts";
import type { Fields } from "../../operation/json-fields.ts";
import { fieldOf } from "../../operation/lenient-fields.ts";
import { findError } from "../../operation/parse-error.ts";
import { parseWord, percentageFields, statusFieldsOf } from "../../operation/parse-status.ts";
import {
  isOperationWord,
  isOperationWordOfResource,
  operationStateOf,
  provisioningStateOf,
} from "../../operation/state-words.ts";
import { isTerminal, keyOfWord } from "../../operation/status.ts";
import { describeValue } from "../../redaction.ts";
import type { OperationState, StatusFields, TerminalStates } from "../../operation/status.ts";
import type { CancelRequest } from "./cancel-request.ts";
import { absoluteUrl } from "../http/validation.ts";

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
  /** `auto`: told by the first response. `condition`: the resource is polled for a condition of the caller's. */
  readonly kind: PollingKind | "auto" | "condition";
  /** The URL to poll. An absolute one is kept byte for byte as the service sent it. */
  readonly monitorUrl: string;
  /** The URL of the result once the operation has succeeded; `undefined` if the response to the last poll has it. */
  readonly resultUrl?: string | undefined;
  /** Whether the caller has named `resultUrl`: then no response names another one. */
  readonly isResultUrlGiven?: true | undefined;
  /** Whether the operation deletes a resource, and has been polled: then the monitor may go with the resource. */
  readonly deletion?: "requested" | "observed" | undefined;
  /** The request that cancels the operation, where its URL does not tell it. */
  readonly cancel?: CancelRequest | undefined;
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
  /** Words of the caller's that end an operation. */
  readonly terminalStates: TerminalStates | undefined;
  /**
   * `undefined` if it is empty, text if its type is none of JSON. Reading it throws a {@link ContractError} if it is an
   * HTML page or broken JSON, which may not matter.
   */
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
  const location = pollingLocationOf(request, response);
  switch (location?.kind) {
    case undefined:
      return reportWithoutLocation(request, response);
    case "statusMonitor":
      return parseFirstStatus(request, location, response);
    case "resource":
      return response.body === undefined
        ? firstReportWithoutBody(location, response)
        : parseResource(location, response);
    case "auto":
    case "condition":
    case "location":
      return running(location);
  }
}

/**
 * Parses a response to a poll.
 *
 * @throws {@link ContractError} if it has no usable status
 */
export function parsePollResponse(location: PollingLocation, response: LroResponse): StatusReport {
  switch (location.kind) {
    case "auto":
      return parseFirstResponse(location, response);
    case "statusMonitor":
      return parseStatusMonitor(moved(location, monitorHeader(response)), response);
    case "resource":
      // Only the response to the initial request may come without a resource.
      if (response.body === undefined && response.statusCode !== 202 && !isGone(location, response))
        throw new ContractError("$", "a resource", undefined);
      return parseResource(location, response);
    case "condition":
    case "location":
      return parseLocation(location, response);
  }
}

/** After a 202 the next response tells the kind: with it the code decides, and a body need not be a status. */
function parseFirstResponse(location: PollingLocation, response: LroResponse): StatusReport {
  if (response.statusCode === 202) return parseLocation(location, response);
  return parsePollResponse({ ...location, kind: kindByResponse(location.monitorUrl, response) }, response);
}

/** Makes the report of an operation whose monitor is gone with the resource that it deleted. */
export function deletedReport(pollingLocation: PollingLocation): StatusReport {
  return succeeded(undefined, pollingLocation);
}

/** Makes the report of an operation whose polling location answers with an error. */
export function failedReport(pollingLocation: PollingLocation, response: LroResponse): StatusReport {
  const error = findError(bodyIfJson(response));
  const status = /cancell?ed/i.test(error?.code ?? "") ? "Canceled" : "Failed";
  return { fields: { status, error }, pollingLocation };
}

function isGone({ deletion }: PollingLocation, { statusCode }: LroResponse): boolean {
  return deletion !== undefined && statusCode === 204;
}

function pollingLocationOf(request: InitialRequestInfo, response: LroResponse): PollingLocation | undefined {
  const { method, url, finalStateVia } = request;
  const deletion = method === "DELETE" ? "requested" : undefined;
  const location = locationOf(url, response);
  const monitorUrl = resolved(monitorHeader(response), url);
  if (monitorUrl !== undefined) {
    const resultUrl = resultUrlOf(request, location, monitorUrl);
    return { kind: "statusMonitor", monitorUrl, resultUrl, deletion };
  }
  if (response.statusCode === 204) return undefined;
  // A resource that is being deleted has been seen: the next poll may find it gone.
  const observed = deletion && "observed";
  if (location !== undefined) {
    const resultUrl = finalStateVia === "original-uri" ? url : undefined;
    const isOfResource = isSameResource(location, url);
    return {
      kind: "location",
      monitorUrl: location,
      resultUrl,
      deletion: isOfResource ? observed : deletion,
    };
  }
  const kind = kindWithoutHeaders(request, response);
  return kind && { kind, monitorUrl: url, deletion: observed };
}

/** Returns the URL that the response to a request names as its `Location`. */
function locationOf(requestUrl: string, response: LroResponse): string | undefined {
  return fabricLocation(requestUrl, response) ?? resolved(response.header("location"), requestUrl);
}

/** Microsoft Fabric names a host of a region, which takes no token; the operation is at its API's own host too. */
function fabricLocation(requestUrl: string, { header }: LroResponse): string | undefined {
  const operationId = header(fabricIdHeader);
  const location = header("location");
  if (operationId === undefined || location === undefined || !URL.canParse(location)) return undefined;
  const { origin, hostname } = new URL(requestUrl);
  const named = new URL(location);
  const isFabric = /(^|\.)api\.fabric\.microsoft\.com$/.test(hostname);
  if (!isFabric || !named.hostname.endsWith(".analysis.windows.net")) return undefined;
  const result = named.pathname.endsWith("/result") ? "/result" : "";
  return `${origin}/v1/operations/${encodeURIComponent(operationId)}${result}`;
}

/** Microsoft Fabric sends it with each status, beside the `Location` of the next request or of the result. */
const fabricIdHeader = "x-ms-operation-id";

/** Returns how the URL of the request itself reports the status, if it does. */
function kindWithoutHeaders(request: InitialRequestInfo, response: LroResponse): PollingKind | undefined {
  if (returnsResource(request)) return "resource";
  if (request.method === "GET") return kindByResponse(request.url, response);
  return request.method === "DELETE" && stateAtResource(response) !== undefined ? "resource" : undefined;
}

/** The names in a path before the id of an operation, for bodies that could be those of a resource too. */
const pathOfOperation =
  /\/(\w*operations?(status(es)?|results?|locations?)?|async\w*|\w*jobs?)\/[^/]+(\/[^/]+)?\/?$/i;

/** The path of a polling location of Azure Resource Manager, whose last body is the result. */
const pathOfResult = /operationresults?\//i;

/** Returns how a URL reports the status, by a response to a GET of it. */
function kindByResponse(url: string, response: LroResponse): PollingKind {
  if (response.statusCode === 202 || response.statusCode === 204) return "location";
  const { pathname } = new URL(url);
  const isPathOfOperation = pathOfOperation.test(pathname);
  const state = monitorState(response);
  if (state === undefined && pathOfResult.test(pathname)) return "location";
  if (state === undefined) return isPathOfOperation ? "statusMonitor" : "resource";
  if (stateOfResource(response) !== undefined && !state.isAtRoot) return "resource";
  const isStatus = isPathOfOperation || isStateOfOperation(state, response);
  return isStatus ? "statusMonitor" : "resource";
}

/** Returns whether a state is that of an operation, where it might be a resource's own (`Online`). */
function isStateOfOperation({ word, isAtRoot }: BodyState, response: LroResponse): boolean {
  const body = fieldsOf(bodyIfJson(response));
  if (isArmResource(body) && !isAtRoot) return false;
  return isOperationWord(word, response.terminalStates) || (isAtRoot && hasFieldsOfStatus(body));
}

/** The fields that only operation statuses have. */
const fieldsOfStatuses = [...percentageFields, "resourceLocation", "error", "errorInfo", "failureReason"];

function hasFieldsOfStatus(fields: Fields): boolean {
  return fieldsOfStatuses.some((name) => (fields[name] ?? undefined) !== undefined);
}

/** The times of an operation. Some resources have them too. */
const timesOfStatuses = ["startTime", "endTime"];

function hasFieldsOrTimesOfStatus(fields: Fields): boolean {
  return hasFieldsOfStatus(fields) || timesOfStatuses.some((name) => Object.hasOwn(fields, name));
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

/** Parses a response without a URL to poll: the operation is over, unless the code or the body says that it runs. */
function reportWithoutLocation({ method }: InitialRequestInfo, response: LroResponse): StatusReport {
  const report = reportOf(response, undefined, stateAtLocation(response));
  if (isTerminal(report.fields.status)) return report;
  const expected = `a URL in the response ${response.statusCode} to the ${method}`;
  throw new ContractError("Operation-Location", expected, undefined);
}

/** The first state is by the body, which may be terminal already. A body that shows a resource has none. */
function parseFirstStatus(
  request: InitialRequestInfo,
  location: PollingLocation,
  response: LroResponse,
): StatusReport {
  const state = returnsResource(request) ? undefined : monitorState(response);
  const { status = "NotStarted" } = state ?? {};
  return isTerminal(status)
    ? parseStatusMonitor(location, response)
    : { fields: { status }, pollingLocation: location };
}

/** An empty 201 or 202 to a PUT announces the resource. After an empty 200 there is nothing more to come. */
function firstReportWithoutBody(location: PollingLocation, { statusCode }: LroResponse): StatusReport {
  return statusCode === 200 ? succeeded(undefined, location) : running(location);
}

/** Returns `undefined` if the body is no JSON, which does not matter where a header or the code tells the state. */
function bodyIfJson(response: LroResponse): unknown {
  try {
    return response.body;
  } catch {
    return undefined;
  }
}

/** The word for a state in a body, what it means, and whether it stands beside the other fields of a status. */
interface BodyState {
  readonly word: string;
  readonly status: OperationState;
  readonly isAtRoot: boolean;
}

/** Returns the state in the body of a status monitor: the first word at one of its places, whatever it is. */
function monitorState(response: LroResponse): BodyState | undefined {
  const { terminalStates } = response;
  const fields = fieldsOf(bodyIfJson(response));
  const properties = fieldsOf(fields["properties"]);
  const rootWord = wordAt(fields, "status") ?? wordAt(fields, "state");
  const isOfOperation =
    rootWord !== undefined &&
    (!isArmResource(fields) || isOperationWord(rootWord, terminalStates) || hasFieldsOrTimesOfStatus(fields));
  if (isOfOperation) return stateAtRoot(rootWord, response);
  // The `status` of a resource (`Online`) is not that of the operation; its `provisioningState` is.
  if (isArmResource(fields)) return stateOfResource(response);
  const word = wordAt(properties, "status") ?? wordAt(properties, "state");
  if (word !== undefined) return { word, status: operationStateOf(word, terminalStates), isAtRoot: false };
  return stateOfResource(response);
}

/** Azure DevOps says in `result` how an operation ended that has `completed`. */
function stateAtRoot(word: string, response: LroResponse): BodyState {
  const stateOfResult = stateOfResultWord(response);
  const isOverridden = keyOfWord(word) === "completed" && isTerminal(stateOfResult);
  const status = isOverridden ? stateOfResult : operationStateOf(word, response.terminalStates);
  return { word, status, isAtRoot: true };
}

function stateOfResultWord(response: LroResponse): OperationState | undefined {
  const word = wordAt(fieldsOf(bodyIfJson(response)), "result");
  return word === undefined ? undefined : operationStateOf(word, response.terminalStates);
}

/** @throws {@link ContractError} if the `provisioningState` is no text */
function stateOfResource(response: LroResponse): BodyState | undefined {
  const value = provisioningWordOf(bodyIfJson(response));
  if (value === undefined || value === "") return undefined;
  const word = parseWord(value, "$.properties.provisioningState");
  return { word, status: provisioningStateOf(word, response.terminalStates), isAtRoot: false };
}

/** Returns the state to show of a resource: the first word at any place, if there is one. */
export function stateOfBody(body: unknown): Pick<BodyState, "word" | "status"> | undefined {
  const fields = fieldsOf(body);
  const properties = fieldsOf(fields["properties"]);
  const word = provisioningWordOf(body);
  if (typeof word === "string" && word.trim() !== "") return { word, status: provisioningStateOf(word) };
  const own = wordAt(fields, "status") ?? wordAt(properties, "status") ?? wordAt(properties, "state");
  return own === undefined ? undefined : { word: own, status: own };
}

export const pollingKinds: ReadonlySet<PollingKind> = new Set(["statusMonitor", "location", "resource"]);

/** @throws RangeError that names the option */
export function checkPollingKind(kind: PollingKind): PollingKind {
  if (pollingKinds.has(kind)) return kind;
  const expected = Array.from(pollingKinds).join(", ");
  throw new RangeError(`kind: expected one of ${expected}, got ${describeValue(kind)}`);
}

function provisioningWordOf(body: unknown): unknown {
  const fields = fieldsOf(body);
  return fieldsOf(fields["properties"])["provisioningState"] ?? fields["provisioningState"] ?? undefined;
}

/** Returns the word in a field. A number is the HTTP code of a problem report, and no state. */
function wordAt(fields: Fields, name: string): string | undefined {
  const value = fieldOf(fields, name);
  return typeof value === "string" && /[^\d\s]/.test(value) ? value : undefined;
}

/** A status monitor has to say its state: only 202 speaks for itself, and 204 where no resource is to come. */
function parseStatusMonitor(location: PollingLocation, response: LroResponse): StatusReport {
  const { statusCode } = response;
  const state = monitorState(response);
  if (state === undefined && statusCode === 202) return running(location);
  if (state === undefined && isEnd(location, response)) return succeeded(undefined, location);
  const body = parseObject(response.body, "$");
  // Azure Resource Manager: a resource without a provisioningState has succeeded.
  if (state === undefined && isArmResource(body)) return succeeded(body, location);
  if (state === undefined) throw new ContractError("$.status", "a state", body["status"]);
  const fields = statusFieldsOf(body, state.word, state.status);
  // Only now: a URL that is wrong must not cost a state that needs none.
  const hasResult = state.status === "Succeeded" && location.isResultUrlGiven === undefined;
  const resultUrl = (hasResult ? resultUrlIn(body, response, location) : undefined) ?? location.resultUrl;
  return {
    fields: state.isAtRoot ? withResult(fields, response) : { ...fields, properties: body },
    pollingLocation: { ...location, resultUrl },
  };
}

/** Where no resource is to come, 204 is the end, and for a deletion also an empty 200. */
function isEnd({ deletion, resultUrl }: PollingLocation, { statusCode, body }: LroResponse): boolean {
  const isEmptyEnd = statusCode === 200 && deletion !== undefined && body === undefined;
  return resultUrl === undefined && (statusCode === 204 || isEmptyEnd);
}

/** A resource of Azure Resource Manager. Operations are such resources too; their type says so. */
function isArmResource({ id, type }: Fields): boolean {
  const isArmId = typeof id === "string" && /^\/subscriptions\//i.test(id);
  return isArmId && typeof type === "string" && !/(operation\w*|jobs?)$/i.test(type);
}

/** Returns the URL that a status names for the result, by the guidelines; Azure Maps and Fabric have it in a header. */
function resultUrlIn(
  body: Fields,
  response: LroResponse,
  { monitorUrl }: PollingLocation,
): string | undefined {
  const { header } = response;
  const candidates = [body["resourceLocation"], header("resource-location")];
  const url = candidates.find((value) => typeof value === "string" && value !== "");
  if (typeof url === "string") return resolved(url, monitorUrl);
  // Without the id of Fabric a Location may be anything.
  const location = header(fabricIdHeader) === undefined ? undefined : locationOf(monitorUrl, response);
  return location === undefined || isSameResource(location, monitorUrl) ? undefined : location;
}

/** Adds the result: `properties` by DevCenter, `result` by the guidelines for actions, the whole body by others. */
function withResult(fields: StatusFields, response: LroResponse): StatusFields {
  if (fields.status !== "Succeeded") return fields;
  const body = fieldsOf(bodyIfJson(response));
  const result = isTerminal(stateOfResultWord(response)) ? undefined : fields["result"];
  const properties = isResourceBody(body) ? undefined : fields.properties;
  return { ...fields, properties: properties ?? result ?? body };
}

const fieldsOfAnyStatus = new Set(["id", "name", "status", "state", "properties", "result", "resourceId"]);

/** A resource that is its own monitor, such as a transcription, is its own result. */
function isResourceBody(body: Fields): boolean {
  return !hasFieldsOrTimesOfStatus(body) && Object.keys(body).some((name) => !fieldsOfAnyStatus.has(name));
}

function parseLocation(location: PollingLocation, response: LroResponse): StatusReport {
  const report = reportOf(response, location, stateAtLocation(response));
  const { status } = report.fields;
  if (status !== "Succeeded" && isTerminal(status)) return report;
  const next = locationOf(location.monitorUrl, response);
  if (next === undefined) return report;
  if (status !== "Succeeded") return { ...report, pollingLocation: { ...location, monitorUrl: next } };
  // Microsoft Fabric: the Location of the last response is that of the result.
  const isOpen = location.deletion === undefined && location.isResultUrlGiven === undefined;
  const isOfResult = isOpen && !isSameResource(next, location.monitorUrl);
  return isOfResult ? { ...report, pollingLocation: { ...location, resultUrl: next } } : report;
}

/**
 * At a polling location there may be an operation status, or the resource that the operation made. The state of a
 * resource counts before a `status` of its own.
 */
function stateAtLocation(response: LroResponse): BodyState | undefined {
  const state = monitorState(response);
  const isStatus = state !== undefined && isStateOfOperation(state, response);
  if (isStatus && state.isAtRoot && hasFieldsOrTimesOfStatus(fieldsOf(bodyIfJson(response)))) return state;
  return stateOfResource(response) ?? (isStatus ? state : undefined);
}

/** At a resource its `provisioningState` counts, and a `status` only by words that a resource does not use itself. */
function stateAtResource(response: LroResponse): BodyState | undefined {
  const word = wordAt(fieldsOf(bodyIfJson(response)), "status");
  const isOfOperation = word !== undefined && isOperationWordOfResource(word, response.terminalStates);
  return stateOfResource(response) ?? (isOfOperation ? stateAtRoot(word, response) : undefined);
}

function parseResource(location: PollingLocation, response: LroResponse): StatusReport {
  return reportOf(response, location, stateAtResource(response));
}

/** Without a state in the body the HTTP code decides: 202 runs, and any other success is the end. */
function reportOf(
  response: LroResponse,
  pollingLocation: PollingLocation | undefined,
  state: BodyState | undefined,
): StatusReport {
  const body = bodyIfJson(response);
  if (state?.isAtRoot) return { fields: statusAtRoot(response, state), pollingLocation };
  if (state === undefined && response.statusCode === 202) return running(pollingLocation);
  const status = state?.status ?? (isErrorAlone(fieldsOf(body)) ? "Failed" : "Succeeded");
  // Read again: where the code decides, the body must be a result.
  if (status === "Succeeded") return succeeded(response.body, pollingLocation);
  return { fields: { status, error: isTerminal(status) ? findError(body) : undefined }, pollingLocation };
}

function statusAtRoot(response: LroResponse, { word, status }: BodyState): StatusFields {
  const body = fieldsOf(bodyIfJson(response));
  const fields = statusFieldsOf(body, word, status);
  // A resource is its own result.
  return hasFieldsOrTimesOfStatus(body) ? withResult(fields, response) : { ...fields, properties: body };
}

/** The fields of a body that is nothing but an error, in lower case. */
const fieldsOfErrors = new Set(
  (
    "error errors odata.error errorentity code message details innererror target additionalinfo errorcode errormessage " +
    "error_description errordescription requestid activityid correlationid timestamp trackingid"
  ).split(" "),
);

/** A service that goes by the code alone may answer 200 with an error in place of the result. */
function isErrorAlone(body: Fields): boolean {
  const keys = Object.keys(body).map((key) => key.toLowerCase());
  const hasNothingElse = keys.every((key) => fieldsOfErrors.has(key));
  const { error } = body;
  const found = findError(hasNothingElse ? body : isObject(error) ? { error } : undefined);
  if (found === undefined || /^(none|0)$/i.test(found.code)) return false;
  // A result may be `{ message }` too.
  return found.code !== "" || (hasNothingElse && keys.some((key) => key.includes("error")));
}

function running(pollingLocation: PollingLocation | undefined): StatusReport {
  return { fields: { status: "Running" }, pollingLocation };
}

function succeeded(body: unknown, pollingLocation: PollingLocation | undefined): StatusReport {
  return { fields: { status: "Succeeded", properties: body }, pollingLocation };
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

/** @throws {@link ContractError} if it is no URL */
function resolved(url: string | undefined, base: string): string | undefined {
  if (url === undefined) return undefined;
  const absolute = absoluteUrl(url, base);
  if (absolute === undefined) throw new ContractError("Operation-Location", "a URL", url);
  return absolute;
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
