import type { Clock } from "../clock.ts";
import type { Limiter, RateLimit } from "./limiter.ts";
import type { OperationState, OperationStatus, StatusFields, TerminalStates } from "./status.ts";

/** A response to one poll, parsed. */
export interface StatusResponse<P = unknown> {
  /** The operation status. */
  readonly status: OperationStatus<P>;
  /** The least wait before the next poll that the service asked for, in milliseconds. */
  readonly retryAfterInMs?: number | undefined;
  /** The service's id of the request, for its support. */
  readonly requestId?: string | undefined;
  /** How many more requests the service accepts, where it says so. */
  readonly rateLimit?: RateLimit | undefined;
  /** The age of the operation in milliseconds, by the service's own clock, where it says so. */
  readonly ageInMs?: number | undefined;
  /** Whether the operation has succeeded, but its result needs one more request: the next poll brings it. */
  readonly isResultPending?: boolean | undefined;
}

/** One level of a log. Not called while it is not `enabled` (default: it is). */
export interface LogFunction {
  /** Writes a line. */
  (...message: unknown[]): void;
  /** Whether the line is shown anywhere. Default true. */
  readonly enabled?: boolean;
}

/**
 * The log for operators, in the shape of `@azure/logger`'s client loggers and at the levels of Azure's guidelines.
 * They keep warnings for what a caller sees fail, or may wait for in vain: a poll that is retried is none.
 */
export interface PollLogger {
  /** Each status that brought nothing new, with the time to the next poll. */
  readonly verbose: LogFunction;
  /**
   * A wait that starts, continues, is abandoned or succeeds; each new status; each failed or throttled poll. Once for a
   * wait: the fields that could not be read.
   */
  readonly info: LogFunction;
  /** A wait that ended with an error. Once for each word: an unknown state that came with an end time or an error. */
  readonly warning: LogFunction;
  /** An error that a listener, or {@link Operation.onAbandoned}, threw. */
  error(...message: unknown[]): void;
}

/** The tracing options of `@azure/core-tracing`, as every Azure client takes them. */
export interface TracingOptions {
  /** The context of the parent span. Default: the span that is active when the wait starts. */
  readonly tracingContext?: TracingContext;
}

/** The context of `@azure/core-tracing`; OpenTelemetry's `Context` is one. */
export interface TracingContext {
  /** Returns the value of a key. */
  getValue(key: symbol): unknown;
  /** Returns a context that has this value too. */
  setValue(key: symbol, value: unknown): TracingContext;
  /** Returns a context without this key. */
  deleteValue(key: symbol): TracingContext;
}

/** The time and the polls of a wait so far. */
export interface PollMetrics {
  /** Milliseconds since the wait started; a resumed wait keeps its first start. */
  readonly elapsedInMs: number;
  /** Milliseconds until the next poll; `undefined` when there is none. */
  readonly nextPollInMs: number | undefined;
  /** The polls so far, failed ones included. */
  readonly pollCount: number;
  /** The failed polls so far. */
  readonly failedPollCount: number;
}

/** The state of a poller at one moment. */
export interface PollerSnapshot extends PollMetrics {
  /** The operation's name in messages: `Operation.id`. */
  readonly operationId: string;
  /** The latest state; `undefined` before the first response. */
  readonly status: OperationState | undefined;
  /** The state after the poll before. */
  readonly previousStatus: OperationState | undefined;
  /** The highest percentage so far, 0 to 100; `undefined` where the service reports none. */
  readonly percentComplete: number | undefined;
  /** Whether the last response changed the status or the percentage. */
  readonly changed: boolean;
  /** The job of a queue whose worker polls. Only in the snapshot with which the observation of its poll starts. */
  readonly jobId?: string;
}

/** The reason why a poll failed; a {@link RequestError} is one. */
export interface PollFailure {
  /** The text for people. */
  readonly message: string;
  /** The service's code, the system's, or one of this library's own. */
  readonly code: string;
  /** The HTTP status; `undefined` where there was no response. */
  readonly statusCode: number | undefined;
  /** Whether the service said that there are too many requests. */
  readonly isThrottled: boolean;
}

/** How a wait ended. */
export interface PollerEnd {
  /**
   * `succeeded`, `failedOrCanceled`: as the operation did. `pollingFailed`: the status could not be read, or the time ran
   * out. `abandoned`: every caller has aborted its wait.
   */
  readonly type: "succeeded" | "failedOrCanceled" | "pollingFailed" | "abandoned";
  /** The error that callers got; for an abort, the signal's reason. */
  readonly error?: unknown;
}

