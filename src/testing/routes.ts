import { errorAnswer } from "./responses.ts";
import type { Answer } from "./responses.ts";
import { beginRoutes } from "./initial-requests.ts";
import { resourceNotFound } from "./route.ts";
import type { Call, Reply, Route } from "./route.ts";
import { projectNamePattern } from "./validation.ts";
import type { DataPlane } from "./data-plane.ts";
import { readRoutes } from "./status-requests.ts";

const routes = [...readRoutes, ...beginRoutes].map((route) => ({ route, pattern: patternOf(route.path) }));

/** `{name}` takes all but slashes and colons: a colon begins an action. Letters match in either case. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/:]+)")}$`, "i");
}

/** What a request says, before a route has looked at its path. */
export type Request = Pick<Call, "url" | "headers" | "bodyText"> & { readonly method: string };

/** Answers a request by the table of routes; 404 and 405 where none fits, 400 where its parameters are wrong. */
export function answerRequest(plane: DataPlane, request: Request): Reply {
  const { pathname, searchParams } = request.url;
  const candidates = routes.filter(({ pattern }) => pattern.test(pathname));
  if (candidates.length === 0) return { answer: resourceNotFound(request.url) };
  const match = candidates.find(({ route }) => route.method === request.method);
  if (match === undefined) return { answer: methodNotAllowed(candidates.map(({ route }) => route.method)) };
  const { project: projectName = "", name = "" } = match.pattern.exec(pathname)?.groups ?? {};
  const apiVersion = searchParams.get("api-version") ?? "";
  const refusal = refusalOf(projectName, apiVersion);
  if (refusal) return { answer: refusal };
  return match.route.answer(plane, { ...request, projectName, name, apiVersion });
}

function methodNotAllowed(allowed: readonly Route["method"][]): Answer {
  const allow = allowed.join(", ");
  return errorAnswer(405, "MethodNotAllowed", `Expected ${allow}.`, { headers: { allow } });
}

function refusalOf(projectName: string, apiVersion: string): Answer | undefined {
  if (!projectNamePattern.test(projectName)) {
    const message = `projectName: expected ${String(projectNamePattern)}.`;
    return errorAnswer(400, "InvalidProjectName", message, { target: projectName });
  }
  if (apiVersion !== "") return undefined;
  const message = "The query needs an api-version.";
  return errorAnswer(400, "MissingApiVersionParameter", message, { target: "api-version" });
}

/** The answer to a browser that asks what it may send. */
export function preflight(requestedHeaders: string | undefined): Answer {
  return {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, PUT, POST, DELETE, OPTIONS",
      "access-control-allow-headers": requestedHeaders ?? "*",
    },
    body: "",
  };
}
