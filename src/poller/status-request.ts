import { cancelTimer, sleepInMs, startTimer } from "../clock.ts";
import type { RunningTimer } from "../clock.ts";
import { LroError, RequestError, codeOf, isBug, messageOf } from "../operation/errors.ts";
import { isObject } from "../operation/json-object.ts";
import type { Limiter, RequestResult } from "../operation/limiter.ts";
import type { GetStatusOptions, Operation, StatusResponse } from "../operation/operation.ts";
import { describeValue } from "../redaction.ts";
import { isolate } from "./isolate.ts";
import type { PollSettings } from "./options.ts";

/** How long a request that was aborted may take to settle. */
const abortGraceInMs = 1000;

/** Receives the outcome of one status request, once, unless the request is aborted. */
export interface StatusRequestHandler<P> {
  /** Options of the request beside its signal. */
  readonly getStatusOptions: Partial<GetStatusOptions> | undefined;
  onResponse(response: StatusResponse<P>): void;
  /** The poll has failed, or the operation has ended the wait with any other error. */
  onFailure(error: LroError): void;
}

/** The operation to poll, and how. */
interface PollSubject<P> {
  readonly operation: Operation<P>;
  readonly settings: Pick<PollSettings, "clock" | "requestTimeoutInMs" | "rules" | "terminalStates">;
  readonly limiter: Limiter | undefined;
}

/**
 * One status request. It waits for the initial request and for the rate limiter, and then for the response, its body
 * included, for a limited time. It does not rely on the transport to settle when its signal fires: one of the user's own
 * may never do so.
 */
export class StatusRequest<P> {
  readonly #subject: PollSubject<P>;
  readonly #handler: StatusRequestHandler<P>;
  /** The clock's time at which it was due; by default, that at which it was made. */
  readonly dueAt: number;
  /** The clock's time when it was sent; until then, never. */
  sentAt: number = Infinity;
  #queuedAt = Infinity;
  /** Whether the limiter let it wait because of failures alone: then an outage goes on. By the time of this request. */
  #isQueueOutage = false;
  #controller: AbortController | undefined;
  #sending: Promise<void> | undefined;
  /** The limiter that counts it as under way. */
  #sentBy: Limiter | undefined;
  #stage: "created" | "queued" | "sent" | "over" = "created";
  /** Also while it ends: to release the limiter and to abort the transport run user code. */
  #isAborted = false;
  #withdraw: (() => void) | undefined;
  #timeout: RunningTimer | undefined;

  constructor(subject: PollSubject<P>, handler: StatusRequestHandler<P>, dueAt: number = Infinity) {
    this.#subject = subject;
    this.#handler = handler;
    this.dueAt = Math.min(dueAt, subject.settings.clock.now());
  }

  /** May call the handler before it returns: an operation's `getStatus` is the user's code, and may throw. So may `prepare`. */
  start(prepare?: () => unknown): void {
    void isolate(
      () => {
        prepare?.();
        const { initialRequest } = this.#subject.operation;
        if (initialRequest === undefined) return this.#enqueue();
        // An initial request is no poll: it has a time limit of its own, and its waiting is no outage.
        const enqueue = (): void => this.#enqueue();
        return initialRequest.then(enqueue, enqueue);
      },
      (error) => this.#fail(error),
    );
  }

