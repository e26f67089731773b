import { ContractError } from "./errors.ts";
import { initialState } from "./machine.ts";
import type { WaitState } from "./machine.ts";
import { isTerminal } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { parseObject, parseState } from "./parse.ts";

/** What another process needs to go on with a wait. Plain JSON, without bodies and without secrets. */
export interface ResumeToken {
  readonly version: 1;
  /** How the transport finds the operation again. */
  readonly operation: object;
  /** When the wait began, in milliseconds since 1970. */
  readonly begunAt: number;
  readonly status?: string | undefined;
  readonly percentComplete?: number | undefined;
  readonly pollCount: number;
  readonly failedReads: number;
  /** How long the operation had been under way when the wait began, in milliseconds. */
  readonly headStart?: number | undefined;
  /** Until when the service forbids a read, in milliseconds since 1970. */
  readonly notBefore?: number | undefined;
}

/** The token of a wait at this moment. */
export function tokenOf(
  operation: Operation,
  state: WaitState,
  elapsedInMs: number,
  now: number,
): ResumeToken {
  const begunAt = Math.round(now - elapsedInMs);
  return {
    version: 1,
    operation: operation.toJSON(),
    begunAt,
    status: state.status,
    percentComplete: state.percentComplete,
    pollCount: state.pollCount,
    failedReads: state.failedReads,
    headStart: state.headStartInMs === undefined ? undefined : Math.round(state.headStartInMs),
    notBefore: state.notBeforeInMs === undefined ? undefined : latestMoment(begunAt + state.notBeforeInMs),
  };
}

/** A service may ask for more than a date can hold; JSON and dates stay exact up to here. */
function latestMoment(moment: number): number {
  return Math.min(Math.ceil(moment), Number.MAX_SAFE_INTEGER);
}

/** The state that a token's writer was in. A terminal one is read again: the token holds no result. */
export function stateOf(token: ResumeToken): WaitState<never> {
  return {
    ...initialState,
    status: isTerminal(token.status) ? undefined : token.status,
    percentComplete: token.percentComplete,
    headStartInMs: token.headStart,
    pollCount: token.pollCount,
    failedReads: token.failedReads,
    notBeforeInMs: token.notBefore === undefined ? undefined : token.notBefore - token.begunAt,
    isHeldBack: token.notBefore !== undefined,
  };
}

/** A URL that Azure signs has up to 4 kB; nothing else in a token is long. */
const longestToken = 16_384;

/**
 * Parses a token. What identifies the operation is left to the transport.
 *
 * @throws {@link ContractError} that says which field is wrong
 */
export function parseToken(fields: Readonly<Record<string, unknown>>): ResumeToken {
  if (fields["version"] !== 1) throw new ContractError("token.version", "1", fields["version"]);
  return {
    version: 1,
    operation: parseObject(fields["operation"], "token.operation"),
    begunAt: parseNumber(fields["begunAt"], "token.begunAt"),
    status: fields["status"] === undefined ? undefined : parseState(fields["status"], "token.status"),
    percentComplete: parseOptionalNumber(fields["percentComplete"], "token.percentComplete", 100),
    pollCount: parseNumber(fields["pollCount"], "token.pollCount"),
    failedReads: parseNumber(fields["failedReads"], "token.failedReads"),
    headStart: parseOptionalNumber(fields["headStart"], "token.headStart"),
    notBefore: parseOptionalNumber(fields["notBefore"], "token.notBefore"),
  };
}

/**
 * Parses the text of a token.
 *
 * @throws {@link ContractError} when it is no JSON, or longer than a token can be
 */
export function parseJson(text: string): unknown {
  if (text.length > longestToken) {
    throw new ContractError("token", `at most ${longestToken} characters`, text.length);
  }
  try {
    return JSON.parse(text);
  } catch {
    // Neither the text nor its parser's error, which quotes it: a token may hold a signature.
    throw new ContractError("token", "JSON", "other text");
  }
}

function parseOptionalNumber(value: unknown, path: string, most?: number): number | undefined {
  return value === undefined ? undefined : parseNumber(value, path, most);
}

function parseNumber(value: unknown, path: string, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number" || !(value >= 0 && value <= most)) {
    throw new ContractError(path, `a number from 0 to ${most}`, value);
  }
  return value;
}
