import { createHash } from "node:crypto";
import {
  checkApiVersion,
  checkOperationId,
  checkProjectName,
  defaultApiVersion,
  parseEndpoint,
} from "../azure/http/validation.ts";
import { initialState } from "../state/state-machine.ts";
import type { Operation } from "../operation/operation.ts";
import { isObject, parseObject } from "../operation/json-fields.ts";
import type { Fields } from "../operation/json-fields.ts";
import type { Poller } from "../poller/poller.ts";
import { parseToken, parseTokenText, tokenOf } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { partFields } from "./known-fields.ts";
import { monitorUrlOf } from "./operation-url.ts";
import { tokenShape } from "./step-state.ts";

/** An operation of DevCenter by its names: a process that names it needs no client and no credential. */
export interface OperationReference {
  /** The URI of the DevCenter. */
  readonly endpoint: string;
  /** 3 to 63 characters, as in the contract. */
  readonly projectName: string;
  /** 36 characters in the form of a UUID. */
  readonly operationId: string;
  /** Default `2025-02-01`. */
  readonly apiVersion?: string;
}

/** An operation to wait for: that of a client, its names, a poller, a resume token, or the URL to poll. */
export type OperationSource<P = unknown> =
  | Operation<P>
  | Poller<P>
  | OperationReference
  | ResumeToken
  | string;

/** Returns a function that makes the resume token of a wait: of one that continues, or of one that starts then. */
export function tokenFor(
  source: OperationSource,
  fieldsOf: (token: Fields) => Fields = (token) => token,
): (now: number) => ResumeToken {
  if (isOperation(source) || isReference(source)) {
    const operation = isOperation(source) ? source.toJSON() : parseReference(source);
    checkIsStored(operation);
    return (now) => freshToken(operation, now);
  }
  if (isUrl(source)) {
    const operation = { pollingLocation: { kind: "auto", monitorUrl: new URL(source).href } };
    return (now) => freshToken(operation, now);
  }
  const token = parseToken(fieldsOf(parseObject(parseTokenText(source), "token")));
  return () => token;
}

function isUrl(source: unknown): source is string {
  return typeof source === "string" && /^https?:/i.test(source) && URL.canParse(source);
}

/** @throws TypeError if another process could not know what to wait for */
function checkIsStored(operation: { readonly pollingLocation?: unknown }): void {
  const { pollingLocation } = operation;
  if (isObject(pollingLocation) && pollingLocation["kind"] === "condition")
    throw new TypeError("operation: expected one without until, because its state cannot hold a function");
}

function freshToken(operation: object, now: number): ResumeToken {
  const identity = { toJSON: () => operation };
  return tokenOf(identity, initialState, { elapsedInMs: 0, deadlineInMs: undefined }, now);
}

/** Returns whether a value has the methods of an operation. */
export function isOperation(source: unknown): source is Operation {
  return (
    isObject(source) && typeof source["getStatus"] === "function" && typeof source["toJSON"] === "function"
  );
}

function isReference(source: unknown): source is OperationReference {
  return isObject(source) && !("version" in source || "toJSON" in source);
}

function parseReference(reference: OperationReference): object {
  const { endpoint, projectName, operationId, apiVersion = defaultApiVersion } = reference;
  return {
    endpoint: parseEndpoint(endpoint, false).href,
    projectName: checkProjectName(projectName),
    operationId: checkOperationId(operationId),
    apiVersion: checkApiVersion(apiVersion),
  };
}

/** Hex digits of a hash: 128 bits, so that no two of a million operations share an id. */
const idLength = 32;

/**
 * Returns the key of an operation: 32 hex digits, the same in every process and after every response. It is the id of a
 * workflow or a job, so that each operation has only one.
 *
 * @throws TypeError, RangeError or `ContractError` that names the argument that is wrong
 */
export function operationKey(source: OperationSource): string {
  return keyOf(tokenFor(source, withoutNewerFields)(0));
}

/** The token of a state may have a newer version's fields, which say nothing of the operation that it names. */
function withoutNewerFields(token: Fields): Fields {
  return partFields(token, tokenShape(false)).known;
}

/** Returns the key of the operation that a token names. */
export function keyOf(token: ResumeToken): string {
  return createHash("sha256")
    .update(canonical(identityOf(token)))
    .digest("hex")
    .slice(0, idLength);
}

/** The URL to poll is the operation: what else is known of it changes with the first response. */
function identityOf(token: ResumeToken): object {
  const url = monitorUrlOf(token);
  return url ? { monitorUrl: withoutSpelling(url) } : token.operation;
}

/** Azure signs a URL anew with each response (`t`, `c`, `s`, `h`), and compares paths without case. */
const changingParameters = ["api-version", "t", "c", "s", "h"];

/** Returns the origin that the operation of a token is polled at. Empty for transports of the user's own. */
export function originOf(token: ResumeToken): string {
  const { endpoint }: { readonly endpoint?: unknown } = token.operation;
  const url = monitorUrlOf(token) ?? (typeof endpoint === "string" ? URL.parse(endpoint) : null);
  return url?.origin ?? "";
}

function withoutSpelling({ origin, pathname, searchParams }: URL): string {
  const parameters = [...searchParams].filter(([name]) => !changingParameters.includes(name.toLowerCase()));
  return `${origin}${pathname.toLowerCase()}?${new URLSearchParams(parameters).toString()}`;
}

/** Returns JSON in one form for each operation: the order of fields and the case of an id do not count. */
function canonical(value: object): string {
  return JSON.stringify(value, (name, part: unknown) => {
    if (name === "operationId" && typeof part === "string") return part.toLowerCase();
    return isObject(part) ? Object.fromEntries(Object.entries(part).toSorted(byName)) : part;
  });
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
