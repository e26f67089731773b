import { randomUUID } from "node:crypto";
import { isTerminal } from "../index.ts";
import { invalidApiVersion } from "./styles/api-version.ts";
import { provisioningStateIn } from "./data-plane.ts";
import type { DataPlane, Endpoint, Resource, StartedOperation } from "./data-plane.ts";
import { asObject, jsonResponse } from "./styles/responses.ts";
import type { StatusBody, WireResponse } from "./styles/responses.ts";
import { nothingToDelete, withFault, withInitialFault } from "./route.ts";
import type { Reply } from "./route.ts";
import type { OperationPlan } from "./served-operation.ts";
import type { AddOperationOptions, AddedOperation, Service, UnmatchedRequest } from "./service.ts";
import { bodyFor } from "./status-requests.ts";
import type { EndpointRole, StartRule } from "./styles/start-rule.ts";
import type { Shown, Style } from "./styles/style.ts";

/** Returns a service of this style. */
export function serviceOf(style: Style): Service {
  return {
    respondTo: (plane, request) => respondTo(style, plane, request),
    addOperation: (plane, origin, options) => addOperation(style, plane, origin, options),
    commonHeaders: ({ remaining }) => ({
      "access-control-expose-headers": "*",
      ...(style.remainingHeader !== undefined && { [style.remainingHeader]: String(remaining) }),
    }),
    errorResponse: style.errorResponse,
    challenge: style.challenge ?? 'Bearer realm=""',
    needsToken: style.challenge !== undefined,
  };
}

function respondTo(style: Style, plane: DataPlane, request: UnmatchedRequest): Reply {
  const { url, method } = request;
  const invalid = style.apiVersions && invalidApiVersion(style.apiVersions, url, style.errorResponse);
  if (invalid) return { response: invalid };
  if (method === "GET") return get(style, plane, request);
  const canceled = method === "POST" ? cancel(style, plane, pathOf(url)) : undefined;
  if (canceled) return { response: canceled };
  const rule = ruleFor(style, method, pathOf(url));
  if (rule === undefined) return { response: notFound(style, url) };
  const context = { headers: request.headers, errorResponse: style.errorResponse };
  return withInitialFault(plane, context, () => respondToStart(style, rule, plane, request));
}

/** Returns the response to a request to cancel an operation; `undefined` if it is another request. */
function cancel(
  { cancelSuffix, errorResponse }: Style,
  plane: DataPlane,
  path: string,
): WireResponse | undefined {
  if (cancelSuffix === undefined || !path.endsWith(cancelSuffix)) return undefined;
  const operation = plane.endpointAt(path.slice(0, -cancelSuffix.length))?.started.operation;
  if (operation === undefined) return undefined;
  const { state } = operation;
  if (isTerminal(state)) return errorResponse(409, "OperationIsOver", `The operation is over: ${state}.`);
  operation.enter({ status: "Canceled" });
  return { status: 202, headers: {}, body: "" };
}

/** A path with a slash at its end is the same: SDKs ask for the latest version of a thing so. */
function pathOf({ pathname }: URL): string {
  return pathname.replace(/(?<=.)\/$/, "");
}

function ruleFor({ starts }: Style, method: string, path: string): StartRule | undefined {
  return starts.find(({ request }) => request.test(`${method} ${path}`));
}

function notFound({ errorResponse }: Style, { pathname }: URL): WireResponse {
  const isOperation = /\/operation(?:s|statuses|results)\//i.test(pathname);
  const code = isOperation ? "OperationNotFound" : "ResourceNotFound";
  return errorResponse(404, code, `There is no ${pathname}.`, { target: pathname });
}

/** The parts of an initial request from which an operation starts. */
interface Start {
  readonly rule: StartRule;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly apiVersion: string;
  readonly operationId: string;
  readonly plan: OperationPlan;
}

function respondToStart(
  style: Style,
  rule: StartRule,
  plane: DataPlane,
  { method, url, headers, bodyText }: UnmatchedRequest,
): Reply {
  let body: unknown;
  try {
    body = bodyText === "" ? undefined : JSON.parse(bodyText);
  } catch {
    return { response: style.errorResponse(400, "InvalidRequestBody", "Expected JSON.") };
  }
  const path = pathOf(url);
  const existing = plane.resourceAt(path);
  if (method === "DELETE" && rule.resource !== undefined && existing === undefined) return nothingToDelete;
  const action = actionOf(method, path);
  const plan = plane.planFor({ action, projectName: "", url, headers, body }) ?? {};
  const apiVersion = url.searchParams.get("api-version") ?? "";
  const operationId = randomUUID();
  const started = begin(style, plane, { rule, method, path, body, apiVersion, operationId, plan });
  const statusCode = existing ? 200 : 201;
  return { response: initialResponse(style, plane, started, url.origin, statusCode), operationId };
}