  /** How long it was due, but not under way. While the machine sleeps, nothing is. */
  get idleInMs(): number {
    const now = this.#subject.settings.clock.now();
    if (this.hasSlept) return now - this.dueAt;
    return Math.min(now, this.#isQueueOutage ? this.#queuedAt : this.sentAt) - this.dueAt;
  }

  /** Whether the machine slept. A request without a time limit may only have taken long: that is no outage either. */
  get hasSlept(): boolean {
    const { clock, requestTimeoutInMs } = this.#subject.settings;
    const limitInMs = requestTimeoutInMs === Infinity ? 30_000 : requestTimeoutInMs;
    return clock.now() > this.sentAt + limitInMs + sleepInMs;
  }

  /** Whether it waits for the initial request. */
  get isStarting(): boolean {
    return this.#stage === "created";
  }

  /** Whether it waits for the initial request or for the rate limiter. */
  get isWaiting(): boolean {
    return this.#stage === "created" || this.#stage === "queued";
  }

  abort(): void {
    this.#isAborted = true;
    this.#end(undefined, () => this.#controller?.abort());
  }

  /** Settles when the transport has settled after an abort, or has had its time to. */
  async whenSettled(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#subject.settings.clock.setTimer(resolve, abortGraceInMs);
    await Promise.race([this.#sending, promise]);
    cancel();
  }

  #enqueue(): void {
    if (this.#stage === "over") return;
    this.#stage = "queued";
    this.#queuedAt = this.#subject.settings.clock.now();
    const { operation } = this.#subject;
    const limiter = operation.needsNoRequest ? undefined : this.#subject.limiter;
    if (limiter) this.#withdraw = limiter.acquire(() => this.#send(limiter));
    else this.#send();
  }

  #send(limiter?: Limiter): void {
    const { clock, requestTimeoutInMs } = this.#subject.settings;
    if (requestTimeoutInMs !== Infinity) this.#timeout = startTimer(clock, this, requestTimeoutInMs);
    this.#stage = "sent";
    this.sentAt = clock.now();
    this.#isQueueOutage = limiter?.hasAcceptedSince?.(this.#queuedAt) === false;
    this.#controller = new AbortController();
    this.#sentBy = limiter;
    this.#sending = this.#getStatus(this.#controller.signal);
  }

  onTimer(): void {
    this.#fail(timeoutError(this.#subject.settings.requestTimeoutInMs));
  }

  async #getStatus(abortSignal: AbortSignal): Promise<void> {
    const { terminalStates } = this.#subject.settings;
    let response: StatusResponse<P>;
    let result: RequestResult;
    try {
      const { getStatusOptions } = this.#handler;
      response = await this.#subject.operation.getStatus({
        ...getStatusOptions,
        ...(terminalStates && { terminalStates }),
        abortSignal,
      });
      checkResponse(response);
      result = { isThrottled: false, rateLimit: response.rateLimit };
    } catch (error) {
      return this.#fail(error, error instanceof RequestError ? error : undefined);
    }
    if (this.#end(result) && !this.#isAborted) this.#handler.onResponse(response);
  }

  /** Ends the request. The rest of a response may still be under way. */
  #fail(error: unknown, result?: RequestResult): void {
    if (this.#end(result, () => this.#controller?.abort(error)) && !this.#isAborted)
      this.#handler.onFailure(isFinalError(error) ? error : toRequestError(error));
  }

  /** Returns whether it was under way. The abort comes before the limiter starts the next request. */
  #end(result: RequestResult | undefined, abort?: () => void): boolean {
    if (this.#stage === "over") return false;
    this.#stage = "over";
    cancelTimer(this.#timeout);
    this.#withdraw?.();
    abort?.();
    const { maxRetryDelayInMs } = this.#subject.settings.rules;
    this.#sentBy?.release(result && { ...result, maxRetryDelayInMs });
    return true;
  }
}

/**
 * Checks the response of a transport, which may be the user's own.
 *
 * @throws TypeError if it is none, {@link ContractError} if it has no state
 */
function checkResponse(response: unknown): void {
  const status: unknown = isObject(response) ? response["status"] : undefined;
  if (!isObject(status)) {
    throw new TypeError(`getStatus: expected a response with a status object, got ${describeValue(status)}`);
  }
  const word = status["status"];
  if (typeof word === "string" && word.trim() !== "") return;
  const message = `status.status: expected a state, got ${describeValue(word)}`;
  throw new RequestError(message, { kind: "transient", code: "ContractError" });
}

/** Returns whether the error ends the wait, and is more than a failed poll. */
export function isFinalError(error: unknown): error is LroError {
  // By its name: the class of a ContractError would be in the bundle of pages that parse no responses.
  return error instanceof LroError && !(error instanceof RequestError) && error.name !== "ContractError";
}

/** Makes the error of a failed poll from a thrown value. */
export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const kind = isBug(error) || isFinalError(error) ? "permanent" : "transient";
  return new RequestError(messageOf(error), { kind, code: codeOf(error), cause: error });
}

/** Makes the error of a poll whose turn in the rate limiter did not come in time. */
export function throttledError(
  throttledForInMs: number,
  limitInMs: number,
  isStarting: boolean,
): RequestError {
  const why = isStarting
    ? "the initial request has had no response yet"
    : throttledForInMs > 0
      ? `the service accepts no request for ${Math.ceil(throttledForInMs / 1000)} s (Retry-After)`
      : `other requests came first for ${Math.round(limitInMs)} ms`;
  return new RequestError(`not sent, because ${why}`, {
    kind: "transient",
    code: "Throttled",
    retryAfterInMs: throttledForInMs,
  });
}

/** Makes the error of a request that had no response in time. */
export function timeoutError(limitInMs: number): RequestError {
  return new RequestError(`no response within ${Math.round(limitInMs)} ms`, {
    kind: "transient",
    code: "RequestTimeout",
  });
}
