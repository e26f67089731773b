import { ContractError } from "../../operation/errors.ts";
import { operationIdForm } from "../../operation/parse-status.ts";
import { invalidField, parseFields, parseObject } from "../../operation/json-fields.ts";
import type { Fields } from "../../operation/json-fields.ts";
import { parseToken, parseTokenText } from "../../state/resume-token.ts";
import type { ResumeToken } from "../../state/resume-token.ts";
import {
  checkSameOrigin,
  isOperationId,
  isProjectName,
  parseUrl,
  projectNameForm,
} from "../http/validation.ts";
import type { OperationReference } from "../http/validation.ts";
import { isSameResource } from "./protocol.ts";
import type { PollingKind, PollingLocation } from "./protocol.ts";

/** A token, and what it says of where the operation is: by DevCenter's names, or by the course it was on. */
export interface ParsedToken {
  readonly token: ResumeToken;
  readonly operation: OperationReference | PollingLocation;
}

/** What a token has to fit. */
export interface ResumeTarget {
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
export function parseTokenFor(token: unknown, site: ResumeTarget, now: number): ParsedToken {
  const fields = parseObject(parseTokenText(token), "token");
  if (Object.hasOwn(fields, "state")) {
    const fresh = { startedAt: now, savedAt: now, pollCount: 0, failedPollCount: 0 };
    return {
      token: { version: 1, operation: {}, ...fresh },
      operation: parseCoreLroState(fields["state"], site, "token.state"),
    };
  }
  const parsed = parseToken(fields);
  return { token: parsed, operation: parseOperation(parsed.operation, site) };
}

function parseOperation(value: unknown, site: ResumeTarget): OperationReference | PollingLocation {
  const fields = parseObject(value, "token.operation");
  if (Object.hasOwn(fields, "state"))
    return parseCoreLroState(fields["state"], site, "token.operation.state");
  if (Object.hasOwn(fields, "pollingLocation")) return parsePollingLocation(fields["pollingLocation"], site);
  if (Object.hasOwn(fields, "endpoint")) return parseReference(fields, site);
  if (Object.hasOwn(fields, "initialRequest")) {
    const describe = (): string => "one whose initial request had no response";
    throw new ContractError("token.operation", "one that had started", undefined, { describe });
  }
  throw invalidField("token.operation", "an object with an endpoint, a pollingLocation or a state", value);
}

function parseReference(operation: Fields, site: ResumeTarget): OperationReference {
  const path = "token.operation";
  const names = ["endpoint", "projectName", "operationId", "apiVersion"];
  const fields = parseFields(operation, path, names);
  checkEndpoint(fields["endpoint"], site.endpoint);
  checkVersion(fields["apiVersion"], site.apiVersion);
  const { projectName, operationId } = fields;
  if (!isProjectName(projectName)) throw invalidField(`${path}.projectName`, projectNameForm, projectName);
  if (!isOperationId(operationId)) throw invalidField(`${path}.operationId`, operationIdForm, operationId);
  return { projectName, operationId };
}

/** The path counts too: behind one gateway there may be many services. */
function checkEndpoint(value: unknown, endpoint: URL): void {
  const path = "token.operation.endpoint";
  if (typeof value !== "string" || !URL.canParse(value)) throw invalidField(path, "a URL", value);
  checkSameOrigin(path, new URL(value), endpoint);
  if (new URL(value).href !== endpoint.href) {
    throw new RangeError(`${path}: expected the client's endpoint ${endpoint.href}, got another URL there`);
  }
}

function checkVersion(value: unknown, apiVersion: string): void {
  const path = "token.operation.apiVersion";
  if (typeof value !== "string") throw invalidField(path, "a string", value);
  if (value === apiVersion) return;
  const got = /^\d{4}-\d\d-\d\d(-preview)?$/.test(value) ? value : "another";
  throw new RangeError(`${path}: expected the client's ${apiVersion}, got ${got}`);
}

function parsePollingLocation(value: unknown, site: ResumeTarget): PollingLocation {
  const path = "token.operation.pollingLocation";
  const fields = parseFields(value, path, ["kind", "monitorUrl", "resultUrl"]);
  return {
    kind: parseKind(fields["kind"], `${path}.kind`, ownKinds),
    monitorUrl: parseOwnUrl(`${path}.monitorUrl`, fields["monitorUrl"], site),
    resultUrl: parseOptionalUrl(`${path}.resultUrl`, fields["resultUrl"], site),
  };
}

const ownKinds: ReadonlyMap<string, PollingKind> = new Map([
  ["statusMonitor", "statusMonitor"],
  ["location", "location"],
  ["resource", "resource"],
]);

const coreLroKinds: ReadonlyMap<string, PollingKind> = new Map([
  ["OperationLocation", "statusMonitor"],
  ["ResourceLocation", "location"],
  ["Body", "resource"],
]);

/** The result that a state may hold is not taken from it: the service is asked again. */
function parseCoreLroState(value: unknown, site: ResumeTarget, path: string): PollingLocation {
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

function parseKind(value: unknown, path: string, kinds: ReadonlyMap<string, PollingKind>): PollingKind {
  const kind = typeof value === "string" ? kinds.get(value) : undefined;
  if (kind === undefined) throw invalidField(path, [...kinds.keys()].join(", "), value);
  return kind;
}

function parseOptionalUrl(path: string, url: unknown, site: ResumeTarget): string | undefined {
  return url === undefined || url === null ? undefined : parseOwnUrl(path, url, site);
}

function parseOwnUrl(path: string, url: unknown, { endpoint, allowedOrigins }: ResumeTarget): string {
  if (typeof url !== "string" || !URL.canParse(url, endpoint)) throw invalidField(path, "a URL", url);
  return parseUrl(path, url, endpoint, allowedOrigins);
}
