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

/** An operation of DevCenter by its names: a process that adds it needs no client and no credential. */
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

/** An operation that a queue takes: that of a client, its names, a poller, or a resume token. */
export type QueueableOperation<P = unknown> =
  | Operation<P>
  | Poller<P>
  | OperationReference
  | ResumeToken
  | string;

/** Returns a function that makes the resume token of a wait: of one that continues, or of one that starts then. */
export function tokenFor(source: QueueableOperation): (now: number) => ResumeToken {
  if (isOperation(source) || isReference(source)) {
    const operation = isOperation(source) ? source.toJSON() : parseReference(source);
    checkIsStored(operation);
    return (now) => freshToken(operation, now);
  }
  const token = parseToken(parseObject(parseTokenText(source), "token"));
  return () => token;
}

/** @throws TypeError if a worker could not know what to wait for */
function checkIsStored(operation: object): void {
  if (pollingLocationOf(operation)["kind"] === "condition")
    throw new TypeError("operation: expected one without until, because a job cannot hold a function");
}

function pollingLocationOf({ pollingLocation }: { readonly pollingLocation?: unknown }): Fields {
  return isObject(pollingLocation) ? pollingLocation : {};
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

/** Returns the id of an operation's job, which is the same in every process. */
export function jobIdOf(token: ResumeToken): string {
  return createHash("sha256")
    .update(canonical(identityOf(token)))
    .digest("hex")
    .slice(0, idLength);
}

/** The URL to poll is the operation: what else is known of it changes with the first response. */
function identityOf({ operation, state = {} }: ResumeToken): object {
  const { config }: { readonly config?: unknown } = state;
  const { operationLocation } = isObject(config) ? config : {};
  const { monitorUrl = operationLocation } = pollingLocationOf(operation);
  return typeof monitorUrl === "string" && URL.canParse(monitorUrl)
    ? { monitorUrl: withoutSpelling(new URL(monitorUrl)) }
    : operation;
}

/** Azure signs a URL anew with each response (`t`, `c`, `s`, `h`), and compares paths without case. */
const changingParameters = ["api-version", "t", "c", "s", "h"];

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
