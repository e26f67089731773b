import { randomUUID } from "node:crypto";
import { errorResponse, jsonResponse, statusId } from "./styles/responses.ts";
import {
  addOnPath,
  devBoxPath,
  environmentPath,
  nothingToDelete,
  operationHeaders,
  withInitialFault,
} from "./route.ts";
import type { Call, Reply, Route } from "./route.ts";
import type { DataPlane, OperationAction, Resource } from "./data-plane.ts";
import { resourceBody } from "./status-requests.ts";
import type { OperationPlan, ServedOperation } from "./served-operation.ts";

interface InitialRequestRoute {
  readonly action: OperationAction;
  readonly method: Route["method"];
  readonly path: string;
  /** The resource's provisioning state until the operation ends; none where there is no resource. */
  readonly interimState?: string;
  readonly defaultPlan?: OperationPlan;
}

const validationPlan: OperationPlan = {
  timeline: [{ status: "Succeeded", result: { validationResult: "Succeeded", errors: [] } }],
};

const initialRequests: readonly InitialRequestRoute[] = [
  { action: "createDevBox", method: "PUT", path: devBoxPath, interimState: "Creating" },
  { action: "deleteDevBox", method: "DELETE", path: devBoxPath, interimState: "Deleting" },
  { action: "approveDevBox", method: "POST", path: `${devBoxPath}:approve`, interimState: "Creating" },
  { action: "startDevBox", method: "POST", path: `${devBoxPath}:start`, interimState: "Starting" },
  { action: "stopDevBox", method: "POST", path: `${devBoxPath}:stop`, interimState: "Stopping" },
  { action: "restartDevBox", method: "POST", path: `${devBoxPath}:restart`, interimState: "Updating" },
  { action: "repairDevBox", method: "POST", path: `${devBoxPath}:repair`, interimState: "Updating" },
  { action: "alignDevBox", method: "POST", path: `${devBoxPath}:align`, interimState: "Updating" },
  { action: "alignPool", method: "POST", path: "/projects/{project}/pools/{name}:align" },
  {
    action: "captureSnapshot",
    method: "POST",
    path: `${devBoxPath}:captureSnapshot`,
    interimState: "Updating",
  },
  {
    action: "restoreSnapshot",
    method: "POST",
    path: `${devBoxPath}:restoreSnapshot`,
    interimState: "Updating",
  },
  { action: "createAddOn", method: "PUT", path: addOnPath, interimState: "Creating" },
  { action: "deleteAddOn", method: "DELETE", path: addOnPath, interimState: "Deleting" },
  { action: "enableAddOn", method: "POST", path: `${addOnPath}:enable`, interimState: "Updating" },
  { action: "disableAddOn", method: "POST", path: `${addOnPath}:disable`, interimState: "Updating" },
  { action: "createEnvironment", method: "PUT", path: environmentPath, interimState: "Creating" },
  { action: "deleteEnvironment", method: "DELETE", path: environmentPath, interimState: "Deleting" },
  {
    action: "validateGroup",
    method: "POST",
    path: "/projects/{project}/customizationTasks:validateGroup",
    defaultPlan: validationPlan,
  },
];

/** The routes of the requests that start an operation. */
export const initialRequestRoutes: readonly Route[] = initialRequests.map((route) => ({
  method: route.method,
  path: route.path,
  respond: (plane, call) => withInitialFault(plane, call, () => startOperation(route, plane, call)),
}));

function startOperation(route: InitialRequestRoute, plane: DataPlane, call: Call): Reply {
  const { projectName, url, headers } = call;
  let body: unknown;
  try {
    body = call.bodyText === "" ? undefined : JSON.parse(call.bodyText);
  } catch {
    return { response: errorResponse(400, "InvalidRequestBody", "Expected JSON.") };
  }
  const resourcePath = url.pathname.replace(/:[^/:]*$/, "");
  const existing = plane.resourceAt(resourcePath);
  if (route.method === "DELETE" && existing === undefined) return nothingToDelete;
  const request = { action: route.action, projectName, url, headers, body };
  const plan = plane.planFor(request) ?? route.defaultPlan ?? {};
  const operationId = randomUUID();
  const operation = plane.add(statusId(projectName, operationId), operationId, plan);
  if (route.interimState === undefined) return { response: accepted(operation, call), operationId };
  const resource = resourceAfter(route, existing, body, operation);
  plane.putResource(resourcePath, resource);
  const isPut = route.method === "PUT";
  const response = isPut ? created(resource, call) : accepted(operation, call, resourcePath);
  return { response, operationId };
}

/** Returns the resource that an operation leaves. A resource that is unknown to the server counts as existing. */
function resourceAfter(
  { method, interimState = "" }: InitialRequestRoute,
  existing: Resource | undefined,
  body: unknown,
  operation: ServedOperation,
): Resource {
  const isPut = method === "PUT";
  return {
    fields: { ...existing?.fields, ...(isPut && typeof body === "object" ? body : {}) },
    operation,
    interimState: isPut && existing ? "Updating" : interimState,
    isBeingDeleted: method === "DELETE",
  };
}

function created(resource: Resource, call: Call): Reply["response"] {
  const headers = operationHeaders(call, resource.operation, resource.operation.state);
  return jsonResponse(201, resourceBody(resource, call.url, call.name), headers);
}

/** The first status body has the resource and no times; later ones have times and no resource. */
function accepted(operation: ServedOperation, call: Call, resourceId?: string): Reply["response"] {
  const { startTime: _startTime, endTime: _endTime, ...status } = operation.status();
  const headers = operationHeaders(call, operation, status.status);
  return jsonResponse(202, { ...status, resourceId }, headers);
}
