import { fieldOf, toDate } from "../operation/lenient-fields.ts";
import { isObject } from "../operation/json-object.ts";
import type { Fields } from "../operation/json-object.ts";
import { parseOperationError } from "../operation/parse-error.ts";
import { provisioningStateOf } from "../operation/state-words.ts";
import type { OperationError, OperationState } from "../operation/status.ts";
import { toDurationInMs } from "./duration.ts";

/** One row of the list of a deployment's operations. */
export interface Row {
  /** The name of the row in its list. */
  readonly operationId: string;
  /** The action of the engine: `Create`, `Read`, `EvaluateDeploymentOutput`. */
  readonly action: string;
  readonly status: OperationState;
  /** The last change, by the service's clock, in milliseconds since 1970. It ticks while a resource is provisioned. */
  readonly changedAt: number | undefined;
  readonly startedAt: number | undefined;
  readonly durationInMs: number | undefined;
  /** The resource id; `undefined` for a resource outside Azure Resource Manager. */
  readonly id: string | undefined;
  readonly name: string;
  readonly type: string;
  readonly error: OperationError | undefined;
}

/** One page of a list. */
export interface Page {
  readonly rows: readonly Row[];
  readonly nextLink: string | undefined;
}

/** The action that ends a deployment which succeeds. */
export const lastAction = "evaluatedeploymentoutput";

/** Parses a page. It never throws: a row without a state is left out. */
export function parsePage(body: unknown): Page {
  if (!isObject(body)) return { rows: [], nextLink: undefined };
  const value = fieldOf(body, "value");
  const rows = (Array.isArray(value) ? value : []).map(parseRow).filter((row) => row !== undefined);
  return { rows, nextLink: textOf(fieldOf(body, "nextLink")) };
}

function parseRow(value: unknown): Row | undefined {
  if (!isObject(value)) return undefined;
  const properties = objectIn(value, "properties");
  const word = textOf(fieldOf(properties, "provisioningState"));
  if (word === undefined) return undefined;
  const target = objectIn(properties, "targetResource");
  const hasTarget = Object.keys(target).length > 0;
  const action =
    textOf(fieldOf(properties, "provisioningOperation")) ?? (hasTarget ? "Create" : "NotSpecified");
  const id = textOf(fieldOf(target, "id"));
  const changedAt = toDate(fieldOf(properties, "timestamp"))?.getTime();
  const durationInMs = toDurationInMs(fieldOf(properties, "duration"));
  const name =
    textOf(fieldOf(target, "resourceName")) ??
    lastSegment(id) ??
    textOf(fieldOf(target, "symbolicName")) ??
    action;
  const operationId =
    textOf(fieldOf(value, "operationId")) ?? textOf(fieldOf(value, "id")) ?? `${action} ${id ?? name}`;
  const status = provisioningStateOf(word);
  return {
    operationId,
    action,
    status,
    changedAt,
    startedAt: changedAt === undefined || durationInMs === undefined ? undefined : changedAt - durationInMs,
    durationInMs,
    id,
    name,
    type: textOf(fieldOf(target, "resourceType")) ?? typeIn(id) ?? "",
    error: status === "Failed" || status === "Canceled" ? errorOf(properties) : undefined,
  };
}

/** The words of HTTP statuses that say nothing of an error. */
const accepting = /^(OK|Created|Accepted|NoContent)$/i;

/** Adds what Azure's support asks for. A row without an error may have the word of an HTTP status in its place. */
function errorOf(properties: Fields): OperationError | undefined {
  const message = fieldOf(properties, "statusMessage");
  const inner = isObject(message) ? fieldOf(message, "error") : undefined;
  const parsed = parseOperationError(inner ?? message);
  const word = textOf(fieldOf(properties, "statusCode"));
  const statusCode = word !== undefined && accepting.test(word) ? undefined : word;
  if (parsed === undefined && statusCode === undefined) return undefined;
  const ids = {
    trackingId: textOf(fieldOf(properties, "trackingId")),
    serviceRequestId: textOf(fieldOf(properties, "serviceRequestId")),
  };
  const { code = "", message: text = "" } = parsed ?? {};
  const hasCode = code !== "" || parsed?.details !== undefined || parsed?.innererror !== undefined;
  return { ...parsed, ...ids, statusCode, code: hasCode ? code : (statusCode ?? ""), message: text };
}

/** Returns the resource type in a resource id: that of the innermost resource. */
export function typeIn(id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  const start = id.toLowerCase().lastIndexOf("/providers/");
  if (start === -1)
    return /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+$/i.test(id) ? groupType : undefined;
  const [namespace, ...rest] = id.slice(start + "/providers/".length).split("/");
  const types = rest.filter((_, index) => index % 2 === 0);
  return types.length === 0 ? undefined : [namespace, ...types].join("/");
}

const groupType = "Microsoft.Resources/resourceGroups";

/** Returns the last segment of a resource id: the resource's name. */
export function lastSegment(id: string | undefined): string | undefined {
  return id?.split("/").findLast((segment) => segment !== "");
}

function objectIn(fields: Fields, name: string): Fields {
  const value = fieldOf(fields, name);
  return isObject(value) ? value : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Returns whether a resource type is that of a deployment. */
export function isDeploymentType(type: string): boolean {
  return type.toLowerCase() === "microsoft.resources/deployments";
}
