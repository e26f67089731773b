import { devCenterVersions, invalidApiVersion } from "./styles/api-version.ts";
import { errorResponse } from "./styles/responses.ts";
import type { WireResponse } from "./styles/responses.ts";
import { initialRequestRoutes } from "./initial-requests.ts";
import { resourceNotFound } from "./route.ts";
import type { Reply } from "./route.ts";
import { projectNamePattern } from "./validation.ts";
import type { DataPlane } from "./data-plane.ts";
import type { UnmatchedRequest } from "./service.ts";
import { statusRoutes } from "./status-requests.ts";

const routes = [...statusRoutes, ...initialRequestRoutes].map((route) => ({
  route,
  // `{name}` matches all but slashes and colons, because a colon precedes an action.
  pattern: new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/:]+)")}$`, "i"),
}));

/** Responds by the route of the request: 404 or 405 where there is none, 400 where a parameter is invalid. */
export function respondTo(plane: DataPlane, request: UnmatchedRequest): Reply {
  const { pathname, searchParams } = request.url;
  const candidates = routes.filter(({ pattern }) => pattern.test(pathname));
  if (candidates.length === 0) return { response: resourceNotFound(request.url) };
  const match = candidates.find(({ route }) => route.method === request.method);
  if (match === undefined) {
    const allow = candidates.map(({ route }) => route.method).join(", ");
    return { response: errorResponse(405, "MethodNotAllowed", `Expected ${allow}.`, { headers: { allow } }) };
  }
  const { project: projectName = "", name = "" } = match.pattern.exec(pathname)?.groups ?? {};
  const apiVersion = searchParams.get("api-version") ?? "";
  const response = invalidParameter(projectName, request.url);
  if (response) return { response };
  return match.route.respond(plane, { ...request, projectName, name, apiVersion });
}

function invalidParameter(projectName: string, url: URL): WireResponse | undefined {
  if (!projectNamePattern.test(projectName)) {
    const message = `projectName: expected ${String(projectNamePattern)}.`;
    return errorResponse(400, "InvalidProjectName", message, { target: projectName });
  }
  return invalidApiVersion(devCenterVersions, url, errorResponse);
}

/** Returns the response to a browser's preflight request. */
export function preflight(requestedHeaders: string | undefined): WireResponse {
  return {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, PUT, POST, PATCH, DELETE, OPTIONS",
      "access-control-allow-headers": requestedHeaders ?? "*",
    },
    body: "",
  };
}
