import isNetworkError from "is-network-error";
import { ContractError, LroError, RequestError, codeOf, messageOf } from "../operation/errors.ts";
import { isObject } from "../operation/json-fields.ts";
import { parseWord } from "../operation/parse-status.ts";
import type { Limiter, RequestResult } from "../operation/limiter.ts";
import type { Operation, PollerObserver, StatusResponse } from "../operation/operation.ts";
import { describeValue } from "../redaction.ts";
import type { PollSettings } from "./options.ts";

/** How long a request that was aborted may take to settle. */
const abortGraceInMs = 1000;

/** Receives the outcome of one status request, once, unless the request is aborted. */
export interface StatusRequestHandler<P> {
  /** Options of the request beside its signal. */
  readonly getStatusOptions: PollerObserver["getStatusOptions"];
  onResponse(response: StatusResponse<P>): void;
  /** The poll has failed, or the operation has ended the wait with any other error. */
  onFailure(error: LroError): void;
}

/**
 * One status request. It waits for the initial request and for the rate limiter, and then for the response, its body
 * included, for a limited time. It does not rely on the transport to settle when its signal fires: one of the user's own
 * may never do so.
 */
export class StatusRequest<P> {
  readonly #operation: Operation<P>;
  readonly #settings: Pick<PollSettings, "clock" | "requestTimeoutInMs" | "rules" | "terminalStates">;
  readonly #limiter: Limiter | undefined;
  readonly #handler: StatusRequestHandler<P>;
  #controller: AbortController | undefined;
  #sending: Promise<void> | undefined;
  /** The limiter that counts it as under way. */
  #sentBy: Limiter | undefined;
  #stage: "created" | "queued" | "sent" | "over" = "created";
  /** Also while it ends: to release the limiter and to abort the transport run user code. */
  #isAborted = false;
  #withdraw: (() => void) | undefined;
  #cancelTimeout: (() => void) | undefined;

  constructor(
    operation: Operation<P>,
    settings: Pick<PollSettings, "clock" | "requestTimeoutInMs" | "rules" | "terminalStates">,
    limiter: Limiter | undefined,
    handler: StatusRequestHandler<P>,
  ) {
    this.#operation = operation;
    this.#settings = settings;
    this.#limiter = limiter;
    this.#handler = handler;
  }

  /** May call the handler before it returns: an operation's `getStatus` is the user's code, and may throw. */
  start(): void {
    const { initialRequest } = this.#operation;
    if (initialRequest === undefined) return this.#enqueue();
    // An initial request is no poll: it has a time limit of its own, and its waiting is no outage.
    const enqueue = (): void => this.#enqueue();
    void initialRequest.then(enqueue, enqueue);
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
    const cancel = this.#settings.clock.setTimer(resolve, abortGraceInMs);
    await Promise.race([this.#sending, promise]);
    cancel();
  }

  #enqueue(): void {
    if (this.#stage === "over") return;
    this.#stage = "queued";
    const limiter = this.#operation.needsNoRequest ? undefined : this.#limiter;
    if (limiter) this.#withdraw = limiter.acquire(() => this.#send(limiter));
    else this.#send();
  }

  #send(limiter?: Limiter): void {
    const { clock, requestTimeoutInMs } = this.#settings;
    if (requestTimeoutInMs !== Infinity) {
      this.#cancelTimeout = clock.setTimer(() => this.#onTimeout(requestTimeoutInMs), requestTimeoutInMs);
    }
    this.#stage = "sent";
    this.#controller = new AbortController();
    this.#sentBy = limiter;
    this.#sending = this.#getStatus(this.#controller.signal);
  }

  async #getStatus(abortSignal: AbortSignal): Promise<void> {
    const { getStatusOptions } = this.#handler;
    const { terminalStates } = this.#settings;
    let response: StatusResponse<P>;
    let result: RequestResult;
    try {
      response = await this.#operation.getStatus({
        ...getStatusOptions,
        ...(terminalStates && { terminalStates }),
        abortSignal,
      });
      checkResponse(response);
      result = { isThrottled: false, rateLimit: response.rateLimit };
    } catch (error) {
      // The rest of a response may still be under way.
      this.#controller?.abort(error);
      const isEnded = this.#end(error instanceof RequestError ? error : undefined);
      if (isEnded && !this.#isAborted)
        this.#handler.onFailure(isFinalError(error) ? error : toRequestError(error));
      return;
    }
    if (this.#end(result) && !this.#isAborted) this.#handler.onResponse(response);
  }

  #onTimeout(limitInMs: number): void {
    const error = timeoutError(limitInMs);
    this.#end(undefined, () => this.#controller?.abort(error));
    if (!this.#isAborted) this.#handler.onFailure(error);
  }

  /** Returns whether it was under way. The abort comes before the limiter starts the next request. */
  #end(result: RequestResult | undefined, abort?: () => void): boolean {
    if (this.#stage === "over") return false;
    this.#stage = "over";
    this.#cancelTimeout?.();
    this.#withdraw?.();
    abort?.();
    // With the `maxRetryDelayInMs` of the wait.
    this.#sentBy?.release(result && { ...this.#settings.rules, ...result });
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
  parseWord(status["status"], "status.status");
}

/** Returns whether the error ends the wait, and is more than a failed poll. */
export function isFinalError(error: unknown): error is LroError {
  return error instanceof LroError && !(error instanceof RequestError) && !(error instanceof ContractError);
}

/** Makes the error of a failed poll from a thrown value. A `TypeError` that is no network error is a bug. */
export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const kind = error instanceof TypeError && !isNetworkError(error) ? "permanent" : "transient";
  return new RequestError(messageOf(error), { kind, code: codeOf(error), cause: error });
}

/** Makes the error of a poll whose turn in the rate limiter did not come in time. */
export function throttledError(throttledForInMs: number, limitInMs: number): RequestError {
  const why =
    throttledForInMs > 0
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
