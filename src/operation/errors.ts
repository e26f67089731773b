import isNetworkError from "is-network-error";
import { codeOfError, formatOperationError, hasCodeWithin, rootCauseOf } from "./error-text.ts";
import { parseOperationError } from "./parse-error.ts";
import type {
  ErrorAdditionalInfo,
  InnerError,
  OperationError,
  OperationStatus,
  RootCause,
} from "./status.ts";
import type { RateLimit } from "./limiter.ts";
import { describeValue, hideSecretsOf, withoutUrlSecrets } from "../redaction.ts";

/** The number of responses of each kind: `{ "Running": 12, "503": 1, "ECONNRESET": 2 }`. */
export type ResponseCounts = Readonly<Record<string, number>>;

/** The context of an error: the state of the wait that it ends. */
export interface LroErrorContext {
  /** The last status that the service sent, if any. */
  readonly operation?: OperationStatus | undefined;
  /** The polls so far, failed ones included. */
  readonly pollCount?: number;
  /** The number of responses of each kind. */
  readonly responseCounts?: ResponseCounts;
  /** The token with which `client.resume` continues, in this process or another. */
  readonly resumeToken?: string | undefined;
  /** The cause. */
  readonly cause?: unknown;
}

/** The base of every error that a wait rejects with. Only an abort rejects with the signal's own reason. */
export abstract class LroError extends Error {
  /** The service's error code where it sent one, else a code of this library. */
  readonly code: string;
  /** The last status that the service sent; `undefined` where it sent none. */
  readonly operation: OperationStatus | undefined;
  /** The polls so far, failed ones included. */
  readonly pollCount: number;
  /** The number of responses of each kind. */
  readonly responseCounts: ResponseCounts;
  // Private: a token may hold a URL that Azure has signed, which must not show when an error is logged.
  readonly #resumeToken: string | undefined;

  constructor(message: string, code: string, context: LroErrorContext = {}) {
    super(withoutUrlSecrets(message), "cause" in context ? { cause: context.cause } : {});
    this.code = code;
    this.operation = context.operation;
    this.pollCount = context.pollCount ?? 0;
    this.responseCounts = context.responseCounts ?? {};
    this.#resumeToken = context.resumeToken;
  }

  /** The token with which `client.resume` continues, in this process or another. */
  get resumeToken(): string | undefined {
    return this.#resumeToken;
  }
}

hideSecretsOf(LroError);

/** The response that has the error of the service. */
interface ErrorSource {
  /** The service's error, as it came or parsed. */
  readonly error?: unknown;
  /** The service's id of the request. */
  readonly requestId?: string | undefined;
}

/** The base of the errors that may have an error of the service. */
abstract class ServiceError extends LroError {
  readonly #serviceError: OperationError | undefined;
  /** The subject of the service's error, such as a resource's name. */
  readonly target: string | undefined;
  /** The errors that led to this one. Empty where the service sent none. */
  readonly details: readonly OperationError[];
  /** More specific codes, level by level. */
  readonly innererror: InnerError | undefined;
  /** More facts, such as the policy that refused the operation. Empty where the service sent none. */
  readonly additionalInfo: readonly ErrorAdditionalInfo[];
  /** The service's id of the request whose response has the error, for its support. */
  readonly requestId: string | undefined;

  constructor(message: string, code: string, context: LroErrorContext, source: ErrorSource) {
    super(message, code, context);
    const parsed = parseOperationError(source.error);
    this.#serviceError = parsed;
    this.target = parsed?.target;
    this.details = parsed?.details ?? [];
    this.innererror = parsed?.innererror;
    this.additionalInfo = parsed?.additionalInfo ?? [];
    this.requestId = source.requestId;
  }

  /** The service's error as it came; `undefined` where it sent none. */
  get error(): unknown {
    return this.#serviceError?.raw;
  }

  /** The most specific part of the service's error; `undefined` where it sent none. */
  get rootCause(): RootCause | undefined {
    return this.#serviceError && rootCauseOf(this.#serviceError);
  }

