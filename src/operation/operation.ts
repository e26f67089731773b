import type { RequestBudget } from "../limiter/request-limiter.ts";
import type { Clock } from "../clock.ts";
import type { RateLimit } from "../limiter/rate-estimator.ts";

/** A state after which nothing changes any more. */
export type TerminalState = "Succeeded" | "Failed" | "Canceled";

/**
 * The state of an operation. The five words are the Azure REST guidelines'; a service may send any other
 * (`InProgress`, `Creating`), which counts as running and is kept as it came.
 */
export type OperationState = "NotStarted" | "Running" | TerminalState | (string & {});

/** One level of what lies beneath an {@link OperationError}. Azure.Core gives it no message; some services do. */
export interface InnerError {
  /** The service's word for what went wrong, more exact than the one above it. */
  readonly code?: string | undefined;
  /** For people. */
  readonly message?: string | undefined;
  /** The next level. */
  readonly innererror?: InnerError | undefined;
}

/** The error a service reports. Its `code` is the contract; the rest may change between releases of the service. */
export interface OperationError {
  /** Empty where the service sent none. */
  readonly code: string;
  /** Empty where the service sent none. */
  readonly message: string;
  /** What the error is about, such as a resource's name. */
  readonly target?: string | undefined;
  /** The errors that led to this one. */
  readonly details?: readonly OperationError[] | undefined;
  /** What lies beneath the code, level by level. */
  readonly innererror?: InnerError | undefined;
}

/** What every Azure status monitor says of its operation. */
export interface StatusFields<P = unknown> {
  /** The state that it is in. */
  readonly status: OperationState;
  /** When it began, by the service's clock. */
  readonly startTime?: Date | undefined;
  /** When it ended, by the service's clock. */
  readonly endTime?: Date | undefined;
  /** 0 to 100. DevCenter mostly sends none. */
  readonly percentComplete?: number | undefined;
  /** The result; only on success. */
  readonly properties?: P | undefined;
  /** Why it failed, or was canceled. */
  readonly error?: OperationError | undefined;
  /** The resource that is operated on. */
  readonly resourceId?: string | undefined;
  /** Fields beyond the contract, as they came. */
  readonly [field: string]: unknown;
}

/** What the service says of an operation, checked and with its dates parsed. Fields beyond the contract are kept. */
export interface OperationStatus<P = unknown> extends StatusFields<P> {
  /** The fully qualified id of the status, such as `/projects/p/operationstatuses/fa067167-…`. */
  readonly id: string;
  /** The operation's id. */
  readonly name: string;
}

/** What one read of an operation brought. */
export interface Reading<P = unknown> {
  /** What the service says, parsed. */
  readonly status: OperationStatus<P>;
  /** The least wait before the next read that the service asked for, in milliseconds. */
  readonly retryAfterInMs?: number | undefined;
  /** The service's id of the request, for its support. */
  readonly requestId?: string | undefined;
  /** How many more requests the service takes, where it says so. */
  readonly rateLimit?: RateLimit | undefined;
  /** How long ago the operation had begun, in milliseconds by the service's own clock, where it says so. */
  readonly ageInMs?: number | undefined;
  /** The operation has succeeded, but its result is elsewhere: the next read brings it, as another success. */
  readonly isResultPending?: boolean | undefined;
}

/** One level of a log. Not called while it is not `enabled` (default: it is). */
export interface LogLevel {
  /** Writes a line. */
  (...message: unknown[]): void;
  /** Whether anybody sees it. Default true. */
  readonly enabled?: boolean;
}

/**
 * Lines for operators, in the shape of `@azure/logger`'s client loggers and at the levels of Azure's guidelines, which
 * keep warnings for what a caller sees fail: a read that is tried again is none.
 */
export interface PollLogger {
  /** Each status that brought nothing new, with the time to the next read. */
  readonly verbose: LogLevel;
  /** A wait that begins, goes on later or succeeds, each new status, each failed or throttled read, who lets go. */
  readonly info: LogLevel;
  /** A wait that ended with an error. */
  readonly warning: LogLevel;
  /** What a listener, or {@link Operation.letGo}, threw. */
  error(...message: unknown[]): void;
}

/** Of `@azure/core-tracing`, as every Azure client takes them. */
export interface TracingOptions {
  /** Holds the span that is to be the parent. Default: the one that is active when the wait begins. */
  readonly tracingContext?: TracingContext;
}

