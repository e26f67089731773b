import type { IncomingHttpHeaders } from "node:http";
import { errorResponse, statusUrl } from "./responses.ts";
import type { WireResponse } from "./responses.ts";
import type { DataPlane } from "./data-plane.ts";
import type { DeliveryFault } from "./faults.ts";
import type { ServedOperation } from "./served-operation.ts";

/** A request that a route takes. */
export interface Call {
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly bodyText: string;
  readonly projectName: string;
  readonly apiVersion: string;
  /** The last variable part of the path: an operation's id, or a resource's name. */
  readonly name: string;
}

/** How to answer, and what goes wrong on the way. */
export interface Reply {
  readonly response: WireResponse;
  readonly deliveryFault?: DeliveryFault | undefined;
  readonly operationId?: string;
  readonly pollNumber?: number;
}

/** A row of the table of requests. */
export interface Route {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With `{variables}`. Letters match in either case. */
  readonly path: string;
  respond(plane: DataPlane, call: Call): Reply;
}

/** Where dev boxes live. */
export const devBoxPath = "/projects/{project}/users/{user}/devboxes/{name}";

/** Where environments live. */
export const environmentPath = "/projects/{project}/users/{user}/environments/{name}";

/** The headers of an answer about an operation: at the origin that the request was sent to. */
export function operationHeaders(
  { url, apiVersion }: Call,
  { projectName, operationId }: ServedOperation,
): Readonly<Record<string, string>> {
  const operationLocation = statusUrl(url.origin, projectName, operationId, apiVersion);
  return { "operation-location": operationLocation, location: `${operationLocation}&monitor=true` };
}

/** The 404 of a resource. */
export function resourceNotFound({ pathname }: URL): WireResponse {
  return errorResponse(404, "ResourceNotFound", `There is no ${pathname}.`, { target: pathname });
}
