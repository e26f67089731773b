import { systemClock } from "../clock.ts";
import type { Operation } from "../operation/operation.ts";
import { isTerminal } from "../operation/status.ts";
import type { OperationState } from "../operation/status.ts";
import { errorOf } from "../state/outcome.ts";
import type { FailedPoll, Progress } from "../state/progress.ts";
import { resumedStateOf } from "../state/resume-token.ts";
import type { ResumeToken, ResumedState } from "../state/resume-token.ts";
import { isComplete } from "../state/state-machine.ts";
import { resolveOptions } from "./options.ts";
import type { PollOptions, PollSettings } from "./options.ts";
import { checkFunction } from "../validate.ts";
import { CancelAttempt, UntilCanceled, cancelNotSupported, cancelResultOf } from "./cancel.ts";
import type { CancelResult } from "./cancel.ts";
import { isolate } from "./isolate.ts";
import { PollLoop } from "./poll-loop.ts";
import { PollSession } from "./poll-session.ts";
import { Iteration, UntilDone, UntilResponse, iteratorOf, signalsOf } from "./waiters.ts";
import type { Waiter } from "./waiters.ts";

/** Options of one call on a {@link Poller}. */
export interface CallOptions {
  /** Aborts this call, which rejects with the signal's reason. Other calls wait on; the operation continues. */
  readonly abortSignal?: AbortSignal | undefined;
}

/** Polls one operation. Sends nothing until a caller waits, polls or iterates. Not a thenable. */
export interface Poller<P = unknown> extends AsyncIterable<Progress<P>> {
  /** The latest state; `undefined` before the first response. */
  readonly status: OperationState | undefined;
  /** Whether nothing is left to wait for: the operation is over, or did not start. */
  readonly isDone: boolean;
  /**
   * Polls until the operation ends, and resolves with its `properties`. Any number of callers share one loop. Without
   * callers the loop stops; a later call starts it again.
   *
   * @throws {@link OperationFailedError} if the operation fails
   * @throws {@link OperationCanceledError} if the operation is canceled
   * @throws {@link OperationNotFoundError} or {@link PollingError} if the status is not available; the operation may continue
   * @throws {@link PollingTimeoutError} if `timeoutInMs` passes first; the operation continues
   * @throws the reason of `abortSignal` if it fires
   */
  pollUntilDone(options?: CallOptions): Promise<P>;
  /**
   * Polls once, now: for a webhook that said that the operation is done. There are never two requests at the same time.
   *
   * It does not wait for the polling interval, but for the Retry-After of a failed poll. It waits for an initial request
   * that is under way, for its turn in the rate limiter and for the response, `requestTimeoutInMs` in all. It rejects at once where the service accepts no request for
   * longer than that (code `Throttled`). The timeout or stall of a wait beside it does not end it.
   *
   * @throws {@link PollingError} or {@link OperationNotFoundError} if that one poll fails
   */
  poll(options?: CallOptions): Promise<Progress<P>>;
  /**
   * Asks the service to cancel the operation, and polls until the outcome is known. Pending calls keep waiting, and end as
   * the operation does.
   *
   * Concurrent and later calls share one request. Another call sends it again only after the service has rejected it, or
   * where nothing could be sent. If its response is lost, the polls show the outcome. Nothing is sent for an operation that
   * is known to be over.
   *
   * @param options - `abortSignal` aborts this wait for the outcome. It does not take back the request
   * @throws {@link RequestError} if the request could not be sent; with code `CancelNotSupported` if none is known, before
   * anything is sent. The errors of a wait that ends before its operation, such as
   * {@link PollingTimeoutError}; {@link OperationStartError} if the operation did not start
   */
  cancelOperation(options?: CallOptions): Promise<CancelResult>;
  /**
   * Calls the listener after every response, and soon with the latest progress if there is one. Returns a function that
   * unsubscribes.
   */
  onProgress(listener: (progress: Progress<P>) => unknown): () => void;
  /** Calls the listener after every failed poll. Returns a function that unsubscribes. */
  onFailedPoll(listener: (failedPoll: FailedPoll) => unknown): () => void;
  /**
   * Returns the resume token, with which `client.resume` continues later, in this process or another.
   *
   * @example
   * ```ts
   * await writeFile("token.json", JSON.stringify(poller));
   * ```
   */
  toJSON(): ResumeToken;
  /**
   * Stops polling for good, as `await using` does at the end of a block. Resolves when the request under way is aborted,
   * after a second at most. The operation continues.
   *
   * Pending and later calls reject with a {@link PollingError} whose code is `Disposed`. Such a rejection that nothing
   * handles does not end the process. The result of an operation that is over stays available.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a poller for an operation.
 *
 * @example
 * ```ts
 * const poller = createPoller(client.operation("my-project", operationId), { timeoutInMs: 600_000 });
 * for await (const { status, percentComplete } of poller) console.log(status, percentComplete);
 * ```
 * @throws RangeError or TypeError that names the option that is wrong
 */
export function createPoller<P>(operation: Operation<P>, options: PollOptions<P> = {}): Poller<P> {
  return newPoller(operation, options);
}

/**
 * Polls an operation until it ends: {@link createPoller} and {@link Poller.pollUntilDone} in one call.
 *
 * @example
 * ```ts
 * const result = await pollUntilDone(client.operation("my-project", operationId), {
 *   onProgress: ({ status, percentComplete }) => console.log(status, percentComplete),
 * });
 * ```
 * @throws the errors of {@link Poller.pollUntilDone}; RangeError or TypeError that names the option that is wrong
 */
export async function pollUntilDone<P>(operation: Operation<P>, options: PollOptions<P> = {}): Promise<P> {
  return createPoller(operation, options).pollUntilDone();
}

/**
 * Creates a poller that continues where the one that wrote the token stopped. A `timeoutInMs` counts from now; without
 * one, the rest of the token's timeout counts.
 */
export function resumePoller<P>(
  operation: Operation<P>,
  token: ResumeToken,
  options: PollOptions<P> = {},
): Poller<P> {
  const poller = newPoller(operation, options);
  const { clock = systemClock, timeoutInMs } = options;
  const resumed = resumedStateOf(token, clock.timestamp());
  poller.restore(timeoutInMs === undefined ? resumed : { ...resumed, deadlineInMs: undefined });
  return poller;
}

function newPoller<P>(operation: Operation<P>, options: PollOptions<P>): OperationPoller<P> {
  checkOperation(operation);
  const settings = resolveOptions(options);
  const poller = new OperationPoller(operation, settings);
  if (options.onProgress) poller.onProgress(options.onProgress);
  if (options.onFailedPoll) poller.onFailedPoll(options.onFailedPoll);
  return poller;
}

/** A JavaScript caller may pass a URL in place of an operation. */
function checkOperation(operation: unknown): void {
  const isObject = typeof operation === "object" && operation !== null;
  const missing = ["id", "getStatus", "toJSON"].filter((member) => !(isObject && member in operation));
  if (missing.length === 0) return;
  const got = isObject ? `an object without ${missing.join(", ")}` : typeof operation;
  throw new TypeError(`operation: expected what client.operation() returns, got ${got}`);
}

/** The poller of one operation: the public side of its loop. */
export class OperationPoller<P> implements Poller<P> {
  readonly #loop: PollLoop<P>;
  /** The request to cancel, unless the service has certainly not accepted it. */
  #canceling: CancelAttempt<P> | undefined;