/** Observes one wait, from its start until it ends or is abandoned. Errors that it throws do not affect the wait. */
export interface PollerObserver {
  /** Passed to each poll of the wait. */
  readonly getStatusOptions?: Pick<GetStatusOptions, "tracingOptions"> | undefined;
  /** Called after every response. */
  onResponse(snapshot: PollerSnapshot): void;
  /** Called after every failed poll. */
  onFailedPoll(snapshot: PollerSnapshot, failure: PollFailure): void;
  /** Called once, when the wait is over. */
  onEnd(snapshot: PollerSnapshot, end: PollerEnd): void;
  /**
   * Called in place of `onEnd` when a queue's worker has polled, and the job waits for its next poll. Each poll of a job
   * has an observer of its own, because any worker may make the next one.
   */
  onJobDelayed?(snapshot: PollerSnapshot): void;
}

/** Options of one poll: those that every Azure client's methods take. */
export interface GetStatusOptions {
  /** Fires when the response is no longer wanted. */
  readonly abortSignal: AbortSignal;
  /** The parent of the request's span. */
  readonly tracingOptions?: TracingOptions | undefined;
  /** The words of the wait's `terminalStates`. The operations of this library's clients apply them to the response. */
  readonly terminalStates?: TerminalStates | undefined;
  /**
   * Takes news of the operation between polls, such as its parts. It moves no planned poll, except that a terminal state
   * makes the poller poll at once. Only where a listener or an iteration follows the progress.
   */
  readonly onUpdate?: ((update: StatusUpdate) => void) | undefined;
}

/** News of an operation between two polls: the fields of its status that have changed. */
export type StatusUpdate = Partial<StatusFields<undefined>>;

/** Options of one request to cancel an operation. */
export interface CancelRequestOptions {
  /** The clock of the wait, for retries and time limits. */
  readonly clock: Clock;
  /** The maximum time of one attempt, in milliseconds: that of a poll. */
  readonly requestTimeoutInMs: number;
  /** The parent of the request's span. */
  readonly tracingOptions?: TracingOptions | undefined;
}

/**
 * An operation that a poller can poll: the interface between pollers and transports.
 *
 * `getStatus` throws a {@link RequestError} that says whether a retry is worth it, or another {@link LroError} to end the
 * wait with it. Anything else counts as transient, except a `TypeError` that is no network error: it counts as a bug
 * and ends the wait.
 */
export interface Operation<P = unknown> {
  /** The operation's name in messages. People see it, so it has no signatures or secrets. */
  readonly id: string;
  /** Sends one status request. Settles soon after `abortSignal` fires; the poller does not wait for it longer. */
  getStatus(options: GetStatusOptions): Promise<StatusResponse<P>>;
  /**
   * Asks the service to cancel the operation. Called once at most, unless the service rejects the request or gets none.
   * It resolves when the service has accepted the request. The next polls show the outcome.
   *
   * It throws a {@link RequestError}. A permanent one, or one with status 429, says that the service has rejected the
   * request; without a `statusCode`, that nothing was sent. After any other error the service may have received it.
   * Default: the operation cannot be canceled.
   */
  readonly cancel?: ((options: CancelRequestOptions) => Promise<unknown>) | undefined;
  /** Called when the last caller has gone, so that nothing is sent without need. */
  onAbandoned?(): void;
  /** Returns the fields by which a resume token finds the operation again. */
  toJSON(): object;
  /** Default: errors of listeners go to the console, and nothing else is logged. */
  readonly logger?: PollLogger;
  /**
   * Returns the observer of a wait that starts. In a queue's worker, that of one poll: then the snapshot has a `jobId`,
   * and is the state that was saved after the poll before. Default: none.
   */
  observe?(snapshot: PollerSnapshot, tracingOptions: TracingOptions | undefined): PollerObserver | undefined;
  /** Settles when the initial request has its response. There is no poll before that. Default: nothing to wait for. */
  readonly initialRequest?: Promise<unknown> | undefined;
  /** Whether the next poll sends no request, and so needs no rate limiter. Default false. */
  readonly needsNoRequest?: boolean;
  /** Returns the rate limiter that it shares with other operations. One for each clock: tests have their own. */
  readonly limiterFor?: (clock: Clock) => Limiter | undefined;
  /**
   * Returns whether another operation is this one by its own name, and is polled by the same client: a group polls both
   * once. Default: no other object is.
   */
  isSameAs?(other: Operation): boolean;
}
