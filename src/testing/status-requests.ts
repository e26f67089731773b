import { errorResponse, jsonResponse, statusId } from "./styles/responses.ts";
import type { StatusBody } from "./styles/responses.ts";
import {
  addOnPath,
  devBoxPath,
  environmentPath,
  operationHeaders,
  resourceNotFound,
  withFault,
} from "./route.ts";
import type { Call, Reply, Route } from "./route.ts";
import { operationIdPattern } from "./validation.ts";
import { provisioningStateOf } from "./data-plane.ts";
import type { DataPlane, Resource } from "./data-plane.ts";
import { deliversStatus } from "./faults.ts";
import type { Fault } from "./faults.ts";
import type { ServedOperation } from "./served-operation.ts";

/** The routes of the requests that change nothing. */
export const statusRoutes: readonly Route[] = [
  { method: "GET", path: "/projects/{project}/operationstatuses/{name}", respond: getStatus },
  { method: "GET", path: devBoxPath, respond: getResource },
  { method: "GET", path: addOnPath, respond: getResource },
  { method: "GET", path: environmentPath, respond: getResource },
];

function getStatus(plane: DataPlane, call: Call): Reply {
  const { url, projectName, name: target } = call;
  if (!operationIdPattern.test(target)) {
    const message = `operationId: expected ${String(operationIdPattern)}.`;
    return { response: errorResponse(400, "InvalidOperationId", message, { target }) };
  }
  const operation = plane.operationAt(url.pathname);
  if (operation) return getOperation(operation, plane, call);
  const response = errorResponse(404, "OperationNotFound", `There is no operation ${target}.`, { target });
  const id = statusId(projectName, target);
  return withFault(plane.nextFaults.shift(), { ...call, id }, { response, operationId: target });
}

function getOperation(operation: ServedOperation, plane: DataPlane, call: Call): Reply {
  const { pollNumber, fault: ownFault } = operation.countPoll();
  const fault = ownFault ?? plane.nextFaults.shift();
  const body = bodyFor(operation, fault);
  const response = jsonResponse(200, body, operationHeaders(call, operation, body.status));
  const { id, operationId } = operation;
  return withFault(fault, { ...call, id }, { response, operationId, pollNumber });
}

/** Returns the status for a poll with this fault. */
export function bodyFor(operation: ServedOperation, fault: Fault | undefined): StatusBody {
  if (fault?.kind === "stale") return operation.firstStatus();
  return deliversStatus(fault) ? operation.show() : operation.status();
}

function getResource(plane: DataPlane, call: Call): Reply {
  const { url, name } = call;
  const resource = plane.resourceAt(url.pathname);
  if (resource === undefined) return { response: resourceNotFound(url) };
  const fault = resource.operation.countResourceRequest();
  const provisioningState = fault?.kind === "stale" ? resource.interimState : provisioningStateOf(resource);
  const body = { ...resourceBody(resource, url, name), provisioningState };
  return withFault(fault, { ...call, id: resource.operation.id }, { response: jsonResponse(200, body) });
}

/** Returns a dev box, an add-on or an environment in the service's format. */
export function resourceBody(resource: Resource, { origin, pathname }: URL, name: string): object {
  const provisioningState = provisioningStateOf(resource);
  return { uri: `${origin}${pathname}`, name, ...resource.fields, provisioningState };
}
