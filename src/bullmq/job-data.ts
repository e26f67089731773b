import { RequestError } from "../operation/errors.ts";
import type { RequestErrorKind, ResponseCounts } from "../operation/errors.ts";
import type { PollState } from "../state/state-machine.ts";
import { resolveOptions, terminalStateLists } from "../poller/options.ts";
import {
  invalidField,
  parseArray,
  parseCount,
  parseFields,
  parseNumber,
  parseObject,
  parseOptionalNumber,
  parseString,
} from "../operation/json-fields.ts";
import { parseOperationError } from "../operation/parse-error.ts";
import type { TerminalStates } from "../operation/status.ts";
import type { AdaptiveScheduleOptions } from "../schedule/adaptive.ts";
import type { ResumeToken } from "../state/resume-token.ts";

/** The options of a wait that a job keeps, as JSON, so that any worker can apply them. Durations are in milliseconds. */
export interface QueuedWaitOptions extends AdaptiveScheduleOptions {
  /** The maximum time without a change of the state or the percentage; then `PollingTimeoutError`, code `Stalled`. Default: none. */
  readonly stallTimeoutInMs?: number;
  /** The time limit of one poll, its response body included. Default 30 000. */
  readonly requestTimeoutInMs?: number;
  /** How long to keep retrying while every poll fails. Default 300 000. */
  readonly outageToleranceInMs?: number;
  /** How long a 404 is retried: since the start of the wait, or since the first 404 of an operation seen before. Default 30 000. */
  readonly notFoundGraceInMs?: number;
  /** The maximum backoff after failed polls, unless the service asks for more. Default 30 000. */
  readonly maxRetryDelayInMs?: number;
  /** Words of the service that end the operation, beyond the known ones. */
  readonly terminalStates?: TerminalStates | undefined;
}

/** An outage that lasts while a job waits for its next poll: a resume token has no field for it. */
export interface OutageRecord {
  readonly consecutiveFailures: number;
  /** The start, moved by the time in which no poll could be made, that of the last Retry-After included. */
  readonly sinceInMs: number;
  /** From when on the grace of a 404 counts. */
  readonly notFoundSinceInMs?: number | undefined;
  readonly failure: FailureRecord;
  /** Whether the status can be read, and is "succeeded", while the requests for the result fail. */
  readonly isOfResult: boolean;
}

/** A {@link RequestError} as JSON. */
interface FailureRecord {
  readonly message: string;
  readonly kind: string;
  readonly code: string;
  readonly statusCode?: number | undefined;
  readonly requestId?: string | undefined;
  readonly error?: unknown;
}

/** The data of a job between two polls. The client of the operation checks `token`. */
export interface JobData {
  readonly version: 1;
  readonly token: ResumeToken;
  readonly options: QueuedWaitOptions;
  readonly responseCounts: ResponseCounts;
  /** When a response last changed the status or the percentage, in milliseconds since the start of the wait. */
  readonly changedAtInMs?: number | undefined;
  /** When the next poll is due, in milliseconds since the start of the wait; by default when the token was written. */
  readonly dueAtInMs?: number | undefined;
  readonly outage?: OutageRecord | undefined;
}

/** A {@link JobData} whose token is not checked yet. */
type ParsedJobData = Omit<JobData, "token"> & { readonly token: object };

const dataNames = ["version", "token", "options", "responseCounts", "changedAtInMs", "dueAtInMs", "outage"];

/**
 * Parses a job's data. Anyone with write access to Redis may have written it.
 *
 * @throws {@link ContractError} or RangeError that names the field
 */
export function parseJobData(value: unknown): ParsedJobData {
  const fields = parseFields(value, "job.data", dataNames);
  if (fields["version"] !== 1) throw invalidField("job.data.version", "1", fields["version"]);
  const options = parseWaitOptions(fields["options"]);
  resolveOptions(options);
  return {
    version: 1,
    token: parseObject(fields["token"], "job.data.token"),
    options,
    responseCounts: parseResponseCounts(fields["responseCounts"], "job.data.responseCounts"),
    changedAtInMs: parseOptionalNumber(fields["changedAtInMs"], "job.data.changedAtInMs"),
    dueAtInMs: parseOptionalNumber(fields["dueAtInMs"], "job.data.dueAtInMs"),
    outage: fields["outage"] === undefined ? undefined : parseOutage(fields["outage"]),
  };
}

const durationNames = [
  "stallTimeoutInMs",
  "requestTimeoutInMs",
  "outageToleranceInMs",
  "notFoundGraceInMs",
  "maxRetryDelayInMs",
  "pollCostInMs",
  "minDelayInMs",
  "maxDelayInMs",
] as const;

const optionNames = [...durationNames, "pastDurationsInMs", "terminalStates"] as const;

