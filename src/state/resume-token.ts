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
import { parseState } from "../operation/parse-status.ts";
import type { Fields } from "../operation/json-fields.ts";
import { parseProgressToken, progressOf, progressTokenOf } from "./progress-token.ts";
import type { ProgressToken } from "./progress-token.ts";

/**
 * What another process needs to go on with a wait. Plain JSON, without bodies and without secrets of this library's;
 * less than 1 kB for an operation of DevCenter. Moments are milliseconds since 1970.
 */
export interface ResumeToken {
  /** Of the token's form. Another one is refused. */
  readonly version: 1;
  /** How the transport finds the operation again. */
  readonly operation: object;
  /** When the wait began. */
  readonly startedAt: number;
  /** When this token was written. */
  readonly savedAt: number;
  /** The last state known, if any. A word of more than 32 bytes is kept as `Running`. */
  readonly status?: string | undefined;
  /** The highest percentage seen, 0 to 100. */
  readonly percentComplete?: number | undefined;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount: number;
  /** How many of them failed. */
  readonly failedPollCount: number;
  /** How long the operation had been under way when the wait began, in milliseconds. */
  readonly ageAtStart?: number | undefined;
  /** Until when the service forbids a read. */
  readonly notBefore?: number | undefined;
  /** When the `timeoutInMs` of the wait is over. */
  readonly deadline?: number | undefined;
  /** How the percentage moved so far. */
  readonly progress?: ProgressToken | undefined;
}

/** Where a wait stands, by its own time. */
export interface PollMoment {
  readonly elapsedInMs: number;
  /** When its `timeoutInMs` is over, in milliseconds since it began; `undefined` when it has none. */
  readonly deadlineInMs: number | undefined;
}

/** The token of a wait at this moment. */
export function tokenOf(
  operation: Operation,
  state: PollState,
  { elapsedInMs, deadlineInMs }: PollMoment,
  now: number,
): ResumeToken {
  const startedAt = Math.max(0, Math.round(now - elapsedInMs));
  const { status, ageAtStartInMs, notBeforeInMs, progress } = state;
  return {
    version: 1,
    operation: operation.toJSON(),
    startedAt,
    savedAt: Math.max(startedAt, Math.round(now)),
    status: status === undefined ? undefined : shortWord(status),
    percentComplete: state.percentComplete,
    pollCount: state.pollCount,
    failedPollCount: state.failedPollCount,
    ageAtStart: ageAtStartInMs === undefined ? undefined : Math.round(ageAtStartInMs),
    // The clock of the day cuts off a fraction of a millisecond: without one more a read could come too early.
    notBefore: notBeforeInMs === undefined ? undefined : momentOf(startedAt + notBeforeInMs + 1),
    deadline: deadlineInMs === undefined ? undefined : momentOf(startedAt + deadlineInMs),
    progress: progress && progressTokenOf(progress),
  };
}

/** Bytes of JSON. */
const longestWord = 32;

/** A service may call a state what it likes, at any length; a word of its own counts as running. */
function shortWord(status: OperationState): string {
  return new TextEncoder().encode(JSON.stringify(status)).length > longestWord ? "Running" : status;
}

/** A service may ask for more than a date can hold; JSON and dates stay exact up to here. */
function momentOf(timestamp: number): number {
  return Math.min(Math.ceil(timestamp), Number.MAX_SAFE_INTEGER);
}

/** What a wait that goes on begins with. */
export interface ResumedState extends PollMoment {
  readonly state: PollState<never>;
}

/**
 * The wait that a token tells of, at another moment. Clocks differ between machines, and are set: a wait is never
 * younger than when the token was written, and a Retry-After never longer than what was left of it then, nor than a
 * day. A clock that was put forward cannot be told from a pause.
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

/** The state that a token's writer was in. A terminal one is read again: the token holds no result. */
function stateOf(token: ResumeToken, notBeforeInMs: number | undefined): PollState<never> {
  return {
    ...initialState,
    status: isTerminal(token.status) ? undefined : token.status,
    percentComplete: token.percentComplete,
    progress: token.progress && progressOf(token.progress),
    ageAtStartInMs: token.ageAtStart,
    pollCount: token.pollCount,
    failedPollCount: token.failedPollCount,
    notBeforeInMs,
    isRetryAfterOfFailure: notBeforeInMs !== undefined,
  };
}

const tokenFields = [
  "version",
  "operation",
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
 * Parses a token. What identifies the operation is left to the transport.
 *
 * @throws {@link ContractError} that says which field is wrong
 */
export function parseToken(value: Fields): ResumeToken {
  // First: what a newer version has may be called anything.
  if (value["version"] !== 1) throw invalidField("token.version", "1", value["version"]);
  const fields = parseFields(value, "token", tokenFields);
  const startedAt = parseNumber(fields["startedAt"], "token.startedAt");
  return {
    version: 1,
    operation: parseObject(fields["operation"], "token.operation"),
    startedAt,
    savedAt: parseMomentFrom(startedAt, fields["savedAt"], "token.savedAt"),
    status: fields["status"] === undefined ? undefined : parseWord(fields["status"], "token.status"),
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

function parseWord(value: unknown, path: string): OperationState {
  if (typeof value !== "string" || value.trim() === "" || value.length > longestWord) {
    throw invalidField(path, `a state of at most ${longestWord} characters`, value);
  }
  return parseState(value, path);
}

/** A URL that Azure signs has up to 4 kB; nothing else in a token is long. */
const longestToken = 16_384;

/**
 * Parses a token's text. An object is taken by its JSON, once, so that what was checked is what is used: the getters
 * of one could give another value each time, and its prototype could hold what it has not.
 *
 * @throws {@link ContractError} when it is no JSON, or longer than a token can be
 */
export function parseTokenText(token: unknown): unknown {
  const text = typeof token === "string" ? token : jsonOf(token);
  if (text.length > longestToken) throw invalidField("token", `at most ${longestToken} characters`, text);
  try {
    return JSON.parse(text);
  } catch {
    // Not its parser's error, which quotes it.
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