  constructor(operation: Operation<P>, settings: PollSettings) {
    this.#loop = new PollLoop(new PollSession(operation, settings));
    // Whether callers wait or not: after a failed start there is nothing to poll.
    isolate(() => operation.initialRequest)?.catch((error: unknown) => this.#loop.concludeIfFinal(error));
  }

  get operation(): Operation<P> {
    return this.#loop.session.operation;
  }

  get status(): OperationState | undefined {
    return this.#loop.session.state.status;
  }

  get isDone(): boolean {
    const { outcome } = this.#loop;
    return outcome !== undefined && outcome.type !== "disposed";
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<P> {
    const waiter = new UntilDone<P>(this.signals(abortSignal));
    this.#loop.waitUntilDone(waiter);
    return waiter.promise;
  }

  poll({ abortSignal }: CallOptions = {}): Promise<Progress<P>> {
    const latest = isComplete(this.#loop.session.state) && this.latestProgress();
    if (latest) return Promise.resolve(latest);
    const waiter = new UntilResponse<P>(this.signals(abortSignal));
    this.#loop.poll(waiter);
    return waiter.promise;
  }

  cancelOperation({ abortSignal }: CallOptions = {}): Promise<CancelResult> {
    const { session } = this.#loop;
    const { operation, state } = session;
    const { status } = state;
    // Before the initial response it may not be known.
    if (!operation.cancel && operation.initialRequest === undefined)
      return Promise.reject(cancelNotSupported(session.operationId));
    if (isTerminal(status)) return Promise.resolve(cancelResultOf(status));
    const waiter = new UntilCanceled(this.#loop, this.signals(abortSignal), () => {
      this.#canceling = undefined;
    });
    this.#loop.waitUntilDone(waiter);
    if (waiter.isWaiting) void waiter.follow((this.#canceling ??= new CancelAttempt(this.#loop)));
    return waiter.promise;
  }

  onProgress(listener: (progress: Progress<P>) => unknown): () => void {
    checkFunction("listener", listener);
    return this.#loop.subscribers.onProgress(listener, this.latestProgress());
  }

  onFailedPoll(listener: (failedPoll: FailedPoll) => unknown): () => void {
    checkFunction("listener", listener);
    return this.#loop.subscribers.onFailedPoll(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<Progress<P>, void, undefined> {
    return iteratorOf(
      () => new Iteration(this.signals(), this.latestProgress()),
      (waiter) => this.waitUntilDone(waiter),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { outcome, session } = this.#loop;
    if (outcome === undefined) {
      this.#loop.conclude({ type: "disposed", error: errorOf(session.stopped("disposed")) });
    }
    await this.#loop.whenAborted();
  }

  toJSON(): ResumeToken {
    return this.#loop.session.toJSON();
  }

  restore(resumed: ResumedState): void {
    this.#loop.session.restore(resumed);
  }

  latestProgress(): Progress<P> | undefined {
    return this.#loop.session.latestProgress();
  }

  waitUntilDone(waiter: Waiter<P>): void {
    this.#loop.waitUntilDone(waiter);
  }

  private signals(abortSignal?: AbortSignal): readonly AbortSignal[] {
    return signalsOf(this.#loop.session.settings.abortSignal, abortSignal);
  }
}