/** More past durations would not improve a schedule, and each takes space in Redis. */
const maxPastDurations = 100;

/** Parses the options that a job keeps, and allows no others. `null` is how JSON writes Infinity. */
function parseWaitOptions(value: unknown): QueuedWaitOptions {
  const path = "job.data.options";
  const fields = parseFields(value, path, optionNames);
  const durations = durationNames
    .filter((name) => fields[name] !== undefined)
    .map((name) => [name, fields[name] === null ? Infinity : parseNumber(fields[name], `${path}.${name}`)]);
  const options: QueuedWaitOptions = Object.fromEntries(durations);
  const { pastDurationsInMs: past, terminalStates: words } = fields;
  return {
    ...options,
    ...(past !== undefined && { pastDurationsInMs: parsePastDurations(past, `${path}.pastDurationsInMs`) }),
    ...(words !== undefined && { terminalStates: parseTerminalStates(words, `${path}.terminalStates`) }),
  };
}

function parseTerminalStates(value: unknown, path: string): TerminalStates {
  const lists = Object.entries(parseFields(value, path, terminalStateLists));
  return Object.fromEntries(
    lists.map(([name, words]) => [name, parseArray(words, `${path}.${name}`, parseString)]),
  );
}

function parsePastDurations(value: unknown, path: string): readonly number[] {
  if (!Array.isArray(value)) throw invalidField(path, "an array of numbers", value);
  return value.slice(-maxPastDurations).map((past, index) => parseNumber(past, `${path}[${index}]`));
}

/**
 * Returns those of the options that a job keeps.
 *
 * @throws RangeError or TypeError that names the option that is wrong
 */
export function storedOptions(options: QueuedWaitOptions): QueuedWaitOptions {
  resolveOptions(options);
  const given = optionNames
    .filter((name) => options[name] !== undefined)
    .map((name) => [name, options[name]]);
  return parseWaitOptions(JSON.parse(JSON.stringify(Object.fromEntries(given))));
}

/** @throws {@link ContractError} if a count is no whole number from 0 on */
export function parseResponseCounts(value: unknown, path: string): ResponseCounts {
  const entries = Object.entries(parseObject(value, path));
  return Object.fromEntries(entries.map(([response, count]) => [response, parseCount(count, `${path}.…`)]));
}

/** Returns what the next poll has to know of an outage, if there is one. */
export function outageOf(state: PollState): OutageRecord | undefined {
  const { failure, consecutiveFailures, outageSinceInMs, askedInMs = 0, notFoundSinceInMs } = state;
  if (failure === undefined || consecutiveFailures === 0 || outageSinceInMs === undefined) return undefined;
  const sinceInMs = outageSinceInMs + askedInMs;
  const isOfResult = state.isResultPending === true;
  return { consecutiveFailures, sinceInMs, notFoundSinceInMs, failure: failureRecordOf(failure), isOfResult };
}

function parseOutage(value: unknown): OutageRecord {
  const path = "job.data.outage";
  const fields = parseFields(value, path, [
    "consecutiveFailures",
    "sinceInMs",
    "notFoundSinceInMs",
    "failure",
    "isOfResult",
  ]);
  return {
    consecutiveFailures: parseCount(fields["consecutiveFailures"], `${path}.consecutiveFailures`),
    sinceInMs: parseNumber(fields["sinceInMs"], `${path}.sinceInMs`),
    notFoundSinceInMs: parseOptionalNumber(fields["notFoundSinceInMs"], `${path}.notFoundSinceInMs`),
    failure: failureRecordOf(parseFailure(fields["failure"], `${path}.failure`)),
    isOfResult: fields["isOfResult"] === true,
  };
}

/** Describes a failed poll as JSON. Its cause stays in the process of the poll. */
export function failureRecordOf(failure: RequestError): FailureRecord {
  const { message, kind, code, statusCode, requestId, error } = failure;
  return { message, kind, code, statusCode, requestId, error };
}

/** @throws {@link ContractError} if the value is no {@link FailureRecord} */
export function parseFailure(value: unknown, path: string): RequestError {
  const fields = parseFields(value, path, ["message", "kind", "code", "statusCode", "requestId", "error"]);
  const { requestId, error } = fields;
  return new RequestError(parseString(fields["message"], `${path}.message`), {
    kind: parseKind(fields["kind"], `${path}.kind`),
    code: parseString(fields["code"], `${path}.code`),
    statusCode: parseOptionalNumber(fields["statusCode"], `${path}.statusCode`),
    requestId: requestId === undefined ? undefined : parseString(requestId, `${path}.requestId`),
    error: parseOperationError(error),
  });
}

function parseKind(value: unknown, path: string): RequestErrorKind {
  if (value === "transient" || value === "notFound" || value === "permanent") return value;
  throw invalidField(path, "transient, notFound or permanent", value);
}
