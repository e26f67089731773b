import type { HttpMethods } from "@azure/core-rest-pipeline";
import { ContractError } from "../../operation/errors.ts";
import { isTerminal } from "../../operation/operation.ts";
import type { OperationState, StatusFields } from "../../operation/operation.ts";
import { isObject, parseObject, parseState, parseStatusFields } from "../../operation/parse-status.ts";

/**
 * How a service tells of an operation, as Azure's REST guidelines and its resource providers have it:
 * by a status monitor (`Operation-Location`, `Azure-AsyncOperation`), by a URL that answers 202 until it is done
 * (`Location`), or by the `provisioningState` of the resource itself.
 */
export type MonitorKind = "statusMonitor" | "location" | "resource";

/** Where the result of an operation is, as an API's description says in `final-state-via`. */
export type FinalStateVia = "azure-async-operation" | "location" | "operation-location" | "original-uri";

/** Which way an operation goes: where it tells of itself, and where its result will be. */
export interface Course {
  readonly kind: MonitorKind;
  /** Byte for byte as the service sent it, if it was absolute. */
  readonly monitorUrl: string;
  /** Where to get the result after the operation has succeeded; `undefined` when the monitor has it. */
  readonly resultUrl?: string | undefined;
}

/** What the request that begins an operation was. */
export interface Beginning {
  readonly method: HttpMethods;
  readonly url: string;
  readonly finalStateVia?: FinalStateVia | undefined;
}

/** The parts of an answer that say how an operation goes. */
export interface Answer {
  readonly statusCode: number;
  readonly header: (name: string) => string | undefined;
  /**
   * `undefined` when it is empty.
   *
   * @throws {@link ContractError} when it is read though it is no JSON: a header may say all that counts
   */
  readonly body: unknown;
}

/** What an answer says: the state, the way from here, and the result if it is here. */
export interface Report {
  readonly fields: StatusFields;
  /** `undefined` when there is nothing left to ask for. */
  readonly course: Course | undefined;
}

/**
 * Reads the answer to the request that began an operation.
 *
 * @throws {@link ContractError} when it leaves no way to learn how the operation ends
 */
export function readBeginning(beginning: Beginning, answer: Answer): Report {
  const course = courseOf(beginning, answer);
  if (course === undefined) return reportWithoutCourse(beginning, answer);
  if (course.kind === "resource") return readResource(course, answer);
  if (course.kind === "location") return { fields: { status: "Running" }, course };
  const state = firstState(beginning, answer);
  return isTerminal(state) ? readStatusMonitor(course, answer) : { fields: { status: state }, course };
}

/**
 * Reads an answer to a poll.
 *
 * @throws {@link ContractError} when it is none
 */
export function readMonitor(course: Course, answer: Answer): Report {
  switch (course.kind) {
    case "statusMonitor":
      return readStatusMonitor(moved(course, monitorHeader(answer)), answer);
    case "location":
      return readLocation(moved(course, answer.header("location")), answer);
    case "resource":
      return readResource(course, withBody(answer));
  }
}

/** A resource that is being made is there to be shown; only the first answer may do without. */
function withBody(answer: Answer): Answer {
  if (answer.body === undefined && answer.statusCode !== 202) {
    throw new ContractError("$", "a resource", undefined);
  }
  return answer;
}

function courseOf(beginning: Beginning, answer: Answer): Course | undefined {
  const location = resolved(answer.header("location"), beginning.url);
  const monitorUrl = resolved(monitorHeader(answer), beginning.url);
  if (monitorUrl !== undefined) {
    return { kind: "statusMonitor", monitorUrl, resultUrl: resultUrlOf(beginning, location, monitorUrl) };
  }
  if (location !== undefined && answer.statusCode !== 204) {
    const resultUrl = beginning.finalStateVia === "original-uri" ? beginning.url : undefined;
    return { kind: "location", monitorUrl: location, resultUrl };
  }
  const tellsByItself = beginning.method === "PUT" || beginning.method === "PATCH";
  return tellsByItself && answer.statusCode !== 204
    ? { kind: "resource", monitorUrl: beginning.url }
    : undefined;
}

