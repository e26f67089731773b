import { errorResponse } from "./responses.ts";
import type { WireResponse } from "./responses.ts";
import { initialRequestRoutes } from "./initial-requests.ts";
import { resourceNotFound } from "./route.ts";
import type { Call, Reply, Route } from "./route.ts";
import { projectNamePattern } from "./validation.ts";
import type { DataPlane } from "./data-plane.ts";
import { statusRoutes } from "./status-requests.ts";

const routes = [...statusRoutes, ...initialRequestRoutes].map((route) => ({
  route,
  pattern: patternOf(route.path),
}));

/** `{name}` takes all but slashes and colons: a colon begins an action. Letters match in either case. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/:]+)")}$`, "i");
}

/** What a request says, before a route has looked at its path. */
export type Request = Pick<Call, "url" | "headers" | "bodyText"> & { readonly method: string };

/** Answers a request by the table of routes; 404 and 405 where none fits, 400 where its parameters are wrong. */
export function respondTo(plane: DataPlane, request: Request): Reply {
  const { pathname, searchParams } = request.url;
  const candidates = routes.filter(({ pattern }) => pattern.test(pathname));
  if (candidates.length === 0) return { response: resourceNotFound(request.url) };
  const match = candidates.find(({ route }) => route.method === request.method);
  if (match === undefined) return { response: methodNotAllowed(candidates.map(({ route }) => route.method)) };
  const { project: projectName = "", name = "" } = match.pattern.exec(pathname)?.groups ?? {};
  const apiVersion = searchParams.get("api-version") ?? "";
  const refusal = refusalOf(projectName, apiVersion);
  if (refusal) return { response: refusal };
  return match.route.respond(plane, { ...request, projectName, name, apiVersion });
}

function methodNotAllowed(allowed: readonly Route["method"][]): WireResponse {
  const allow = allowed.join(", ");
  return errorResponse(405, "MethodNotAllowed", `Expected ${allow}.`, { headers: { allow } });
}

function refusalOf(projectName: string, apiVersion: string): WireResponse | undefined {
  if (!projectNamePattern.test(projectName)) {
    const message = `projectName: expected ${String(projectNamePattern)}.`;
    return errorResponse(400, "InvalidProjectName", message, { target: projectName });
  }
  if (apiVersion !== "") return undefined;
  const message = "The query needs an api-version.";
  return errorResponse(400, "MissingApiVersionParameter", message, { target: "api-version" });
}

/** The answer to a browser that asks what it may send. */
export function preflight(requestedHeaders: string | undefined): WireResponse {
  return {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, PUT, POST, DELETE, OPTIONS",
      "access-control-allow-headers": requestedHeaders ?? "*",
    },
    body: "",
  };
}
