import { validRetryAfter } from "../operation/retry-after.ts";
import { initialState } from "./state-machine.ts";
import type { PollState } from "./state-machine.ts";
import { isTerminal } from "../operation/status.ts";
import type { Operation } from "../operation/operation.ts";
import type { OperationState } from "../operation/status.ts";
import {
  invalidField,
  parseCount,
  parseFields,
  parseNumber,
  parseObject,
  parseOptionalNumber,
} from "../operation/json-fields.ts";
import type { Fields } from "../operation/json-fields.ts";
import { parseProgressToken, progressOf, progressTokenOf } from "./progress-token.ts";
import type { ProgressToken } from "./progress-token.ts";

/**
 * The data with which another process continues a wait: plain JSON, without bodies and without secrets of this library.
 * It has less than 1 kB for an operation of DevCenter. Times are milliseconds since 1970. Save all of it: it has more fields
 * than these.
 */
export interface ResumeToken {
  /** The version of the token's form. Any other one is rejected. */
  readonly version: 1;
  /** How the client finds the operation again. */
  readonly operation: object;
  /**
   * The state of an SDK's poller. It is where the SDK's own `restoreFrom` or `resumeFrom` looks for it: they take this
   * token. A few SDKs have other fields, which `client.resume` does not take.
   */
  readonly state?: object | undefined;
  /** The start of the wait. */
  readonly startedAt: number;
  /** The time at which this token was written. */
  readonly savedAt: number;
  /** The last state known, if any. A word of more than 32 bytes is kept as `Running`. */
  readonly status?: string | undefined;
  /** The highest percentage seen, 0 to 100. */
  readonly percentComplete?: number | undefined;
  /** The polls so far, failed ones included. */
  readonly pollCount: number;
  /** The failed polls so far. */
  readonly failedPollCount: number;
  /** The age of the operation at the start of the wait, in milliseconds. */
  readonly ageAtStart?: number | undefined;
  /** The end of the service's Retry-After. */
  readonly notBefore?: number | undefined;
  /** The end of the wait's `timeoutInMs`. */
  readonly deadline?: number | undefined;
  /** @internal How the percentage has moved. */
  readonly progress?: ProgressToken | undefined;
}

/** The time of a wait, by its own clock. */
interface PollMoment {
  readonly elapsedInMs: number;
  /** The end of its `timeoutInMs`, in milliseconds since its start; `undefined` when it has none. */
  readonly deadlineInMs: number | undefined;
}

/** Makes the token of a wait. */
export function tokenOf(
  operation: Pick<Operation, "toJSON">,
  state: PollState,
  { elapsedInMs, deadlineInMs }: PollMoment,
  now: number,
): ResumeToken {
  const startedAt = Math.max(0, Math.round(now - elapsedInMs));
  const { status, ageAtStartInMs, notBeforeInMs, progress } = state;
  const { sdk, ...fields }: { readonly sdk?: object } = operation.toJSON();
  return {
    ...sdk,
    version: 1,
    operation: fields,
    startedAt,
    savedAt: Math.max(startedAt, Math.round(now)),
    status: status === undefined ? undefined : shortState(status),
    percentComplete: state.percentComplete,
    pollCount: state.pollCount,
    failedPollCount: state.failedPollCount,
    ageAtStart: ageAtStartInMs === undefined ? undefined : Math.round(ageAtStartInMs),
    // Timestamps cut off a fraction of a millisecond: without one more a poll could come too early.
    notBefore: notBeforeInMs === undefined ? undefined : momentOf(startedAt + notBeforeInMs + 1),
    deadline: deadlineInMs === undefined ? undefined : momentOf(startedAt + deadlineInMs),
    progress: progress && progressTokenOf(progress),
  };
}

/** In bytes of JSON. */
const maxStateLength = 32;

/** A service may send a word of any length as its state; a word of its own counts as running. */
function shortState(status: OperationState): string {
  return new TextEncoder().encode(JSON.stringify(status)).length > maxStateLength ? "Running" : status;
}

/** A timeout may be longer than a date can hold; JSON and dates stay exact up to here. */
export function momentOf(timestamp: number): number {
  return Math.min(Math.ceil(timestamp), Number.MAX_SAFE_INTEGER);
}

/** The state with which a resumed wait starts. */
export interface ResumedState extends PollMoment {
  readonly state: PollState<never>;
}

/**
 * Makes the state of the wait of a token at another time. Clocks differ between machines, and are set: a wait is never
 * younger than when its token was written, and a Retry-After never longer than its rest at that time, nor than a day.
 * A clock that was set forward looks like a pause.
 */