const actions: ReadonlyMap<string, string> = new Map([
  ["PUT", "createOrUpdate"],
  ["PATCH", "update"],
  ["DELETE", "delete"],
]);

function actionOf(method: string, path: string): string {
  return actions.get(method) ?? path.replace(/^.*[/:]/, "");
}

function begin(style: Style, plane: DataPlane, start: Start): StartedOperation {
  const { rule, method, path, apiVersion, operationId, plan } = start;
  const variables = variablesOf(start);
  const paths = new Map(rule.endpoints.map((endpoint) => [endpoint, expand(endpoint.path, variables)]));
  const resourcePath = rule.resource && expand(rule.resource, variables);
  const [id = resourcePath ?? path] = paths.values();
  const retryAfter = style.retryAfter === undefined ? {} : { retryAfter: style.retryAfter };
  const operation = plane.add(id, operationId, { ...retryAfter, ...plan });
  const started = { operation, operationId, rule, method, apiVersion, resourcePath, paths };
  for (const [{ role }, at] of paths) plane.putEndpoint(at, { role, started });
  if (resourcePath !== undefined)
    plane.putResource(resourcePath, resourceAfter(start, started, plane.resourceAt(resourcePath)));
  return started;
}

type Variables = Readonly<Record<string, string | undefined>>;

function variablesOf({ rule, method, path, body, operationId }: Start): Variables {
  const { location }: { readonly location: unknown } = { location: "eastus", ...asObject(body) };
  return {
    path,
    operationId,
    location: String(location).replaceAll(" ", "").toLowerCase(),
    // Resource groups belong to it; their path names no provider.
    namespace: "Microsoft.Resources",
    ...definedOnly(rule.request.exec(`${method} ${path}`)?.groups ?? {}),
  };
}

function definedOnly(groups: Variables): Variables {
  return Object.fromEntries(Object.entries(groups).filter(([, value]) => value !== undefined));
}

function expand(template: string, variables: Variables): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => variables[name] ?? "");
}

function resourceAfter(
  { method, body }: Start,
  started: StartedOperation,
  existing: Resource | undefined,
): Resource {
  const isBeingDeleted = method === "DELETE";
  const interimState = existing || method === "PATCH" ? "Updating" : "Creating";
  return {
    fields: { ...existing?.fields, ...(isBeingDeleted ? {} : asObject(body)) },
    operation: started.operation,
    started,
    interimState: isBeingDeleted ? "Deleting" : interimState,
    isBeingDeleted,
  };
}

function initialResponse(
  style: Style,
  plane: DataPlane,
  started: StartedOperation,
  origin: string,
  codeOfResource: number,
): WireResponse {
  const { rule, method, operation, resourcePath = "" } = started;
  const shown = shownOf(started, operation.status(), origin);
  const headers = headersOf(style, shown, (role) => role !== "result");
  const resource = plane.resourceAt(resourcePath);
  if (rule.initialBody === "resource" && resource) {
    const body = style.resourceBody(resource.fields, provisioningStateIn(resource, shown.status), shown);
    return jsonResponse(method === "DELETE" ? 202 : codeOfResource, body, headers);
  }
  if (rule.initialBody === "status") return jsonResponse(202, style.statusBody(shown), headers);
  return { status: 202, headers, body: "" };
}

/** The facts of an operation on the server that a response shows. */
interface ShownOperation extends Shown {
  readonly started: StartedOperation;
}

function shownOf(started: StartedOperation, status: StatusBody, origin: string): ShownOperation {
  const own = status.result ?? status.properties;
  const result = own ?? (status.status === "Succeeded" ? started.rule.defaultResult : undefined);
  return { status, started, origin, result };
}

function headersOf(
  { idHeader }: Style,
  { status, started, origin }: ShownOperation,
  isSent: (role: EndpointRole) => boolean,
): Readonly<Record<string, string>> {
  const { operation, paths, apiVersion } = started;
  const locations = Array.from(paths, ([{ role, header = "" }, path]) =>
    header !== "" && isSent(role) ? [[header, urlOf(origin, path, apiVersion)]] : [],
  );
  return {
    ...Object.fromEntries(locations.flat()),
    ...(idHeader !== undefined && { [idHeader]: operation.operationId }),
    ...operation.retryAfterHeader(status.status),
  };
}

function urlOf(origin: string, path: string, apiVersion: string): string {
  return apiVersion === "" ? `${origin}${path}` : `${origin}${path}?api-version=${apiVersion}`;
}

