import { randomUUID } from "node:crypto";
import { RequestError, parseOperationStatus } from "../index.ts";
import type {
  Clock,
  Operation,
  OperationError,
  OperationState,
  OperationStatus,
  ParseStatusOptions,
  PollLogger,
  StatusResponse,
} from "../index.ts";
import { statusId } from "./styles/responses.ts";
import { checkPattern, describe, fail, operationIdPattern } from "./validation.ts";

/** The body of a response to a poll. `id` and `name` are filled in where they are missing. */
export interface ScriptedStatus<P = unknown> {
  /** The state, in any spelling that a service may use. */
  readonly status: OperationState;
  /** The percentage, 0 to 100. */
  readonly percentComplete?: number;
  /** The result of an operation that succeeded. */
  readonly properties?: P;
  /** The service's error of an operation that failed. */
  readonly error?: OperationError;
  /** The least wait before the next poll, in milliseconds. It stands for a header and is no field of the body. */
  readonly retryAfterInMs?: number;
  /** The service's id of the request. It stands for a header too. */
  readonly requestId?: string;
  /** Any other field of the body. */
  readonly [field: string]: unknown;
}

/** The response to one poll: a body, a state word for `{ status: word }`, or an error that the poll throws. */
export type ScriptedResponse<P = unknown> = OperationState | ScriptedStatus<P> | Error;

/** A response, or a function that returns one. The function may take time, never return, or watch the signal. */
export type ScriptedReply<P = unknown> =
  | ScriptedResponse<P>
  | ((poll: ScriptedPoll) => ScriptedResponse<P> | Promise<ScriptedResponse<P>>);

/** A poll that the operation has received. */
export interface ScriptedPoll {
  /** 1 for the first poll. */
  readonly pollNumber: number;
  /** The time of `clock` at the poll's start, in milliseconds; `undefined` without a clock. */
  readonly startedAt: number | undefined;
  /** The poll's signal. `aborted` is true once the poller has given up the poll. */
  readonly abortSignal: AbortSignal;
}

/** Options of {@link scriptedOperation}. */
export interface ScriptedOperationOptions {
  /** The operation's id. Default: a random UUID. */
  readonly operationId?: string;
  /** The clock for {@link ScriptedPoll.startedAt}. Default: none. */
  readonly clock?: Pick<Clock, "now">;
  /** The poller's log. Default: errors of listeners go to the console, and nothing else is logged. */
  readonly logger?: PollLogger;
}

/** An operation with scripted responses, without HTTP. */
export interface ScriptedOperation<P = unknown> extends Operation<P> {
  /** Every poll so far, in order. */
  readonly polls: readonly ScriptedPoll[];
  /**
   * Checks that the number of polls is the number of replies.
   *
   * @throws Error if a reply is left, or a poll had no reply
   */
  assertFinished(): void;
}

/**
 * Creates an operation that replies to each poll by the next of these replies. The parser of real responses parses them.
 *
 * A poll after the last reply fails with a permanent `RequestError`, which ends the wait.
 *
 * @example
 * ```ts
 * const operation = scriptedOperation(["Running", { status: "Succeeded", properties: 42 }]);
 * ```
 * @throws TypeError that names the invalid reply; RangeError if `operationId` is invalid
 */
export function scriptedOperation<P = unknown>(
  replies: readonly ScriptedReply<P>[],
  options: ScriptedOperationOptions = {},
): ScriptedOperation<P> {
  const { operationId = randomUUID(), clock, logger } = options;
  checkPattern("operationId", operationId, operationIdPattern);
  const script = checkReplies(replies);
  const polls: ScriptedPoll[] = [];
  return {
    id: operationId,
    polls,
    ...(logger && { logger }),
    async getStatus({ abortSignal, terminalStates }) {
      const poll = { pollNumber: polls.length + 1, startedAt: clock?.now(), abortSignal };
      polls.push(poll);
      const reply = script[polls.length - 1];
      if (reply === undefined) throw missingReply(poll.pollNumber, script);
      const response = typeof reply === "function" ? await reply(poll) : reply;
      return responseOf(response, { operationId, terminalStates });
    },
    assertFinished: () => checkFinished(operationId, script, polls.length),
    toJSON: () => ({ operationId }),
  };
}

function checkReplies<P>(replies: readonly ScriptedReply<P>[]): readonly ScriptedReply<P>[] {
  if (!Array.isArray(replies)) fail("replies", "an array", replies);
  for (const [index, reply] of replies.entries()) {
    const isReply = ["string", "object", "function"].includes(typeof reply) && reply !== null;
    if (!isReply) fail(`replies[${index}]`, "a state, a body, an error or a function", reply);
  }
  return [...replies];
}

interface StatusContext extends ParseStatusOptions {
  readonly operationId: string;
}

function responseOf<P>(response: ScriptedResponse<P>, context: StatusContext): StatusResponse<P> {
  if (response instanceof Error) throw response;
  if (typeof response === "string") return { status: statusOf({ status: response }, context) };
  const { retryAfterInMs, requestId, ...body } = response;
  return { status: statusOf(body, context), retryAfterInMs, requestId };
}

function statusOf<P>(body: object, { operationId, terminalStates }: StatusContext): OperationStatus<P> {
  const id = statusId("scripted", operationId);
  return parseOperationStatus<P>({ id, name: operationId, ...body }, operationId, { terminalStates });
}

function missingReply(pollNumber: number, script: readonly unknown[]): RequestError {
  const last = script.length === 0 ? "" : `; the last reply was ${describe(script.at(-1))}`;
  const message = `no reply for poll ${pollNumber}: expected polls: ${script.length}${last}`;
  return new RequestError(message, { kind: "permanent", code: "ScriptExhausted" });
}

function checkFinished(operationId: string, script: readonly unknown[], pollCount: number): void {
  if (pollCount === script.length) return;
  const next = pollCount < script.length ? `; the next reply is ${describe(script[pollCount])}` : "";
  throw new Error(`Operation ${operationId}: expected polls: ${script.length}, got ${pollCount}${next}`);
}
