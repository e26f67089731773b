import { errorResponse, jsonResponse } from "./responses.ts";
import { devBoxPath, environmentPath, operationHeaders } from "./route.ts";
import type { Call, Reply, Route } from "./route.ts";
import type { DataPlane, OperationAction, Resource } from "./data-plane.ts";
import { resourceBody } from "./status-requests.ts";
import type { OperationPlan, ServedOperation } from "./served-operation.ts";

interface InitialRequestRoute {
  readonly action: OperationAction;
  readonly method: Route["method"];
  readonly path: string;
  /** What the resource's provisioning state says until the operation is over; none where there is no resource. */
  readonly meanwhile?: string;
  readonly usualPlan?: OperationPlan;
}

const validationPlan: OperationPlan = {
  timeline: [{ status: "Succeeded", result: { validationResult: "Succeeded", errors: [] } }],
};

const initialRequests: readonly InitialRequestRoute[] = [
  { action: "createDevBox", method: "PUT", path: devBoxPath, meanwhile: "Creating" },
  { action: "deleteDevBox", method: "DELETE", path: devBoxPath, meanwhile: "Deleting" },
  { action: "startDevBox", method: "POST", path: `${devBoxPath}:start`, meanwhile: "Starting" },
  { action: "stopDevBox", method: "POST", path: `${devBoxPath}:stop`, meanwhile: "Stopping" },
  { action: "restartDevBox", method: "POST", path: `${devBoxPath}:restart`, meanwhile: "Updating" },
  { action: "repairDevBox", method: "POST", path: `${devBoxPath}:repair`, meanwhile: "Updating" },
  { action: "captureSnapshot", method: "POST", path: `${devBoxPath}:captureSnapshot`, meanwhile: "Updating" },
  { action: "restoreSnapshot", method: "POST", path: `${devBoxPath}:restoreSnapshot`, meanwhile: "Updating" },
  { action: "createEnvironment", method: "PUT", path: environmentPath, meanwhile: "Creating" },
  { action: "deleteEnvironment", method: "DELETE", path: environmentPath, meanwhile: "Deleting" },
  {
    action: "validateGroup",
    method: "POST",
    path: "/projects/{project}/customizationTasks:validateGroup",
    usualPlan: validationPlan,
  },
];

/** The requests that begin an operation. */
export const initialRequestRoutes: readonly Route[] = initialRequests.map((beginning) => ({
  method: beginning.method,
  path: beginning.path,
  respond: (plane, call) => startOperation(beginning, plane, call),
}));

function startOperation(beginning: InitialRequestRoute, plane: DataPlane, call: Call): Reply {
  const body = parseJson(call.bodyText);
  if (body === invalidJson) return { response: errorResponse(400, "InvalidRequestBody", "Expected JSON.") };
  const resourcePath = resourcePathOf(call.url);
  const existing = plane.resourceAt(resourcePath);
  if (beginning.method === "DELETE" && existing === undefined) return nothingToDelete;
  const { projectName, url, headers } = call;
  const request = { action: beginning.action, projectName, url, headers, body };
  const operation = plane.startOperation(request, beginning.usualPlan ?? {});
  const { operationId } = operation;
  if (beginning.meanwhile === undefined) return { response: accepted(operation, call), operationId };
  const resource = resourceAfter(beginning, existing, body, operation);
  plane.putResource(resourcePath, resource);
  const isPut = beginning.method === "PUT";
  const response = isPut ? created(resource, call) : accepted(operation, call, resourcePath);
  return { response, operationId };
}

const nothingToDelete: Reply = { response: { status: 204, headers: {}, body: "" } };

/** An action on a resource that the server has not seen takes it for one that was there before. */
function resourceAfter(
  { method, meanwhile = "" }: InitialRequestRoute,
  existing: Resource | undefined,
  body: unknown,
  operation: ServedOperation,
): Resource {
  const isPut = method === "PUT";
  return {
    fields: { ...existing?.fields, ...(isPut && typeof body === "object" ? body : {}) },
    operation,
    meanwhile: isPut && existing ? "Updating" : meanwhile,
    isBeingDeleted: method === "DELETE",
  };
}

function resourcePathOf({ pathname }: URL): string {
  return pathname.replace(/:[^/:]*$/, "");
}

function created(resource: Resource, call: Call): Reply["response"] {
  const { operation } = resource;
  const headers = { ...operationHeaders(call, operation), ...operation.retryAfterHeader(operation.state) };
  return jsonResponse(201, resourceBody(resource, call.url, call.name), headers);
}

/** The first status body names the resource and no time; later ones do the reverse. */
function accepted(operation: ServedOperation, call: Call, resourceId?: string): Reply["response"] {
  const { startTime: _startTime, endTime: _endTime, ...status } = operation.status();
  const headers = { ...operationHeaders(call, operation), ...operation.retryAfterHeader(status.status) };
  return jsonResponse(202, { ...status, resourceId }, headers);
}

const invalidJson = Symbol("invalid JSON");

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return invalidJson;
  }
}
