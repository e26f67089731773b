import { parseArray, parseObject, parseOptional, parseString } from "./json-fields.ts";
import { ContractError } from "./errors.ts";
import type { InnerError, OperationError, OperationState, OperationStatus, StatusFields } from "./status.ts";

const canonicalStates: ReadonlyMap<string, OperationState> = new Map([
  ["notstarted", "NotStarted"],
  ["running", "Running"],
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["canceled", "Canceled"],
  ["cancelled", "Canceled"],
]);

/** The pattern of an operation's id in DevCenter's contract. */
export const operationIdPattern: RegExp = /^[a-zA-Z0-9]{8}-([a-zA-Z0-9]{4}-){3}[a-zA-Z0-9]{12}$/;

/** The same, in words. */
export const operationIdForm = "36 characters in the form of a UUID";

/**
 * Parses the body of a status response. `null` in an optional field counts as missing.
 *
 * @param body - the decoded JSON
 * @param operationId - if given, the response must be about this operation (compared without case)
 * @throws {@link ContractError} that says which field, what was expected and what came
 */
export function parseOperationStatus<P = unknown>(body: unknown, operationId?: string): OperationStatus<P> {
  const fields = parseObject(body, "$");
  const id = parseString(fields["id"], "$.id");
  const name = parseString(fields["name"], "$.name");
  if (!operationIdPattern.test(name)) throw new ContractError("$.name", operationIdForm, name);
  if (operationId !== undefined) {
    checkSameOperation(name, "$.name", operationId);
    checkSameOperation(lastPathSegment(id), "$.id", operationId);
  }
  // One string for both: of a hundred thousand operations each copy counts.
  return Object.assign(parseStatusFields<P>(fields), { id, name: name === operationId ? operationId : name });
}

/**
 * Parses the fields that every Azure status monitor has in common; the caller fills in `id` and `name`.
 *
 * @throws {@link ContractError}
 */
export function parseStatusFields<P>(fields: Readonly<Record<string, unknown>>): StatusFields<P> {
  return {
    ...fields,
    status: parseState(fields["status"], "$.status"),
    startTime: parseOptional(fields["startTime"], "$.startTime", parseDate),
    endTime: parseOptional(fields["endTime"], "$.endTime", parseDate),
    percentComplete: parseOptional(fields["percentComplete"], "$.percentComplete", parsePercent),
    error: parseOptional(fields["error"], "$.error", parseOperationError),
    resourceId: parseOptional(fields["resourceId"], "$.resourceId", parseString),
    // Only the caller knows what P is: the service's contract says "anything".
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    properties: fields["properties"] as P | undefined,
  };
}

/**
 * Parses a state: compared without case, `Cancelled` is `Canceled`, any other word is kept as it came.
 *
 * @throws {@link ContractError} when it is missing, empty or no string
 */
export function parseState(value: unknown, path: string): OperationState {
  const word = parseString(value, path);
  if (word.trim() === "") throw new ContractError(path, "a state", word);
  return canonicalStates.get(word.toLowerCase()) ?? word;
}

// V8 parses a body of any depth, but a recursive parser would run out of stack on it.
const maxErrorDepth = 32;

/**
 * Parses the `error` of a status or of an `ErrorResponse`. A missing code or message becomes empty, so that the rest of
 * the error is not lost.
 *
 * @throws {@link ContractError} when a field has the wrong type, or it nests more than 32 levels deep
 */
export function parseOperationError(value: unknown, path: string, depth = 0): OperationError {
  const fields = parseObject(value, path);
  checkDepth(depth, path);
  const parseDetail = (detail: unknown, at: string): OperationError =>
    parseOperationError(detail, at, depth + 1);
  return {
    code: parseOptional(fields["code"], `${path}.code`, parseString) ?? "",
    message: parseOptional(fields["message"], `${path}.message`, parseString) ?? "",
    target: parseOptional(fields["target"], `${path}.target`, parseString),
    details: parseOptional(fields["details"], `${path}.details`, (list, at) =>
      parseArray(list, at, parseDetail),
    ),
    innererror: parseOptional(fields["innererror"], `${path}.innererror`, parseInnerError),
  };
}

function parseInnerError(value: unknown, path: string, depth = 0): InnerError {
  const fields = parseObject(value, path);
  checkDepth(depth, path);
  return {
    code: parseOptional(fields["code"], `${path}.code`, parseString),
    message: parseOptional(fields["message"], `${path}.message`, parseString),
    innererror: parseOptional(fields["innererror"], `${path}.innererror`, (inner, at) =>
      parseInnerError(inner, at, depth + 1),
    ),
  };
}

function checkDepth(depth: number, path: string): void {
  if (depth >= maxErrorDepth) throw new ContractError(path, `at most ${maxErrorDepth} levels`, "more");
}

function parsePercent(value: unknown, path: string): number {
  if (typeof value !== "number" || !(value >= 0 && value <= 100)) {
    throw new ContractError(path, "a number from 0 to 100", value);
  }
  return value;
}

function checkSameOperation(got: string, path: string, operationId: string): void {
  if (got !== operationId && got.toLowerCase() !== operationId.toLowerCase()) {
    throw new ContractError(path, `the operation ${operationId}`, got);
  }
}

function lastPathSegment(id: string): string {
  const pathLength = id.search(/[?#]/);
  const path = pathLength < 0 ? id : id.slice(0, pathLength);
  return path.slice(path.lastIndexOf("/") + 1);
}

const rfc3339 =
  /^\d{4}-\d{2}-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** In days. */
const minMonthLength = 28;

function parseDate(value: unknown, path: string): Date {
  const text = typeof value === "string" ? value.toUpperCase() : "";
  const [, day, second] = rfc3339.exec(text) ?? [];
  // Date.parse knows no leap second, and rolls 30 February over into March.
  const isLeapSecond = second === "60";
  const date = new Date(isLeapSecond ? text.replace(":60", ":59") : text);
  const isRealDay = Number(day) <= minMonthLength || dayOf(text) === Number(day);
  if (!isRealDay || Number.isNaN(date.getTime()))
    throw new ContractError(path, "an RFC 3339 date-time", value);
  return isLeapSecond ? new Date(date.getTime() + 1000) : date;
}

/** The day of the month that a date is taken for, whatever its time and its zone. */
function dayOf(text: string): number {
  return new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate();
}
