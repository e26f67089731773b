import { errorAnswer, jsonAnswer } from "./responses.ts";
import type { StatusBody } from "./responses.ts";
import { devBoxPath, environmentPath, operationHeaders, resourceNotFound } from "./route.ts";
import type { Call, Reply, Route } from "./route.ts";
import { operationIdPattern } from "./validation.ts";
import { provisioningStateOf } from "./data-plane.ts";
import type { DataPlane, Resource } from "./data-plane.ts";
import { answerOf, isAnswered, isDeliveryFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import type { ServedOperation } from "./served-operation.ts";

/** The requests that change nothing. */
export const readRoutes: readonly Route[] = [
  { method: "GET", path: "/projects/{project}/operationstatuses/{name}", answer: readStatus },
  { method: "GET", path: devBoxPath, answer: readResource },
  { method: "GET", path: environmentPath, answer: readResource },
];

function readStatus(plane: DataPlane, call: Call): Reply {
  if (!operationIdPattern.test(call.name)) return { answer: invalidOperationId(call.name) };
  const operation = plane.find(call.projectName, call.name);
  if (operation) return readOperation(operation, plane, call);
  const fault = plane.takeNextFault();
  return withFault(fault, call, { answer: operationNotFound(call.name), operationId: call.name });
}

function readOperation(operation: ServedOperation, plane: DataPlane, call: Call): Reply {
  const { readNumber, fault: ownFault } = operation.arrive();
  const fault = ownFault ?? plane.takeNextFault();
  const body = bodyFor(operation, fault);
  const headers = { ...operationHeaders(call, operation), ...operation.retryAfterHeader(body.status) };
  const { operationId } = operation;
  return withFault(fault, call, { answer: jsonAnswer(200, body, headers), operationId, readNumber });
}

function bodyFor(operation: ServedOperation, fault: Fault | undefined): StatusBody {
  if (fault?.kind === "stale") return operation.firstStatus();
  return isAnswered(fault) ? operation.show() : operation.status();
}

function withFault(fault: Fault | undefined, { projectName }: Call, reply: Reply): Reply {
  if (fault === undefined || fault.kind === "stale") return reply;
  if (isDeliveryFault(fault)) return { ...reply, deliveryFault: fault };
  return { ...reply, answer: answerOf(fault, projectName) };
}

function invalidOperationId(target: string): Reply["answer"] {
  return errorAnswer(400, "InvalidOperationId", `operationId: expected ${String(operationIdPattern)}.`, {
    target,
  });
}

function operationNotFound(operationId: string): Reply["answer"] {
  return errorAnswer(404, "OperationNotFound", `There is no operation ${operationId}.`, {
    target: operationId,
  });
}

function readResource(plane: DataPlane, call: Call): Reply {
  const { url, name } = call;
  const resource = plane.resourceAt(url.pathname);
  if (resource === undefined) return { answer: resourceNotFound(url) };
  const fault = resource.operation.arriveAtResource();
  const provisioningState = fault?.kind === "stale" ? resource.meanwhile : provisioningStateOf(resource);
  const body = { ...resourceBody(resource, url, name), provisioningState };
  return withFault(fault, call, { answer: jsonAnswer(200, body) });
}

/** A dev box or an environment as the service words it. */
export function resourceBody(resource: Resource, { origin, pathname }: URL, name: string): object {
  const provisioningState = provisioningStateOf(resource);
  return { uri: `${origin}${pathname}`, name, ...resource.fields, provisioningState };
}
