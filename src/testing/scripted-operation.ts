import { randomUUID } from "node:crypto";
import { RequestError, parseOperationStatus } from "../index.ts";
import type {
  Clock,
  Operation,
  OperationError,
  OperationState,
  OperationStatus,
  PollLogger,
  StatusResponse,
} from "../index.ts";
import { checkPattern, describe, fail, operationIdPattern } from "./validation.ts";

/** The body of a status answer, as the wire has it; `id` and `name` are filled in where they are missing. */
export interface ScriptedStatus<P = unknown> {
  /** The state, in any spelling that a service may use. */
  readonly status: OperationState;
  /** 0 to 100. */
  readonly percentComplete?: number;
  /** The result, of a success. */
  readonly properties?: P;
  /** The service's error, of a failure. */
  readonly error?: OperationError;
  /** The least wait before the next read, in milliseconds: no field of the body, but what its headers said. */
  readonly retryAfterInMs?: number;
  /** No field of the body either. */
  readonly requestId?: string;
  /** Any other field of the body. */
  readonly [field: string]: unknown;
}

/** What one read brings: a body, a state word for `{ status: word }`, or an error that the read throws. */
export type ScriptedResponse<P = unknown> = OperationState | ScriptedStatus<P> | Error;

/** An answer, or how to come by it: a function may take its time, hang, or look at the signal. */
export type ScriptedReply<P = unknown> =
  | ScriptedResponse<P>
  | ((read: ScriptedPoll) => ScriptedResponse<P> | Promise<ScriptedResponse<P>>);

/** A read that came. */
export interface ScriptedPoll {
  /** 1 for the first. */
  readonly pollNumber: number;
  /** What `clock` showed, in milliseconds; `undefined` without a clock. */
  readonly startedAt: number | undefined;
  /** `aborted` says whether the reader has let go. */
  readonly abortSignal: AbortSignal;
}

/** Options of {@link scriptedOperation}. */
export interface ScriptedOperationOptions {
  /** Default: a random uuid. */
  readonly operationId?: string;
  /** Times the reads in the log. */
  readonly clock?: Pick<Clock, "now">;
  /** Gets what the engine logs. Default: what listeners throw goes to the console, and nothing else is logged. */
  readonly logger?: PollLogger;
}

/** An operation that answers by script, without HTTP. */
export interface ScriptedOperation<P = unknown> extends Operation<P> {
  /** Every read that came, in order. */
  readonly polls: readonly ScriptedPoll[];
  /**
   * Fails a test whose script was not played to its end.
   *
   * @throws Error when replies are left unread, or more reads came than there are replies
   */
  assertFinished(): void;
}

/**
 * Makes an operation whose reads bring these replies, one each, through the parser that real answers go through.
 * A read beyond the last reply is refused with a `RequestError`, which ends the wait.
 *
 * @throws TypeError that names the reply that is none, or RangeError for an `operationId` that cannot be one
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
    async getStatus({ abortSignal }) {
      const read = { pollNumber: polls.length + 1, startedAt: clock?.now(), abortSignal };
      polls.push(read);
      const reply = script[polls.length - 1];
      if (reply === undefined) throw beyondScript(read.pollNumber, script);
      return readingOf(typeof reply === "function" ? await reply(read) : reply, operationId);
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

function readingOf<P>(answer: ScriptedResponse<P>, operationId: string): StatusResponse<P> {
  if (answer instanceof Error) throw answer;
  if (typeof answer === "string") return { status: statusOf({ status: answer }, operationId) };
  const { retryAfterInMs, requestId, ...body } = answer;
  return { status: statusOf(body, operationId), retryAfterInMs, requestId };
}

function statusOf<P>(body: object, operationId: string): OperationStatus<P> {
  const id = `/projects/scripted/operationStatuses/${operationId}`;
  return parseOperationStatus<P>({ id, name: operationId, ...body }, operationId);
}

function beyondScript(pollNumber: number, script: readonly unknown[]): RequestError {
  const end = script.length === 0 ? "no read" : `the last to be read ${script.length}`;
  const last = script.length === 0 ? "" : `, answered by ${describe(script.at(-1))}`;
  return new RequestError(`read ${pollNumber} is beyond the script, which expected ${end}${last}`, {
    kind: "permanent",
    code: "ScriptExhausted",
  });
}

function checkFinished(operationId: string, script: readonly unknown[], readCount: number): void {
  if (readCount === script.length) return;
  const next = readCount < script.length ? `; next is ${describe(script[readCount])}` : "";
  throw new Error(`Operation ${operationId}: expected polls: ${script.length}, got ${readCount}${next}`);
}
