import { ContractError } from "../errors.ts";
import { parseObject, parseString } from "../parse.ts";
import { parseJson, parseToken } from "../token.ts";
import type { ResumeToken } from "../token.ts";
import { checkOperationId, checkProjectName, checkSameOrigin, parseEndpoint, parseUrl } from "./arguments.ts";
import type { OperationReference } from "./arguments.ts";
import { isSameResource } from "./course.ts";
import type { Course, MonitorKind } from "./course.ts";

/** A token, and what it says of where the operation is: by DevCenter's names, or by the course it was on. */
export interface ResumePoint {
  readonly token: ResumeToken;
  readonly operation: OperationReference | Course;
}

/**
 * Parses a resume token of this library or the state that `@azure/core-lro` serialized, and checks that all that it
 * leads to is at the endpoint's origin.
 *
 * @throws {@link ContractError}, TypeError or RangeError that says what is wrong with it
 */
export function parseResumePoint(
  token: unknown,
  endpoint: URL,
  now: number,
  allowed: ReadonlySet<string>,
): ResumePoint {
  const fields = parseObject(typeof token === "string" ? parseJson(token) : token, "token");
  if ("state" in fields) {
    const fresh: ResumeToken = { version: 1, operation: {}, begunAt: now, pollCount: 0, failedReads: 0 };
    return { token: fresh, operation: parseCoreLroState(fields["state"], endpoint, allowed) };
  }
  const parsed = parseToken(fields);
  const operation = parseObject(parsed.operation, "token.operation");
  if ("state" in operation) {
    return { token: parsed, operation: parseCoreLroState(operation["state"], endpoint, allowed) };
  }
  if ("beginning" in operation) {
    throw new ContractError("token.operation", "one that had begun", operation["beginning"]);
  }
  if ("course" in operation)
    return { token: parsed, operation: parseCourse(operation["course"], endpoint, allowed) };
  checkSameOrigin("token.operation.endpoint", parseEndpoint(operation["endpoint"], false), endpoint);
  return {
    token: parsed,
    operation: {
      projectName: checkProjectName(operation["projectName"]),
      operationId: checkOperationId(operation["operationId"]),
    },
  };
}

function parseCourse(value: unknown, endpoint: URL, allowed: ReadonlySet<string>): Course {
  const fields = parseObject(value, "token.operation.course");
  return {
    kind: parseKind(fields["kind"], "token.operation.course.kind", ownKinds),
    monitorUrl: parseUrl("token.operation.course.monitorUrl", fields["monitorUrl"], endpoint, allowed),
    resultUrl: parseOptionalUrl("token.operation.course.resultUrl", fields["resultUrl"], endpoint, allowed),
  };
}

const ownKinds: ReadonlyMap<string, MonitorKind> = new Map([
  ["statusMonitor", "statusMonitor"],
  ["location", "location"],
  ["resource", "resource"],
]);

const coreLroKinds: ReadonlyMap<string, MonitorKind> = new Map([
  ["OperationLocation", "statusMonitor"],
  ["ResourceLocation", "location"],
  ["Body", "resource"],
]);

/** The result that a state may hold is not taken from it: the service is asked again. */
function parseCoreLroState(value: unknown, endpoint: URL, allowed: ReadonlySet<string>): Course {
  const config = parseObject(parseObject(value, "token.state")["config"], "token.state.config");
  const metadata = parseObject(config["metadata"], "token.state.config.metadata");
  const { operationLocation, resourceLocation }: { operationLocation?: unknown; resourceLocation?: unknown } =
    config;
  const monitorUrl = parseUrl("token.state.config.operationLocation", operationLocation, endpoint, allowed);
  const resultUrl = parseOptionalUrl(
    "token.state.config.resourceLocation",
    resourceLocation,
    endpoint,
    allowed,
  );
  return {
    kind: parseKind(metadata["mode"], "token.state.config.metadata.mode", coreLroKinds),
    monitorUrl,
    // DevCenter sends the monitor itself as Location: there is no resource to be had there.
    resultUrl: resultUrl !== undefined && isSameResource(resultUrl, monitorUrl) ? undefined : resultUrl,
  };
}

function parseKind(value: unknown, path: string, kinds: ReadonlyMap<string, MonitorKind>): MonitorKind {
  const kind = kinds.get(parseString(value, path));
  if (kind === undefined) throw new ContractError(path, [...kinds.keys()].join(", "), value);
  return kind;
}

function parseOptionalUrl(
  name: string,
  url: unknown,
  endpoint: URL,
  allowed: ReadonlySet<string>,
): string | undefined {
  return url === undefined || url === null ? undefined : parseUrl(name, url, endpoint, allowed);
}
