import { formatOperationError } from "./error-text.ts";
import type { InnerError, OperationError, OperationStatus } from "./status.ts";
import type { RateLimit } from "./limiter.ts";
import { describeValue, hideSecretsOf, withoutUrlSecrets } from "../redaction.ts";

/** How often which answer came: `{ "Running": 12, "503": 1, "ECONNRESET": 2 }`. */
export type ResponseCounts = Readonly<Record<string, number>>;

/** What every error of this library knows about the wait that it ends. */
export interface LroErrorContext {
  /** The last status that the service gave, if it gave one. */
  readonly operation?: OperationStatus | undefined;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount?: number;
  /** How often which answer came. */
  readonly responseCounts?: ResponseCounts;
  /** Hand it to `client.resume` to go on waiting, in this process or another. */
  readonly resumeToken?: string | undefined;
  /** What led to it. */
  readonly cause?: unknown;
}

/** The base of every error that a wait rejects with, but for an abort, which rejects with the signal's reason. */
export abstract class LroError extends Error {
  /** The service's error code where it gave one, else a word of this library's own. */
  readonly code: string;
  /** The last status that the service gave; `undefined` where it gave none. */
  readonly operation: OperationStatus | undefined;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount: number;
  /** How often which answer came. */
  readonly responseCounts: ResponseCounts;
  // Private, because a token may hold a URL that Azure has signed: it must not show when an error is logged.
  readonly #resumeToken: string | undefined;

  constructor(message: string, code: string, context: LroErrorContext = {}) {
    super(withoutUrlSecrets(message), "cause" in context ? { cause: context.cause } : {});
    this.code = code;
    this.operation = context.operation;
    this.pollCount = context.pollCount ?? 0;
    this.responseCounts = context.responseCounts ?? {};
    this.#resumeToken = context.resumeToken;
  }

  /** Hand it to `client.resume` to go on waiting, in this process or another. */
  get resumeToken(): string | undefined {
    return this.#resumeToken;
  }
}

hideSecretsOf(LroError);

/** What the two unsuccessful ends of an operation have in common: the service's error, as fields of its own. */
abstract class FailedOrCanceledError extends LroError implements OperationError {
  /** What the error is about, such as a resource's name. */
  readonly target: string | undefined;
  /** The errors that led to this one. Empty where the service gave none. */
  readonly details: readonly OperationError[];
  /** What lies beneath the code, level by level. */
  readonly innererror: InnerError | undefined;
  /** The service's id of the request that brought the news. */
  readonly requestId: string | undefined;

  constructor(ending: string, defaultCode: string, context: FailedOrCanceledContext) {
    const { error } = context.operation;
    const said = error === undefined ? "The service gave no error." : formatOperationError(error);
    super(`Operation ${context.operation.name} ${ending}. ${said}`, error?.code || defaultCode, context);
    this.target = error?.target;
    this.details = error?.details ?? [];
    this.innererror = error?.innererror;
    this.requestId = context.requestId;
  }
}

/** What the error of an unsuccessful operation is made from. */
interface FailedOrCanceledContext extends LroErrorContext {
  /** The status that says so. */
  readonly operation: OperationStatus;
  /** The service's id of the request that brought it. */
  readonly requestId?: string | undefined;
}

/** The operation ended as Failed. Carries the service's error whole. */
export class OperationFailedError extends FailedOrCanceledError {
  /** Tells it from other errors where `instanceof` cannot, as between two copies of the package. */
  override readonly name = "OperationFailedError" as const;
  constructor(context: FailedOrCanceledContext) {
    super("failed", "Failed", context);
  }
}

/** The operation ended as Canceled (by its user or the service, not by this wait's `abortSignal`). */
export class OperationCanceledError extends FailedOrCanceledError {
  /** Tells it from other errors where `instanceof` cannot. */
  override readonly name = "OperationCanceledError" as const;
  constructor(context: FailedOrCanceledContext) {
    super("was canceled", "Canceled", context);
  }
}

/** The request that was to begin the operation failed: there is nothing to wait for. */
export class OperationStartError extends LroError {
  /** Tells it from other errors where `instanceof` cannot. */
  override readonly name = "OperationStartError" as const;
  /** The HTTP status of the answer; `undefined` where there was none. */
  readonly statusCode: number | undefined;
  /** The service's id of the request, for its support. */
  readonly requestId: string | undefined;
  /** The service's own error, whole. */
  readonly error: OperationError | undefined;

  constructor(message: string, cause: RequestError) {
    super(message, cause.code, { cause });
    this.statusCode = cause.statusCode;
    this.requestId = cause.requestId;
    this.error = cause.error;
  }
}

/** The service knows no such operation: the id is wrong, or it is forgotten (DevCenter keeps one for about a day). */
export class OperationNotFoundError extends LroError {
  /** Tells it from other errors where `instanceof` cannot. */
  override readonly name = "OperationNotFoundError" as const;
}

