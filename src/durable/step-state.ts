import type { ResponseCounts } from "../operation/errors.ts";
import type { PollState } from "../state/state-machine.ts";
import { resolveOptions, terminalStateLists } from "../poller/options.ts";
import {
  invalidField,
  isObject,
  parseArray,
  parseCount,
  parseFields,
  parseNumber,
  parseObject,
  parseOptional,
  parseOptionalNumber,
  parseString,
} from "../operation/json-fields.ts";
import type { TerminalStates } from "../operation/status.ts";
import type { AdaptiveScheduleOptions } from "../schedule/adaptive.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { operationNames, pollingLocationNames } from "../azure/lro/resume.ts";
import { progressTokenNames } from "../state/progress-token.ts";
import { tokenNames } from "../state/resume-token.ts";
import { failureRecordOf, parseFailure, parseResponseCounts } from "./failure-record.ts";
import type { FailureRecord } from "./failure-record.ts";
import { partFields, withUnknownFields } from "./known-fields.ts";
import type { KnownFields } from "./known-fields.ts";

/** The options of a wait that its state holds, as JSON, so that any process can apply them. Durations are in milliseconds. */
export interface StepOptions extends AdaptiveScheduleOptions {
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

/** An outage that lasts between two steps: a resume token has no field for it. */
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

/** How long no process has had a client for the operation. */
export interface UnclaimedRecord {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The steps since then. */
  readonly count: number;
}

/**
 * The state of a wait between two steps: plain JSON of about a kilobyte, without secrets of this library. A process of an
 * older version carries the fields on that it does not know. Save all of it.
 */
export interface StepState {
  /** The version of the state's form. A process of an older version hands a newer one back. */
  readonly version: 1;
  /** The resume token of the wait. */
  readonly token: ResumeToken;
  /** The options of the wait. */
  readonly options: StepOptions;
  /** The responses so far, by status or code. */
  readonly responseCounts: ResponseCounts;
  /** When a response last changed the status or the percentage, in milliseconds since the start of the wait. */
  readonly changedAtInMs?: number | undefined;
  /** When the next step is due, in milliseconds since 1970. An earlier one sends no request. */
  readonly dueAt: number;
  /** The time from the last step to `dueAt`, in milliseconds: no clock that is set back lets the wait last longer. */
  readonly delayInMs: number;
  /** Whether `dueAt` is a turn of the pace. */
  readonly isReserved?: boolean | undefined;
  /** How long the step has waited for its turns, in milliseconds: nobody polled in this time. */
  readonly waitedInMs?: number | undefined;
  /** @internal The outage that the last polls were part of. */
  readonly outage?: OutageRecord | undefined;
  /** @internal Set while no process has a client for the operation. */
  readonly unclaimed?: UnclaimedRecord | undefined;
}

/** A {@link StepState} whose token is not checked yet. */
export interface ParsedStepState {
  readonly state: Omit<StepState, "token"> & { readonly token: object };
  /** Puts the fields of a newer version back that this one does not know. */
  readonly withNewerFields: (state: StepState) => StepState;
}

/** Returns whether a state or its token was written by a newer version, whose rules are not known here. */
export function isNewerState(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { version, token } = value;
  const versions: readonly unknown[] = [version, isObject(token) ? token["version"] : undefined];
  return versions.some((number) => Number.isSafeInteger(number) && Number(number) > 1);
}

/**
 * Parses a state. Anyone with write access to the engine's store may have written it.
 *
 * @param isOfClient - whether a client of this library polls the operation: then all fields of its token are known
 * @throws {@link ContractError} or RangeError that names the field
 */
export function parseStepState(value: unknown, isOfClient: boolean): ParsedStepState {
  const path = "state";
  const shape = stateShape(isOfClient);
  const { known: fields, unknown } = partFields(parseObject(value, path), shape);
  if (fields["version"] !== 1) throw invalidField(`${path}.version`, "1", fields["version"]);
  const options = parseStepOptions(fields["options"]);
  resolveOptions(options);
  const state = {
    version: 1 as const,
    token: parseObject(fields["token"], `${path}.token`),
    options,
    responseCounts: parseResponseCounts(fields["responseCounts"], `${path}.responseCounts`),
    changedAtInMs: parseOptionalNumber(fields["changedAtInMs"], `${path}.changedAtInMs`),
    dueAt: parseNumber(fields["dueAt"], `${path}.dueAt`),
    delayInMs: parseNumber(fields["delayInMs"], `${path}.delayInMs`),
    isReserved: fields["isReserved"] === true ? true : undefined,
    waitedInMs: parseOptionalNumber(fields["waitedInMs"], `${path}.waitedInMs`),
    outage: parseOptional(fields["outage"], `${path}.outage`, parseOutage),
    unclaimed: parseOptional(fields["unclaimed"], `${path}.unclaimed`, parseUnclaimed),
  };
  return { state, withNewerFields: (next) => withUnknownFields(next, unknown, shape) };
}

function parseUnclaimed(value: unknown, path: string): UnclaimedRecord {
  const { since, count } = parseObject(value, path);
  return { since: parseNumber(since, `${path}.since`), count: parseCount(count, `${path}.count`) };
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

const outageNames = ["consecutiveFailures", "sinceInMs", "notFoundSinceInMs", "failure", "isOfResult"];

const pollingLocationShape: KnownFields = { pollingLocation: named(pollingLocationNames) };

/** The fields of a token that this version knows. The operation of a transport of the user's own is the user's. */
export function tokenShape(isOfClient: boolean): KnownFields {
  const operation = isOfClient ? { ...named(operationNames), ...pollingLocationShape } : true;
  return { ...named(tokenNames), operation, progress: named(progressTokenNames) };
}

/** The fields of a state that this version knows. */
function stateShape(isOfClient: boolean): KnownFields {
  return {
    ...named([
      "version",
      "responseCounts",
      "changedAtInMs",
      "dueAt",
      "delayInMs",
      "isReserved",
      "waitedInMs",
    ]),
    token: tokenShape(isOfClient),
    options: { ...named(optionNames), terminalStates: named(terminalStateLists) },
    outage: named(outageNames),
    unclaimed: named(["since", "count"]),
  };
}

function named(names: readonly string[]): KnownFields {
  return Object.fromEntries(names.map((name) => [name, true]));
}

/** More past durations would not improve a schedule, and each takes space in the engine's store. */
const maxPastDurations = 100;

/** Parses the options of a wait. `null` is how JSON writes Infinity; not every engine stores JSON. */
function parseStepOptions(value: unknown): StepOptions {
  const path = "state.options";
  const fields = parseObject(value, path);
  const durations = durationNames
    .filter((name) => fields[name] !== undefined)
    .map((name) => [name, parseDuration(fields[name], `${path}.${name}`)]);
  const options: StepOptions = Object.fromEntries(durations);
  const { pastDurationsInMs: past, terminalStates: words } = fields;
  return {
    ...options,
    ...(past !== undefined && { pastDurationsInMs: parsePastDurations(past, `${path}.pastDurationsInMs`) }),
    ...(words !== undefined && { terminalStates: parseTerminalStates(words, `${path}.terminalStates`) }),
  };
}

function parseDuration(value: unknown, path: string): number {
  return value === null || value === Infinity ? Infinity : parseNumber(value, path);
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
 * Returns those of the options that a state holds.
 *
 * @throws RangeError or TypeError that names the option that is wrong
 */
export function storedOptions(options: StepOptions): StepOptions {
  resolveOptions(options);
  const given = optionNames
    .filter((name) => options[name] !== undefined)
    .map((name) => [name, options[name]]);
  return parseStepOptions(JSON.parse(JSON.stringify(Object.fromEntries(given))));
}

/** Returns what the next poll has to know of an outage, if there is one. */
export function outageOf(state: PollState): OutageRecord | undefined {
  const { failure, consecutiveFailures, outageSinceInMs, askedInMs = 0, notFoundSinceInMs } = state;
  if (failure === undefined || consecutiveFailures === 0 || outageSinceInMs === undefined) return undefined;
  const sinceInMs = outageSinceInMs + askedInMs;
  const isOfResult = state.isResultPending === true;
  return { consecutiveFailures, sinceInMs, notFoundSinceInMs, failure: failureRecordOf(failure), isOfResult };
}

function parseOutage(value: unknown, path: string): OutageRecord {
  const fields = parseObject(value, path);
  return {
    consecutiveFailures: parseCount(fields["consecutiveFailures"], `${path}.consecutiveFailures`),
    sinceInMs: parseNumber(fields["sinceInMs"], `${path}.sinceInMs`),
    notFoundSinceInMs: parseOptionalNumber(fields["notFoundSinceInMs"], `${path}.notFoundSinceInMs`),
    failure: failureRecordOf(parseFailure(fields["failure"], `${path}.failure`)),
    isOfResult: fields["isOfResult"] === true,
  };
}