  /**
   * Returns whether `code` or a code anywhere in the service's error is this one, compared without case.
   *
   * @example
   * if (error.hasCode("ZonalAllocationFailed")) retryElsewhere();
   */
  hasCode(code: string): boolean {
    return hasCodeWithin({ code: this.code, innererror: this.#serviceError }, code);
  }
}

/** The base of the errors of an operation that has failed or was canceled. */
abstract class FailedOrCanceledError extends ServiceError {
  constructor(verb: string, defaultCode: string, context: FailedOrCanceledContext) {
    const error = parseOperationError(context.operation.error);
    const text = error === undefined ? "The service sent no error." : formatOperationError(error);
    const message = `Operation ${context.operation.name} ${verb}. ${text}`;
    const code = (error && codeOfError(error)) || defaultCode;
    super(message, code, context, { error, requestId: context.requestId });
  }
}

/** The context of an operation that has failed or was canceled. */
interface FailedOrCanceledContext extends LroErrorContext {
  /** The terminal status. */
  readonly operation: OperationStatus;
  /** The service's id of the request that said so. */
  readonly requestId?: string | undefined;
}

/** The operation has failed. The error has the service's whole error as data. */
export class OperationFailedError extends FailedOrCanceledError {
  /** The name, for cases where `instanceof` does not work, as between two copies of the package. */
  override readonly name = "OperationFailedError" as const;
  constructor(context: FailedOrCanceledContext) {
    super("failed", "Failed", context);
  }
}

/** The operation was canceled, by its user or the service; not by the `abortSignal` of this wait. */
export class OperationCanceledError extends FailedOrCanceledError {
  /** The name, for cases where `instanceof` does not work. */
  override readonly name = "OperationCanceledError" as const;
  constructor(context: FailedOrCanceledContext) {
    super("was canceled", "Canceled", context);
  }
}

/**
 * The initial request was not accepted. {@link OperationStartError.mayHaveStarted} says whether the operation may have
 * started all the same.
 */
export class OperationStartError extends ServiceError {
  /** The name, for cases where `instanceof` does not work. */
  override readonly name = "OperationStartError" as const;
  /** The HTTP status of the response; `undefined` where there was none. */
  readonly statusCode: number | undefined;

  /**
   * Whether the service may have received an attempt and started the operation, for example because the connection broke
   * before the response. If so, look for the resource before you start it again.
   */
  readonly mayHaveStarted: boolean;

  constructor(message: string, cause: RequestError, mayHaveStarted = false) {
    super(message, cause.code, { cause }, cause);
    this.statusCode = cause.statusCode;
    this.mayHaveStarted = mayHaveStarted;
  }
}

/** The service knows no such operation: the id is wrong, or it expired (DevCenter keeps one for about a day). */
export class OperationNotFoundError extends ServiceError {
  /** The name, for cases where `instanceof` does not work. */
  override readonly name = "OperationNotFoundError" as const;

  constructor(message: string, code: string, context: LroErrorContext = {}) {
    super(message, code, context, failedPollIn(context) ?? {});
  }
}

/**
 * `timeoutInMs` has passed (code `PollingTimeout`), or `stallTimeoutInMs` without a change (code `Stalled`). The operation
 * continues; `resumeToken` lets a later wait continue too.
 */
export class PollingTimeoutError extends LroError {
  /** The name, for cases where `instanceof` does not work. */
  override readonly name = "PollingTimeoutError" as const;
}

/** Polling failed. The operation may continue, and the poller can be used again. */
export class PollingError extends ServiceError {
  /** The name, for cases where `instanceof` does not work. */
  override readonly name = "PollingError" as const;
  /** The HTTP status of the last failed poll, if there was a response. */
  readonly statusCode: number | undefined;

  constructor(message: string, code: string, context: LroErrorContext = {}) {
    const failure = failedPollIn(context);
    super(message, code, context, failure ?? {});
    this.statusCode = failure?.statusCode;
  }
}

function failedPollIn({ cause }: LroErrorContext): RequestError | undefined {
  return cause instanceof RequestError ? cause : undefined;
}

/** The context of a {@link ContractError}. */
export interface ContractErrorContext extends LroErrorContext {
  /** Describes what came. Default: a text is quoted, shortened and without its query string. */
  readonly describe?: (received: unknown) => string;
}

/** A response that breaks the service's contract. A poller counts it as a failed poll. */
export class ContractError extends LroError {
  /** The name, for cases where `instanceof` does not work. */
  override readonly name = "ContractError" as const;
  /** The path of the field: `$.startTime`. */
  readonly path: string;
  /** The expected value, in words. */
  readonly expected: string;
  /** The received value, shortened, without query strings. */
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
 * The kind of a failed poll, which decides what follows. `transient`: retried until `outageToleranceInMs` has passed.
 * `notFound`: retried until `notFoundGraceInMs` has passed. `permanent`: ends the wait at once.
 */
export type RequestErrorKind = "transient" | "notFound" | "permanent";

/** The data of a {@link RequestError} beside its message. */
export interface RequestErrorDetails {
  /** Decides what follows. */
  readonly kind: RequestErrorKind;
  /** The service's `x-ms-error-code` or error code, or the system's (`ECONNRESET`). */
  readonly code?: string | undefined;
  /** The HTTP status; left out where there was no response. */
  readonly statusCode?: number | undefined;
  /** The least wait before the next poll that the service asked for, in milliseconds. */
  readonly retryAfterInMs?: number | undefined;
  /** Whether there were too many requests: then all polls of its rate limiter pause. Default: whether it is a 429. */
  readonly isThrottled?: boolean | undefined;
  /** How many more requests the service accepts, where it says so. */
  readonly rateLimit?: RateLimit | undefined;
  /** The service's id of the request, for its support. */
  readonly requestId?: string | undefined;
  /** The service's error, as it came or parsed. */
  readonly error?: unknown;
  /** The cause. */
  readonly cause?: unknown;
}

/** The code of a failed poll without any other. */
export const defaultRequestErrorCode = "RequestFailed";

/** A failed request: what {@link Operation.getStatus} throws, and the `cause` of a {@link PollingError}. */
export class RequestError extends ServiceError implements RequestErrorDetails {
  /** The name, for cases where `instanceof` does not work. */
  override readonly name = "RequestError" as const;
  /** Decides what follows. */
  readonly kind: RequestErrorKind;
  /** The HTTP status; `undefined` where there was no response. */
  readonly statusCode: number | undefined;
  /** The least wait before the next poll that the service asked for, in milliseconds. */
  readonly retryAfterInMs: number | undefined;
  /** Whether the service said that there are too many requests. */
  readonly isThrottled: boolean;
  /** How many more requests the service accepts, where it says so. */
  readonly rateLimit: RateLimit | undefined;

  constructor(message: string, details: RequestErrorDetails) {
    // A JavaScript caller may omit the details.
    if (typeof details !== "object" || details === null) {
      throw new TypeError(`details: expected an object with kind, got ${typeof details}`);
    }
    super(
      message,
      details.code ?? defaultRequestErrorCode,
      details.cause === undefined ? {} : { cause: details.cause },
      details,
    );
    this.kind = details.kind;
    this.statusCode = details.statusCode;
    this.retryAfterInMs = details.retryAfterInMs;
    this.isThrottled = details.isThrottled ?? details.statusCode === 429;
    this.rateLimit = details.rateLimit;
  }
}

/** Returns the message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  const message: unknown =
    typeof thrown === "object" && thrown !== null && "message" in thrown ? thrown.message : thrown;
  if (typeof message === "string" && message !== "") return message;
  return `${thrown instanceof Error ? thrown.name : `a value of type ${typeof thrown}`} was thrown`;
}

/** Returns the code of whatever was thrown: the system's, such as `ECONNRESET`, or a library's. */
export function codeOf(thrown: unknown): string | undefined {
  const code: unknown =
    typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Returns whether a value was thrown for a bug or a wrong argument: the next attempt would throw it again. */
export function isBug(error: unknown): boolean {
  return error instanceof TypeError && !isNetworkError(error);
}