/** `timeoutInMs` is over. The operation goes on; `resumeToken` lets a later wait go on too. */
export class PollingTimeoutError extends LroError {
  /** Tells it from other errors where `instanceof` cannot. */
  override readonly name = "PollingTimeoutError" as const;
}

/** The status could not be read. Says nothing about the operation, which goes on; the poller can be used again. */
export class PollingError extends LroError {
  /** Tells it from other errors where `instanceof` cannot. */
  override readonly name = "PollingError" as const;
  /** The HTTP status of the last failed read, if there was an answer. */
  readonly statusCode: number | undefined;
  /** The service's id of the last failed read's request, for its support. */
  readonly requestId: string | undefined;

  constructor(message: string, code: string, context: LroErrorContext = {}) {
    super(message, code, context);
    const failure = context.cause instanceof RequestError ? context.cause : undefined;
    this.statusCode = failure?.statusCode;
    this.requestId = failure?.requestId;
  }
}

/** What a {@link ContractError} may be told besides. */
export interface ContractErrorContext extends LroErrorContext {
  /** Words for what came. Default: a text is quoted, shortened and without its query string. */
  readonly describe?: (received: unknown) => string;
}

/** An answer that is not what the service's contract says. The engine counts it as a failed read. */
export class ContractError extends LroError {
  /** Tells it from other errors where `instanceof` cannot. */
  override readonly name = "ContractError" as const;
  /** Where: `$.startTime`. */
  readonly path: string;
  /** What should have come, in words. */
  readonly expected: string;
  /** What came, shortened, without query strings. */
  readonly received: string;

  constructor(path: string, expected: string, received: unknown, context: ContractErrorContext = {}) {
    const got = (context.describe ?? describeValue)(received);
    super(`${path === "$" ? "the body" : path}: expected ${expected}, got ${got}`, "ContractError", context);
    this.path = path;
    this.expected = expected;
    this.received = got;
  }
}

/**
 * Why a read failed, which decides what follows:
 * `transient`: tried again until the outage tolerance is over; `notFound`: tried again in the grace period;
 * `refused`: ends the wait at once.
 */
export type RequestErrorKind = "transient" | "notFound" | "permanent";

/** What a {@link RequestError} knows besides its message. */
export interface RequestErrorDetails {
  /** What follows from it. */
  readonly kind: RequestErrorKind;
  /** The service's `x-ms-error-code` or error code, or the system's (`ECONNRESET`). */
  readonly code?: string | undefined;
  /** The HTTP status; left out where there was no answer. */
  readonly statusCode?: number | undefined;
  /** The least wait before the next read that the service asked for, in milliseconds. */
  readonly retryAfterInMs?: number | undefined;
  /** Whether the service said that it is asked too much: then all reads that share its budget wait. */
  readonly isThrottled?: boolean | undefined;
  /** How many more requests the service takes, where it says so. */
  readonly rateLimit?: RateLimit | undefined;
  /** The service's id of the request, for its support. */
  readonly requestId?: string | undefined;
  /** The service's own error, whole. */
  readonly error?: OperationError | undefined;
  /** What led to it. */
  readonly cause?: unknown;
}

/** The code of a failed read for which nobody gave one. */
export const defaultRequestErrorCode = "RequestFailed";

/** A read of the status that failed: what a transport throws, and the `cause` of a {@link PollingError}. */
export class RequestError extends LroError implements RequestErrorDetails {
  /** Tells it from other errors where `instanceof` cannot. */
  override readonly name = "RequestError" as const;
  /** What follows from it. */
  readonly kind: RequestErrorKind;
  /** The HTTP status; `undefined` where there was no answer. */
  readonly statusCode: number | undefined;
  /** The least wait before the next read that the service asked for, in milliseconds. */
  readonly retryAfterInMs: number | undefined;
  /** Whether the service said that it is asked too much. */
  readonly isThrottled: boolean;
  /** How many more requests the service takes, where it says so. */
  readonly rateLimit: RateLimit | undefined;
  /** The service's id of the request, for its support. */
  readonly requestId: string | undefined;
  /** The service's own error, whole. */
  readonly error: OperationError | undefined;

  constructor(message: string, details: RequestErrorDetails) {
    super(
      message,
      details.code ?? defaultRequestErrorCode,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.kind = details.kind;
    this.statusCode = details.statusCode;
    this.retryAfterInMs = details.retryAfterInMs;
    this.isThrottled = details.isThrottled ?? false;
    this.rateLimit = details.rateLimit;
    this.requestId = details.requestId;
    this.error = details.error;
  }
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  const message: unknown =
    typeof thrown === "object" && thrown !== null && "message" in thrown ? thrown.message : thrown;
  if (typeof message === "string" && message !== "") return message;
  return `${thrown instanceof Error ? thrown.name : `a value of type ${typeof thrown}`} was thrown`;
}

/** The code of whatever was thrown: the system's, such as `ECONNRESET`, or a library's word. */
export function codeOf(thrown: unknown): string | undefined {
  const code: unknown =
    typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : undefined;
}