/** Of `@azure/core-tracing`; OpenTelemetry's `Context` is one. */
export interface TracingContext {
  /** What is kept under a key. */
  getValue(key: symbol): unknown;
  /** A context that has this too. */
  setValue(key: symbol, value: unknown): TracingContext;
  /** A context without it. */
  deleteValue(key: symbol): TracingContext;
}

/** What a wait knows at one moment. */
export interface WaitFacts {
  /** The operation's name in messages: `Operation.id`. */
  readonly operationId: string;
  /** The state; `undefined` before the first answer. */
  readonly status: OperationState | undefined;
  /** The state after the read before. */
  readonly previousStatus: OperationState | undefined;
  /** The highest percentage so far, 0 to 100; `undefined` where the service reports none. */
  readonly percentComplete: number | undefined;
  /** Whether the last answer brought another status or percentage than the one before. */
  readonly changed: boolean;
  /** Milliseconds since the wait began; a resumed one began where it was begun first. */
  readonly elapsedInMs: number;
  /** Milliseconds until the next read; `undefined` when there is none. */
  readonly nextPollInMs: number | undefined;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount: number;
  /** How many of them failed. */
  readonly failedReads: number;
}

/** Why a read failed; a {@link ReadError} is one. */
export interface ReadFailure {
  /** For people. */
  readonly message: string;
  /** The service's code, the system's, or one of this library's own. */
  readonly code: string;
  /** The HTTP status; `undefined` where there was no answer. */
  readonly statusCode: number | undefined;
  /** Whether the service said that it is asked too much. */
  readonly isThrottled: boolean;
}

/** How a wait ended: as the operation did, without knowing how it does, or because nobody waits any more. */
export interface WaitEnd {
  /** `left`: nobody waits any more; `gaveUp`: it is not known how the operation does. */
  readonly type: "succeeded" | "unsuccessful" | "gaveUp" | "left";
  /** What the callers got; of those who left by a signal, the signal's reason. */
  readonly error?: unknown;
}

/** Who watches one wait: from when somebody waits until nobody does. What it throws does not harm the wait. */
export interface WaitObserver {
  /** Handed to each read of the wait. */
  readonly readOptions?: Omit<ReadOptions, "abortSignal"> | undefined;
  /** Called after every answered read. */
  onAnswer(facts: WaitFacts): void;
  /** Called after every failed read. */
  onFailedRead(facts: WaitFacts, failure: ReadFailure): void;
  /** Called once, when the wait is over. */
  onEnd(facts: WaitFacts, end: WaitEnd): void;
}

/** What a read is given: what every Azure client's methods take. */
export interface ReadOptions {
  /** Fires when the answer is not wanted any more. */
  readonly abortSignal: AbortSignal;
  /** The parent of the request's span. */
  readonly tracingOptions?: TracingOptions | undefined;
}

/**
 * What the engine polls: the seam that a transport implements.
 * A read throws a {@link ReadError} that says whether it is worth trying again, or another {@link LroError} to end
 * the wait with it for good. Anything else counts as a passing fault, but for a `TypeError`, which counts as a bug.
 */
export interface Operation<P = unknown> {
  /** Names the operation in messages. Shown to people, so without signatures or secrets. */
  readonly id: string;
  /** Asks once. Settles soon after `abortSignal` fires; the engine does not wait for it longer than that. */
  read(options: ReadOptions): Promise<Reading<P>>;
  /** Told when nobody waits any more, so that nothing is sent on behalf of nobody. */
  letGo?(): void;
  /** What a resume token has to hold so that the operation is found again. */
  toJSON(): object;
  /** Default: what listeners throw goes to the console, and nothing else is logged. */
  readonly logger?: PollLogger;
  /** Asked whenever a wait begins for who watches it. Default: nobody. */
  observe?(facts: WaitFacts, tracingOptions: TracingOptions | undefined): WaitObserver | undefined;
  /** Whether the next read sends nothing, and so is paid from no budget. Default false. */
  readonly sendsNothing?: boolean;
  /** What its reads are paid from, together with those of other operations. One for each clock: tests have theirs. */
  readonly budgetOn?: (clock: Clock) => RequestBudget;
}

/** Whether nothing changes any more in this state. */
export function isTerminal(state: OperationState | undefined): state is TerminalState {
  return state === "Succeeded" || state === "Failed" || state === "Canceled";
}