function get(style: Style, plane: DataPlane, request: UnmatchedRequest): Reply {
  const path = pathOf(request.url);
  const endpoint = plane.endpointAt(path);
  if (endpoint) return getEndpoint(style, plane, endpoint, request);
  const resource = plane.resourceAt(path);
  if (resource?.started === undefined) return { response: notFound(style, request.url) };
  const isPolledHere = resource.started.rule.endpoints.length === 0;
  return show(style, plane, resource.started, request, isPolledHere, (shown) => {
    const body = style.resourceBody(resource.fields, provisioningStateIn(resource, shown.status), shown);
    return jsonResponse(200, body, isPolledHere ? headersOf(style, shown, () => false) : {});
  });
}

function getEndpoint(
  style: Style,
  plane: DataPlane,
  { role, started }: Endpoint,
  request: UnmatchedRequest,
): Reply {
  const hasMonitor = started.rule.endpoints.some((endpoint) => endpoint.role === "monitor");
  const isPolledHere = role === "monitor" || !hasMonitor;
  const respond = responders[role];
  return show(style, plane, started, request, isPolledHere, (shown) => respond(style, shown, plane));
}

/**
 * Shows the state of an operation. A request is a poll while the operation runs, and later where it is polled: the rest
 * are requests for the result.
 */
function show(
  { errorResponse }: Style,
  plane: DataPlane,
  started: StartedOperation,
  { url, headers }: UnmatchedRequest,
  isPolledHere: boolean,
  respond: (shown: ShownOperation) => WireResponse,
): Reply {
  const { operation } = started;
  const { id, operationId } = operation;
  const isPoll = isPolledHere || !isTerminal(operation.state);
  const poll = isPoll ? operation.countPoll() : undefined;
  const fault = poll ? (poll.fault ?? plane.nextFaults.shift()) : operation.countResourceRequest();
  const response = respond(shownOf(started, bodyFor(operation, fault), url.origin));
  const reply = { response, operationId, ...(poll && { pollNumber: poll.pollNumber }) };
  return withFault(fault, { headers, id, errorResponse }, reply);
}

type Responder = (style: Style, shown: ShownOperation, plane: DataPlane) => WireResponse;

const responders: Readonly<Record<EndpointRole, Responder>> = {
  monitor: (style, shown) => {
    const { status } = shown.status;
    const hasResult = status === "Succeeded" && shown.result !== undefined;
    const isSent = (role: EndpointRole): boolean =>
      isTerminal(status) ? role === "result" && hasResult : role !== "result";
    return jsonResponse(200, style.statusBody(shown), headersOf(style, shown, isSent));
  },
  location: (style, shown, plane) => {
    const { status, error } = shown.status;
    if (!isTerminal(status)) return { status: 202, headers: headersOf(style, shown, isLocation), body: "" };
    if (status === "Succeeded") return resultAtLocation(style, shown, plane);
    const message = `The operation ended as ${status}.`;
    return jsonResponse(409, { error: error ?? { code: `Operation${status}`, message } });
  },
  result: ({ errorResponse }, { status: { status }, result }) =>
    status === "Succeeded" && result !== undefined
      ? jsonResponse(200, result)
      : errorResponse(400, "OperationHasNoResult", "The operation has no result."),
};

function isLocation(role: EndpointRole): boolean {
  return role === "location";
}

function resultAtLocation(style: Style, shown: ShownOperation, plane: DataPlane): WireResponse {
  const resource = plane.resourceAt(shown.started.resourcePath ?? "");
  if (resource) return jsonResponse(200, style.resourceBody(resource.fields, "Succeeded", shown));
  if (shown.result !== undefined) return jsonResponse(200, shown.result);
  return { status: style.noResultStatus ?? 204, headers: {}, body: "" };
}

function addOperation(
  style: Style,
  plane: DataPlane,
  origin: string,
  { operationId = randomUUID(), projectName: _projectName, ...plan }: AddOperationOptions,
): AddedOperation {
  const { sample, ownApiVersion: apiVersion = "" } = style;
  const path = expand(sample.path, { operationId });
  const rule = ruleFor(style, sample.method, path);
  if (rule === undefined)
    throw new RangeError(`style: expected a rule for ${sample.method} ${path}, got none`);
  const { method } = sample;
  const { operation, resourcePath } = begin(style, plane, {
    rule,
    method,
    path,
    body: undefined,
    apiVersion,
    operationId,
    plan,
  });
  return {
    operationId,
    projectName: "",
    operationLocation: urlOf(origin, operation.id, apiVersion),
    ...(resourcePath !== undefined && { resourceUrl: urlOf(origin, resourcePath, apiVersion) }),
  };
}