export function resumedStateOf(token: ResumeToken, now: number): ResumedState {
  const { startedAt, savedAt, notBefore = 0, deadline } = token;
  const elapsedInMs = Math.max(savedAt, now) - startedAt;
  const retryAfterInMs = validRetryAfter(notBefore - Math.max(savedAt, now));
  return {
    state: stateOf(token, retryAfterInMs === undefined ? undefined : elapsedInMs + retryAfterInMs),
    elapsedInMs,
    deadlineInMs: deadline === undefined ? undefined : deadline - startedAt,
  };
}

/** A terminal state is polled again: the token holds no result. */
function stateOf(token: ResumeToken, notBeforeInMs: number | undefined): PollState<never> {
  const status = isTerminal(token.status) ? undefined : token.status;
  return {
    ...initialState,
    status,
    notFoundSinceInMs: status === undefined ? 0 : undefined,
    percentComplete: token.percentComplete,
    progress: token.progress && progressOf(token.progress),
    ageAtStartInMs: token.ageAtStart,
    pollCount: token.pollCount,
    failedPollCount: token.failedPollCount,
    notBeforeInMs,
    isRetryAfterOfFailure: notBeforeInMs !== undefined,
  };
}

/** The fields of a token. */
export const tokenNames: readonly string[] = [
  "version",
  "operation",
  "state",
  "startedAt",
  "savedAt",
  "status",
  "percentComplete",
  "pollCount",
  "failedPollCount",
  "ageAtStart",
  "notBefore",
  "deadline",
  "progress",
];

/**
 * Parses a token, except for the fields that identify the operation, which the client parses.
 *
 * @throws {@link ContractError} that says which field is wrong
 */
export function parseToken(value: Fields): ResumeToken {
  // First: a newer version may have any fields.
  if (value["version"] !== 1) throw invalidField("token.version", "1", value["version"]);
  const fields = parseFields(value, "token", tokenNames);
  const startedAt = parseNumber(fields["startedAt"], "token.startedAt");
  return {
    version: 1,
    operation: parseObject(fields["operation"], "token.operation"),
    state: fields["state"] === undefined ? undefined : parseObject(fields["state"], "token.state"),
    startedAt,
    savedAt: parseMomentFrom(startedAt, fields["savedAt"], "token.savedAt"),
    status: fields["status"] === undefined ? undefined : parseShortState(fields["status"], "token.status"),
    percentComplete: parseOptionalNumber(fields["percentComplete"], "token.percentComplete", 100),
    pollCount: parseCount(fields["pollCount"], "token.pollCount"),
    failedPollCount: parseCount(fields["failedPollCount"], "token.failedPollCount"),
    ageAtStart: parseOptionalNumber(fields["ageAtStart"], "token.ageAtStart"),
    notBefore: parseOptionalNumber(fields["notBefore"], "token.notBefore"),
    deadline:
      fields["deadline"] === undefined
        ? undefined
        : parseMomentFrom(startedAt, fields["deadline"], "token.deadline"),
    progress:
      fields["progress"] === undefined ? undefined : parseProgressToken(fields["progress"], "token.progress"),
  };
}

function parseMomentFrom(startedAt: number, value: unknown, path: string): number {
  const moment = parseNumber(value, path);
  if (moment < startedAt) throw invalidField(path, `startedAt (${startedAt}) or later`, moment);
  return moment;
}

function parseShortState(value: unknown, path: string): OperationState {
  if (typeof value !== "string" || value.trim() === "" || value.length > maxStateLength) {
    throw invalidField(path, `a state of at most ${maxStateLength} characters`, value);
  }
  return value;
}

/** A URL that Azure signs has up to 4 kB; nothing else in a token is long. */
const maxTokenLength = 16_384;

/**
 * Parses a token's text. An object is converted to JSON first, once, so that the checked values are the used ones:
 * getters could return another value each time, and a prototype could have fields that the object lacks.
 *
 * @throws {@link ContractError} when it is no JSON, or longer than a token can be
 */
export function parseTokenText(token: unknown): unknown {
  const text = typeof token === "string" ? token : jsonOf(token);
  if (text.length > maxTokenLength) throw invalidField("token", `at most ${maxTokenLength} characters`, text);
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's error, which quotes the token.
    throw invalidField("token", "JSON", text);
  }
}

function jsonOf(token: unknown): string {
  const expected = "a token's text, or that parsed";
  let text: string | undefined;
  try {
    text = JSON.stringify(token);
  } catch {
    throw invalidField("token", expected, token);
  }
  if (text === undefined) throw invalidField("token", expected, undefined);
  return text;
}
