import { ContractError } from "../../operation/errors.ts";
import { operationIdForm, parseObject } from "../../operation/parse-status.ts";
import { parseFields, refusal } from "../../operation/json-fields.ts";
import type { Fields } from "../../operation/json-fields.ts";
import { parseToken, parseTokenText } from "../../state/resume-token.ts";
import type { ResumeToken } from "../../state/resume-token.ts";
import { checkSameOrigin, isOperationId, isProjectName, parseUrl, projectNameForm } from "../validation.ts";
import type { OperationReference } from "../validation.ts";
import { isSameResource } from "./protocol.ts";
import type { Course, MonitorKind } from "./protocol.ts";

/** A token, and what it says of where the operation is: by DevCenter's names, or by the course it was on. */
export interface ResumePoint {
  readonly token: ResumeToken;
  readonly operation: OperationReference | Course;
}

/** What a token has to fit. */
export interface ResumeSite {
  readonly endpoint: URL;
  readonly apiVersion: string;
  /** Origins besides the endpoint's. */
  readonly allowedOrigins: ReadonlySet<string>;
}

/**
 * Parses a resume token of this library or the state that `@azure/core-lro` serialized, and checks that all that it
 * leads to is at the endpoint's origin.
 *
 * @param now - milliseconds since 1970
 * @throws {@link ContractError} that says what is wrong with it, RangeError when it is of another client
 */
export function parseResumePoint(token: unknown, site: ResumeSite, now: number): ResumePoint {
  const fields = parseObject(parseTokenText(token), "token");
  if (Object.hasOwn(fields, "state")) {
    const fresh = { begunAt: now, savedAt: now, pollCount: 0, failedReads: 0 };
    return {
      token: { version: 1, operation: {}, ...fresh },
      operation: parseCoreLroState(fields["state"], site, "token.state"),
    };
  }
  const parsed = parseToken(fields);
  return { token: parsed, operation: parseOperation(parsed.operation, site) };
}

function parseOperation(value: unknown, site: ResumeSite): OperationReference | Course {
  const fields = parseObject(value, "token.operation");
  if (Object.hasOwn(fields, "state"))
    return parseCoreLroState(fields["state"], site, "token.operation.state");
  if (Object.hasOwn(fields, "course")) return parseCourse(fields["course"], site);
  if (Object.hasOwn(fields, "endpoint")) return parseReference(fields, site);
  if (Object.hasOwn(fields, "beginning")) {
    const describe = (): string => "one whose first answer had not come";
    throw new ContractError("token.operation", "one that had begun", undefined, { describe });
  }
  throw refusal("token.operation", "an object with an endpoint, a course or a state", value);
}

function parseReference(operation: Fields, site: ResumeSite): OperationReference {
  const path = "token.operation";
  const names = ["endpoint", "projectName", "operationId", "apiVersion"];
  const fields = parseFields(operation, path, names);
  checkEndpoint(fields["endpoint"], site.endpoint);
  checkVersion(fields["apiVersion"], site.apiVersion);
  const { projectName, operationId } = fields;
  if (!isProjectName(projectName)) throw refusal(`${path}.projectName`, projectNameForm, projectName);
  if (!isOperationId(operationId)) throw refusal(`${path}.operationId`, operationIdForm, operationId);
  return { projectName, operationId };
}

/** The path counts too: behind one gateway there may be many services. */
function checkEndpoint(value: unknown, endpoint: URL): void {
  const path = "token.operation.endpoint";
  if (typeof value !== "string" || !URL.canParse(value)) throw refusal(path, "a URL", value);
  checkSameOrigin(path, new URL(value), endpoint);
  if (new URL(value).href !== endpoint.href) {
    throw new RangeError(`${path}: expected the client's endpoint ${endpoint.href}, got another URL there`);
  }
}

function checkVersion(value: unknown, apiVersion: string): void {
  const path = "token.operation.apiVersion";
  if (typeof value !== "string") throw refusal(path, "a string", value);
  if (value === apiVersion) return;
  const got = /^\d{4}-\d\d-\d\d(-preview)?$/.test(value) ? value : "another";
  throw new RangeError(`${path}: expected the client's ${apiVersion}, got ${got}`);
}

function parseCourse(value: unknown, site: ResumeSite): Course {
  const path = "token.operation.course";
  const fields = parseFields(value, path, ["kind", "monitorUrl", "resultUrl"]);
  return {
    kind: parseKind(fields["kind"], `${path}.kind`, ownKinds),
    monitorUrl: parseOwnUrl(`${path}.monitorUrl`, fields["monitorUrl"], site),
    resultUrl: parseOptionalUrl(`${path}.resultUrl`, fields["resultUrl"], site),
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
function parseCoreLroState(value: unknown, site: ResumeSite, path: string): Course {
  const config = parseObject(parseObject(value, path)["config"], `${path}.config`);
  const metadata = parseObject(config["metadata"], `${path}.config.metadata`);
  const monitorUrl = parseOwnUrl(`${path}.config.operationLocation`, config["operationLocation"], site);
  const resultUrl = parseOptionalUrl(`${path}.config.resourceLocation`, config["resourceLocation"], site);
  return {
    kind: parseKind(metadata["mode"], `${path}.config.metadata.mode`, coreLroKinds),
    monitorUrl,
    // DevCenter sends the monitor itself as Location: there is no resource to be had there.
    resultUrl: resultUrl !== undefined && isSameResource(resultUrl, monitorUrl) ? undefined : resultUrl,
  };
}

function parseKind(value: unknown, path: string, kinds: ReadonlyMap<string, MonitorKind>): MonitorKind {
  const kind = typeof value === "string" ? kinds.get(value) : undefined;
  if (kind === undefined) throw refusal(path, [...kinds.keys()].join(", "), value);
  return kind;
}

function parseOptionalUrl(path: string, url: unknown, site: ResumeSite): string | undefined {
  return url === undefined || url === null ? undefined : parseOwnUrl(path, url, site);
}

function parseOwnUrl(path: string, url: unknown, { endpoint, allowedOrigins }: ResumeSite): string {
  if (typeof url !== "string" || !URL.canParse(url, endpoint)) throw refusal(path, "a URL", url);
  return parseUrl(path, url, endpoint, allowedOrigins);
}