/** What the guidelines and Azure's SDKs agree on where the API's description is silent. */
function resultUrlOf(
  { method, url, finalStateVia }: Beginning,
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

/** An answer that names no place to ask: it is the end, unless it says that there is more to come. */
function reportWithoutCourse({ method }: Beginning, { statusCode, body }: Answer): Report {
  if (statusCode !== 202) return { fields: { status: "Succeeded", properties: body }, course: undefined };
  const fields = parseStatusFields(parseObject(body, "$"));
  if (!isTerminal(fields.status)) {
    throw new ContractError("Operation-Location", `a URL in the answer 202 to the ${method}`, undefined);
  }
  return { fields: withResult(fields, body), course: undefined };
}

/** The body is the monitor's where there is no resource to show: then it may bring the end already. */
function firstState({ method }: Beginning, answer: Answer): OperationState {
  const showsResource = method === "PUT" || method === "PATCH";
  const body = showsResource ? undefined : jsonOf(answer);
  const word = isObject(body) ? body["status"] : undefined;
  return typeof word === "string" && word.trim() !== "" ? parseState(word, "$.status") : "NotStarted";
}

/** `undefined` when it is none, which does not matter where a header says where to ask. */
function jsonOf(answer: Answer): unknown {
  try {
    return answer.body;
  } catch {
    return undefined;
  }
}

function readStatusMonitor(course: Course, { body }: Answer): Report {
  const fields = parseStatusFields(parseObject(body, "$"));
  const resourceLocation = fields["resourceLocation"];
  const resultUrl =
    typeof resourceLocation === "string" && resourceLocation !== ""
      ? resolved(resourceLocation, course.monitorUrl)
      : course.resultUrl;
  return { fields: withResult(fields, body), course: { ...course, resultUrl } };
}

/** `properties` is DevCenter's name for it, `result` the guidelines' for that of an action; some have no name for it. */
function withResult(fields: StatusFields, body: unknown): StatusFields {
  if (fields.status !== "Succeeded") return fields;
  return { ...fields, properties: fields.properties ?? fields["result"] ?? body };
}

function readLocation(course: Course, answer: Answer): Report {
  if (answer.statusCode === 202) return { fields: { status: "Running" }, course };
  const { body } = answer;
  // By the book the code alone decides; a body that says that it failed is believed all the same.
  const word = isObject(body) ? provisioningStateOf(body) : undefined;
  const state = typeof word === "string" && word !== "" ? parseState(word, "$.status") : "Succeeded";
  const isUnsuccessful = state === "Failed" || state === "Canceled";
  return isUnsuccessful ? unsuccessful(state, body, course) : succeeded(body, course);
}

function readResource(course: Course, { statusCode, body }: Answer): Report {
  const word = isObject(body) ? provisioningStateOf(body) : undefined;
  const codeSays = statusCode === 202 ? "Running" : "Succeeded";
  const state =
    word === undefined || word === null ? codeSays : parseState(word, "$.properties.provisioningState");
  if (state === "Succeeded") return succeeded(body, course);
  return isTerminal(state) ? unsuccessful(state, body, course) : { fields: { status: state }, course };
}

function succeeded(body: unknown, course: Course): Report {
  return { fields: { status: "Succeeded", properties: body }, course };
}

function unsuccessful(status: OperationState, body: unknown, course: Course): Report {
  const error = isObject(body) ? (body["error"] ?? propertiesOf(body)["error"]) : undefined;
  return { fields: parseStatusFields({ status, error }), course };
}

function provisioningStateOf(body: Readonly<Record<string, unknown>>): unknown {
  return propertiesOf(body)["provisioningState"] ?? body["provisioningState"];
}

function propertiesOf(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return isObject(body["properties"]) ? body["properties"] : {};
}

function monitorHeader({ header }: Answer): string | undefined {
  return header("operation-location") ?? header("azure-asyncoperation");
}

function moved(course: Course, url: string | undefined): Course {
  return url === undefined
    ? course
    : { ...course, monitorUrl: resolved(url, course.monitorUrl) ?? course.monitorUrl };
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
