import { ContractError } from "../../operation/errors.ts";
import { operationIdForm, operationIdPattern } from "../../operation/parse-status.ts";
import { invalidField, isObject, parseFields, parseObject } from "../../operation/json-fields.ts";
import type { Fields } from "../../operation/json-fields.ts";
import { parseToken, parseTokenText } from "../../state/resume-token.ts";
import type { ResumeToken } from "../../state/resume-token.ts";
import {
  allowedOriginsAdvice,
  checkSameOrigin,
  nameForm,
  namePattern,
  parseUrl,
} from "../http/validation.ts";
import type { OperationReference } from "../http/validation.ts";
import { checkCancelRequest } from "./cancel-request.ts";
import type { CancelRequest } from "./cancel-request.ts";
import { isSameResource, pollingKinds } from "./protocol.ts";
import type { PollingLocation } from "./protocol.ts";

const referenceNames = ["endpoint", "projectName", "operationId", "apiVersion"];

/** The fields by which a token names an operation of one of this library's clients. */
export const operationNames: readonly string[] = [
  ...referenceNames,
  "pollingLocation",
  "initialRequest",
  "deployment",
];

/** The fields of a token's polling location. */
export const pollingLocationNames: readonly string[] = [
  "kind",
  "monitorUrl",
  "resultUrl",
  "isResultUrlGiven",
  "deletion",
  "cancel",
];

/** A parsed token, and where its operation is: the names of a DevCenter operation, or a URL to poll. */
interface ParsedToken {
  readonly token: ResumeToken;
  readonly operation: VersionedReference | PollingLocation;
}

interface VersionedReference extends OperationReference {
  readonly apiVersion: string;
}

/** The client that a token must belong to. */
interface ResumeTarget {
  readonly endpoint: URL;
  /** The only api-version of DevCenter's operations. Default: any. */
  readonly apiVersion?: string | undefined;
  /** Whether requests may go to a URL besides the endpoint's origin. */
  readonly isAllowed: (url: URL) => boolean;
}

/**
 * Parses a resume token of this library, or the state that `@azure/core-lro` serialized. Checks that all its URLs are
 * at an allowed origin.
 *
 * @param now - milliseconds since 1970
 * @throws {@link ContractError} that names what is wrong with it, RangeError if it belongs to another client
 */
export function parseTokenFor(token: unknown, target: ResumeTarget, now: number): ParsedToken {
  const fields = parseObject(parseTokenText(token), "token");
  if (Object.hasOwn(fields, "state") && !Object.hasOwn(fields, "version")) {
    const fresh = { startedAt: now, savedAt: now, pollCount: 0, failedPollCount: 0 };
    return {
      token: { version: 1, operation: {}, ...fresh },
      operation: parseCoreLroState(fields["state"], target, "token.state"),
    };
  }
  checkResumable(fields);
  const parsed = parseToken(fields);
  const { state, operation } = parsed;
  return {
    token: parsed,
    operation:
      state === undefined
        ? parseOperation(operation, target)
        : parseCoreLroState(state, target, "token.state"),
  };
}

/** @throws {@link ContractError} if it is the token of an SDK's poller that has a form of its own */
function checkResumable({ operation, state }: Fields): void {
  const isOfSdk = isObject(operation) && Object.keys(operation).length === 0;
  if (!isOfSdk || (isObject(state) && Object.hasOwn(state, "config"))) return;
  const describe = (): string => "that of an SDK's poller: pass it to the SDK's restoreFrom or resumeFrom";
  throw new ContractError("token", "one with a URL to poll", operation, { describe });
}

function parseOperation(value: unknown, target: ResumeTarget): VersionedReference | PollingLocation {
  const fields = parseObject(value, "token.operation");
  if (Object.hasOwn(fields, "pollingLocation"))
    return parsePollingLocation(fields["pollingLocation"], target);
  if (Object.hasOwn(fields, "endpoint")) return parseReference(fields, target);
  if (Object.hasOwn(fields, "initialRequest")) {
    const describe = (): string => "one whose initial request had no response";
    throw new ContractError("token.operation", "one that had started", undefined, { describe });
  }
  throw invalidField("token.operation", "an operation of this library's clients, or a core-lro state", value);
}

function parseReference(operation: Fields, target: ResumeTarget): VersionedReference {
  const path = "token.operation";
  const fields = parseFields(operation, path, referenceNames);
  checkEndpoint(fields["endpoint"], target.endpoint);
  const { projectName, operationId } = fields;
  return {
    apiVersion: parseVersion(fields["apiVersion"], target.apiVersion),
    projectName: parsePattern(projectName, `${path}.projectName`, namePattern, nameForm),
    operationId: parsePattern(operationId, `${path}.operationId`, operationIdPattern, operationIdForm),
  };
}

