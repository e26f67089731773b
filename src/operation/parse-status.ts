import { isObject, parseObject, parseString } from "./json-fields.ts";
import type { Fields } from "./json-fields.ts";
import { toDate, toPercentage } from "./lenient-fields.ts";
import { findError, parseOperationError } from "./parse-error.ts";
import { operationStateOf } from "./state-words.ts";
import { keyOfWord } from "./status.ts";
import { ContractError } from "./errors.ts";
import type {
  OperationPart,
  OperationState,
  OperationStatus,
  StatusFields,
  TerminalStates,
} from "./status.ts";

/** The pattern of an operation's id in DevCenter's contract. */
export const operationIdPattern: RegExp = /^[a-zA-Z0-9]{8}-([a-zA-Z0-9]{4}-){3}[a-zA-Z0-9]{12}$/;

/** The same, in words. */
export const operationIdForm = "36 characters in the form of a UUID";

/** Options of {@link parseOperationStatus}. */
export interface ParseStatusOptions {
  /** Words that end an operation, beside those that services are known to end by. */
  readonly terminalStates?: TerminalStates | undefined;
}

/**
 * Parses the body of a status response. `null` in an optional field counts as missing. An odd `status`
 * throws. Other odd fields are converted (`"40 %"`, dates without a zone), or left out and kept in `invalidFields`.
 *
 * @param body - the decoded JSON
 * @param operationId - if given, the response must be about this operation (compared without case), and stands in for
 * an `id` or `name` that is missing or odd
 * @throws {@link ContractError} that says which field, what was expected and what came
 */
export function parseOperationStatus<P = unknown>(
  body: unknown,
  operationId?: string,
  { terminalStates }: ParseStatusOptions = {},
): OperationStatus<P> {
  const fields = parseObject(body, "$");
  const word = parseWord(fields["status"], "$.status");
  const status = statusFieldsOf<P>(fields, word, operationStateOf(word, terminalStates), "percent");
  return Object.assign(status, parseIdentity(fields, operationId));
}

function parseIdentity(
  fields: Fields,
  operationId: string | undefined,
): Pick<OperationStatus, "id" | "name"> {
  const { id, name } = fields;
  if (operationId === undefined) {
    const ownName = parseString(name, "$.name");
    if (!operationIdPattern.test(ownName)) throw new ContractError("$.name", operationIdForm, ownName);
    return { id: parseString(id, "$.id"), name: ownName };
  }
  checkSameOperation(name, "$.name", operationId);
  if (typeof id === "string" && !id.endsWith(`/${operationId}`))
    checkSameOperation(lastPathSegment(id), "$.id", operationId);
  return {
    id: typeof id === "string" ? id : operationId,
    // One string for both: of a hundred thousand operations each copy counts.
    name: name !== operationId && isOperationId(name) ? name : operationId,
  };
}

function isOperationId(value: unknown): value is string {
  return typeof value === "string" && operationIdPattern.test(value);
}

/** The scale of a percentage: `percent` where the contract says so, else one of 0 to 1 is recognized. */
type PercentageScale = "percent" | "any";

/** The names of the percentage in the services' statuses. */
export const percentageFields: readonly string[] = [
  "percentComplete",
  "percentCompleted",
  "percentageComplete",
  "percentageCompleted",
  "processingProgress",
];

/**
 * Makes the fields that every Azure status monitor has in common; the caller fills in `id` and `name`.
 *
 * @param word - the service's own word for the state
 */
export function statusFieldsOf<P>(
  fields: Fields,
  word: string,
  status: OperationState,
  scale: PercentageScale = "any",
): StatusFields<P> {
  const isUnsuccessful = status === "Failed" || status === "Canceled";
  const parsed: Record<string, unknown> = { ...fields, status };
  let invalidFields: Record<string, unknown> | undefined;
  const set = (name: string, value: unknown, received?: unknown): void => {
    // A field that is missing takes no place: of a hundred thousand statuses, each has a dozen.
    if (value !== undefined || parsed[name] !== undefined) parsed[name] = value;
    if (value === undefined && isPresent(received)) invalidFields = { ...invalidFields, [name]: received };
  };
  const { startTime, endTime, resourceId, parts, error } = fields;
  const percentage = percentageOf(fields);
  set("startTime", toDate(startTime), startTime);
  set("endTime", toDate(endTime), endTime);
  set("percentComplete", scaled(toPercentage(percentage), status, scale), percentage);
  set("resourceId", toText(resourceId), resourceId);
  set("parts", toParts(parts), parts);
  set("error", isUnsuccessful ? findError(fields) : parseOperationError(error));
  // A status that went through JSON has both already.
  set("serviceStatus", isOtherWord(word, status) ? word : toText(fields["serviceStatus"]));
  set(
    "invalidFields",
    invalidFields ?? (isObject(fields["invalidFields"]) ? fields["invalidFields"] : undefined),
  );
  // Each field was set above, and only the caller knows what P is: the service's contract says "anything".
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return parsed as StatusFields<P>;
}

/** More levels than these are none of deployments. */
const maxPartLevels = 32;

/** Returns the parts of a status that went through JSON; `undefined` for a service's field of that name. */
function toParts(value: unknown, level = 0): readonly OperationPart[] | undefined {
  if (!Array.isArray(value) || level === maxPartLevels || !value.every(isPart)) return undefined;
  return value.map((part) => ({
    ...part,
    startTime: toDate(part["startTime"]),
    error: parseOperationError(part["error"]),
    parts: toParts(part["parts"], level + 1) ?? [],
  }));
}

function isPart(value: unknown): value is Pick<OperationPart, "name" | "type" | "status"> & Fields {
  return isObject(value) && ["name", "type", "status"].every((name) => typeof value[name] === "string");
}

function isOtherWord(word: string, status: OperationState): boolean {
  return word !== status && keyOfWord(word) !== keyOfWord(status);
}

function toText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Machine Learning sends 1.0 at the end; a service that sends 1 on its way means 1 %. */
function scaled(
  value: number | undefined,
  status: OperationState,
  scale: PercentageScale,
): number | undefined {
  if (value === undefined || scale === "percent") return value;
  const isFraction = (value > 0 && value < 1) || (value === 1 && status === "Succeeded");
  return isFraction ? value * 100 : value;
}

function percentageOf(fields: Fields): unknown {
  const { properties } = fields;
  return (
    firstPresent(fields, percentageFields) ??
    (isObject(properties) ? firstPresent(properties, percentageFields) : undefined)
  );
}

function firstPresent(fields: Fields, names: readonly string[]): unknown {
  for (const name of names) if (isPresent(fields[name])) return fields[name];
  return undefined;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/**
 * Parses the word of a state.
 *
 * @throws {@link ContractError} when it is missing, empty or no string
 */
export function parseWord(value: unknown, path: string): string {
  const word = parseString(value, path);
  if (word.trim() === "") throw new ContractError(path, "a state", word);
  return word;
}

/** An odd id is ignored. That of another operation means that this response is not ours. */
function checkSameOperation(got: unknown, path: string, operationId: string): void {
  if (got === operationId || !isOperationId(got)) return;
  if (got.toLowerCase() !== operationId.toLowerCase()) {
    throw new ContractError(path, `the operation ${operationId}`, got);
  }
}

function lastPathSegment(id: string): string {
  const pathLength = id.search(/[?#]/);
  const path = pathLength < 0 ? id : id.slice(0, pathLength);
  return path.slice(path.lastIndexOf("/") + 1);
}
