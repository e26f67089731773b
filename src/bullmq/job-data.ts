import { RequestError } from "../operation/errors.ts";
import type { RequestErrorKind, ResponseCounts } from "../operation/errors.ts";
import type { PollState } from "../state/state-machine.ts";
import { resolveOptions } from "../poller/options.ts";
import {
  invalidField,
  parseCount,
  parseFields,
  parseNumber,
  parseObject,
  parseOptionalNumber,
  parseString,
} from "../operation/json-fields.ts";
import { parseOperationError } from "../operation/parse-status.ts";
import type { AdaptiveScheduleOptions } from "../schedule/adaptive.ts";
import type { ResumeToken } from "../state/resume-token.ts";

/** The options of a wait that a job keeps: numbers, which any worker can heed. Durations are in milliseconds. */
export interface QueuedWaitOptions extends AdaptiveScheduleOptions {
  /** One read, its body included. Default 30 000. */
  readonly requestTimeoutInMs?: number;
  /** How long nothing but failed reads is borne. Default 300 000. */
  readonly outageToleranceInMs?: number;
  /** How long after the wait's begin a 404 may mean "not replicated yet". Default 30 000. */
  readonly notFoundGraceInMs?: number;
  /** The longest wait between failed reads, unless the service asks for more. Default 30 000. */
  readonly maxRetryDelayInMs?: number;
}

/** An outage in the middle of which a read handed its job back: more than a resume token tells. */
export interface OutageRecord {
  readonly consecutiveFailures: number;
  readonly sinceInMs: number;
  readonly failure: FailureRecord;
  /** The status can be read, and says that the operation succeeded: what cannot be read is its result. */
  readonly isOfResult: boolean;
}

/** A {@link RequestError} as JSON. */
export interface FailureRecord {
  readonly message: string;
  readonly kind: string;
  readonly code: string;
  readonly statusCode?: number | undefined;
  readonly requestId?: string | undefined;
  readonly error?: unknown;
}

/** What a job holds between two reads. `token` is checked by the client that it is of. */
export interface JobData {
  readonly version: 1;
  readonly token: ResumeToken;
  readonly options: QueuedWaitOptions;
  readonly responseCounts: ResponseCounts;
  readonly outage?: OutageRecord | undefined;
}

/** A {@link JobData} whose token nobody has looked at. */
export type ParsedJobData = Omit<JobData, "token"> & { readonly token: object };

/**
 * Parses a job's data: whoever may write to Redis may have written it.
 *
 * @throws {@link ContractError} or RangeError that names the field
 */
export function parseJobData(value: unknown): ParsedJobData {
  const fields = parseFields(value, "job.data", ["version", "token", "options", "responseCounts", "outage"]);
  if (fields["version"] !== 1) throw invalidField("job.data.version", "1", fields["version"]);
  const options = parseWaitOptions(fields["options"]);
  resolveOptions(options);
  return {
    version: 1,
    token: parseObject(fields["token"], "job.data.token"),
    options,
    responseCounts: parseResponseCounts(fields["responseCounts"], "job.data.responseCounts"),
    outage: fields["outage"] === undefined ? undefined : parseOutage(fields["outage"]),
  };
}

const durationNames = [
  "requestTimeoutInMs",
  "outageToleranceInMs",
  "notFoundGraceInMs",
  "maxRetryDelayInMs",
  "pollCostInMs",
  "minDelayInMs",
  "maxDelayInMs",
] as const;

/** As many as a schedule gains from; each costs Redis some bytes. */
const mostPastDurations = 100;

/** The options that a job keeps, and no others. `null` is how JSON writes Infinity. */
function parseWaitOptions(value: unknown): QueuedWaitOptions {
  const path = "job.data.options";
  const fields = parseFields(value, path, [...durationNames, "pastDurationsInMs"]);
  const durations = durationNames
    .filter((name) => fields[name] !== undefined)
    .map((name) => [name, fields[name] === null ? Infinity : parseNumber(fields[name], `${path}.${name}`)]);
  const past = fields["pastDurationsInMs"];
  if (past === undefined) return Object.fromEntries(durations);
  return {
    ...Object.fromEntries(durations),
    pastDurationsInMs: parsePast(past, `${path}.pastDurationsInMs`),
  };
}

function parsePast(value: unknown, path: string): readonly number[] {
  if (!Array.isArray(value)) throw invalidField(path, "an array of numbers", value);
  return value.slice(-mostPastDurations).map((past, index) => parseNumber(past, `${path}[${index}]`));
}

/**
 * Takes from the options of a wait those that a job keeps.
 *
 * @throws RangeError or TypeError that names the option that is wrong
 */
export function storedOptions(options: QueuedWaitOptions): QueuedWaitOptions {
  resolveOptions(options);
  const kept = [...durationNames, "pastDurationsInMs"] as const;
  const given = kept.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return parseWaitOptions(JSON.parse(JSON.stringify(Object.fromEntries(given))));
}

/** @throws {@link ContractError} when it is no record of how often which answer came */
export function parseResponseCounts(value: unknown, path: string): ResponseCounts {
  const entries = Object.entries(parseObject(value, path));
  return Object.fromEntries(entries.map(([answer, count]) => [answer, parseCount(count, `${path}.…`)]));
}

/** What the next read has to know of an outage, if there is one. */
export function outageOf(state: PollState): OutageRecord | undefined {
  const { failure, consecutiveFailures, outageSinceInMs: sinceInMs } = state;
  if (failure === undefined || consecutiveFailures === 0 || sinceInMs === undefined) return undefined;
  const isOfResult = state.isResultPending === true;
  return { consecutiveFailures, sinceInMs, failure: failureRecordOf(failure), isOfResult };
}

function parseOutage(value: unknown): OutageRecord {
  const path = "job.data.outage";
  const fields = parseFields(value, path, ["consecutiveFailures", "sinceInMs", "failure", "isOfResult"]);
  const { failure } = fields;
  return {
    consecutiveFailures: parseCount(fields["consecutiveFailures"], `${path}.consecutiveFailures`),
    sinceInMs: parseNumber(fields["sinceInMs"], `${path}.sinceInMs`),
    failure: failureRecordOf(parseFailure(failure, `${path}.failure`)),
    isOfResult: fields["isOfResult"] === true,
  };
}

/** A failed read as JSON. What caused it stays in the process that saw it. */
export function failureRecordOf(failure: RequestError): FailureRecord {
  const { message, kind, code, statusCode, requestId, error } = failure;
  return { message, kind, code, statusCode, requestId, error };
}

/** @throws {@link ContractError} when it is no failed read */
export function parseFailure(value: unknown, path: string): RequestError {
  const fields = parseFields(value, path, ["message", "kind", "code", "statusCode", "requestId", "error"]);
  const { requestId, error } = fields;
  return new RequestError(parseString(fields["message"], `${path}.message`), {
    kind: parseKind(fields["kind"], `${path}.kind`),
    code: parseString(fields["code"], `${path}.code`),
    statusCode: parseOptionalNumber(fields["statusCode"], `${path}.statusCode`),
    requestId: requestId === undefined ? undefined : parseString(requestId, `${path}.requestId`),
    error: error === undefined ? undefined : parseOperationError(error, `${path}.error`),
  });
}

function parseKind(value: unknown, path: string): RequestErrorKind {
  if (value === "transient" || value === "notFound" || value === "permanent") return value;
  throw invalidField(path, "transient, notFound or refused", value);
}