function parsePattern(value: unknown, path: string, pattern: RegExp, expected: string): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw invalidField(path, expected, value);
}

/** Compares the path too: behind one gateway there may be many services. */
function checkEndpoint(value: unknown, endpoint: URL): void {
  const path = "token.operation.endpoint";
  if (typeof value !== "string" || !URL.canParse(value)) throw invalidField(path, "a URL", value);
  checkSameOrigin(path, new URL(value), endpoint);
  if (new URL(value).href !== endpoint.href) {
    throw new RangeError(`${path}: expected the client's endpoint ${endpoint.href}, got another URL there`);
  }
}

function parseVersion(value: unknown, apiVersion: string | undefined): string {
  const path = "token.operation.apiVersion";
  if (typeof value !== "string") throw invalidField(path, "a string", value);
  if (apiVersion === undefined || value === apiVersion) return value;
  const got = /^\d{4}-\d\d-\d\d(-preview)?$/.test(value) ? value : "another";
  throw new RangeError(`${path}: expected the client's ${apiVersion}, got ${got}`);
}

function parsePollingLocation(value: unknown, target: ResumeTarget): PollingLocation {
  const path = "token.operation.pollingLocation";
  const fields = parseFields(value, path, pollingLocationNames);
  const { deletion } = fields;
  if (deletion !== undefined && deletion !== "requested" && deletion !== "observed")
    throw invalidField(`${path}.deletion`, "requested or observed", deletion);
  return {
    kind: parseKind(fields["kind"], `${path}.kind`, ownKinds),
    monitorUrl: parseOwnUrl(`${path}.monitorUrl`, fields["monitorUrl"], target),
    resultUrl: parseOptionalUrl(`${path}.resultUrl`, fields["resultUrl"], target),
    isResultUrlGiven: fields["isResultUrlGiven"] === true ? true : undefined,
    deletion,
    cancel: fields["cancel"] === undefined ? undefined : parseCancel(fields["cancel"], target),
  };
}

function parseCancel(value: unknown, target: ResumeTarget): CancelRequest {
  const path = "token.operation.pollingLocation.cancel";
  const fields = parseFields(value, path, ["method", "url", "body"]);
  return checkCancelRequest(path, fields, (name, url) => parseOwnUrl(name, url, target));
}

const ownKinds: ReadonlyMap<string, PollingLocation["kind"]> = new Map(
  ([...pollingKinds, "auto", "condition"] as const).map((kind) => [kind, kind]),
);

/** The kinds of a polling location by core-lro's names. */
export const coreLroKinds: ReadonlyMap<string, PollingLocation["kind"]> = new Map([
  ["OperationLocation", "statusMonitor"],
  ["ResourceLocation", "location"],
  ["Body", "resource"],
]);

/** Ignores the result that a state may hold: the poller requests it again. */
function parseCoreLroState(value: unknown, target: ResumeTarget, path: string): PollingLocation {
  const config = parseObject(parseObject(value, path)["config"], `${path}.config`);
  const metadata = parseObject(config["metadata"], `${path}.config.metadata`);
  const monitorUrl = parseOwnUrl(`${path}.config.operationLocation`, config["operationLocation"], target);
  const resultUrl = parseOptionalUrl(`${path}.config.resourceLocation`, config["resourceLocation"], target);
  return {
    kind: parseKind(metadata["mode"], `${path}.config.metadata.mode`, coreLroKinds),
    monitorUrl,
    // DevCenter sends the status monitor itself as Location: there is no resource at it.
    resultUrl: resultUrl !== undefined && isSameResource(resultUrl, monitorUrl) ? undefined : resultUrl,
    deletion: config["requestMethod"] === "DELETE" ? "requested" : undefined,
  };
}

function parseKind<T>(value: unknown, path: string, kinds: ReadonlyMap<string, T>): T {
  const kind = typeof value === "string" ? kinds.get(value) : undefined;
  if (kind === undefined) throw invalidField(path, [...kinds.keys()].join(", "), value);
  return kind;
}

function parseOptionalUrl(path: string, url: unknown, target: ResumeTarget): string | undefined {
  return url === undefined || url === null ? undefined : parseOwnUrl(path, url, target);
}

function parseOwnUrl(path: string, url: unknown, { endpoint, isAllowed }: ResumeTarget): string {
  if (typeof url !== "string" || !URL.canParse(url, endpoint)) throw invalidField(path, "a URL", url);
  return parseUrl(path, url, endpoint, isAllowed, allowedOriginsAdvice);
}
