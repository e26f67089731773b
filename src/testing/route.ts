import type { IncomingHttpHeaders } from "node:http";
import type { OperationState } from "../index.ts";
import { errorResponse, statusUrl } from "./styles/responses.ts";
import type { WireResponse } from "./styles/responses.ts";
import type { DataPlane } from "./data-plane.ts";
import { isDeliveryFault, responseOf } from "./faults.ts";
import type { DeliveryFault, Fault, FaultContext } from "./faults.ts";
import type { ServedOperation } from "./served-operation.ts";

/** A request that a route handles. */
export interface Call {
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly bodyText: string;
  readonly projectName: string;
  readonly apiVersion: string;
  /** The last variable part of the path: an operation's id, or a resource's name. */
  readonly name: string;
}

/** The response to a request, and the fault in its delivery. */
export interface Reply {
  readonly response: WireResponse;
  readonly deliveryFault?: DeliveryFault | undefined;
  readonly operationId?: string;
  readonly pollNumber?: number;
}

/** A kind of request that the server handles. */
export interface Route {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** The path with `{variables}`. Letters match in either case. */
  readonly path: string;
  respond(plane: DataPlane, call: Call): Reply;
}

/** The path of a dev box. */
export const devBoxPath = "/projects/{project}/users/{user}/devboxes/{name}";

/** The path of an add-on of a dev box. */
export const addOnPath = "/projects/{project}/users/{user}/devboxes/{devBox}/addons/{name}";

/** The path of an environment. */
export const environmentPath = "/projects/{project}/users/{user}/environments/{name}";

/** Returns the headers of a response that shows this state of an operation. Their URLs have the request's origin. */
export function operationHeaders(
  { url, apiVersion }: Call,
  operation: ServedOperation,
  shown: OperationState,
): Readonly<Record<string, string>> {
  const operationLocation = statusUrl(url.origin, operation.id, apiVersion);
  const location = `${operationLocation}&monitor=true`;
  return { "operation-location": operationLocation, location, ...operation.retryAfterHeader(shown) };
}

/** Returns the reply, as changed by a fault. */
export function withFault(fault: Fault | undefined, context: FaultContext, reply: Reply): Reply {
  if (fault === undefined || fault.kind === "stale") return reply;
  if (isDeliveryFault(fault)) return { ...reply, deliveryFault: fault };
  return { ...reply, response: responseOf(fault, context) };
}

/** Returns the reply to an initial request. A fault that replaces the response prevents the start. */
export function withInitialFault(
  plane: DataPlane,
  context: Omit<FaultContext, "id">,
  start: () => Reply,
): Reply {
  const fault = plane.nextInitialFaults.shift();
  const isRejected = fault !== undefined && !isDeliveryFault(fault);
  const reply = isRejected ? { response: responseOf(fault, { ...context, id: "" }) } : start();
  return withFault(isRejected ? undefined : fault, { ...context, id: "" }, reply);
}

/** The reply to a DELETE of a resource that does not exist. */
export const nothingToDelete: Reply = { response: { status: 204, headers: {}, body: "" } };

/** Returns the 404 for a resource. */
export function resourceNotFound({ pathname }: URL): WireResponse {
  return errorResponse(404, "ResourceNotFound", `There is no ${pathname}.`, { target: pathname });
}
