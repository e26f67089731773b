import { RequestError } from "../operation/errors.ts";
import type { LroError } from "../operation/errors.ts";
import type { PollerEnd, PollerObserver, StatusResponse } from "../operation/operation.ts";
import { errorOf, outcomeOf } from "../state/outcome.ts";
import type { Outcome } from "../state/outcome.ts";
import { failedPollAfter } from "../state/progress.ts";
import { isComplete } from "../state/state-machine.ts";
import type { PollEvent, StopReason } from "../state/state-machine.ts";
import type { PollSession } from "./poll-session.ts";
import { StatusRequest, isFinalError, throttledError, timeoutError } from "./status-request.ts";
import type { StatusRequestHandler } from "./status-request.ts";
import { Subscribers } from "./subscribers.ts";
import { Waiters } from "./waiters.ts";
import type { UntilResponse, Waiter } from "./waiters.ts";

/**
 * The one loop that polls for any number of waiters. It performs the steps that its session decides; while it waits,
 * only the clock's timer refers to it. At most one request is under way, and none after a terminal state.
 */
export class PollLoop<P> extends Waiters<P> implements StatusRequestHandler<P> {
  readonly session: PollSession<P>;
  readonly subscribers: Subscribers<P>;
  #outcome: Outcome<P> | undefined;
  #cancelDeadline: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #request: StatusRequest<P> | undefined;
  #abortedRequest: StatusRequest<P> | undefined;

  constructor(session: PollSession<P>) {
    super();
    this.session = session;
    this.subscribers = new Subscribers(session);
  }

  /** The final outcome; `undefined` while the wait can be started again. */
  get outcome(): Outcome<P> | undefined {
    return this.#outcome;
  }

  get getStatusOptions(): PollerObserver["getStatusOptions"] {
    return this.subscribers.getStatusOptions;
  }

  /** Adds a waiter for the end of the operation. */
  waitUntilDone(waiter: Waiter<P>): void {
    if (this.#join(waiter) && !this.session.isRunning) this.#run();
  }

  /** Polls now, for this waiter. To send the request may take as long as a response, and no longer. */
  poll(waiter: UntilResponse<P>): void {
    if (!this.#join(waiter)) return;
    if (this.session.retryAfterOfFailureInMs > 0) {
      return waiter.abort(errorOf(this.session.stoppedByFailure()));
    }
    this.#send();
    if (waiter.isWaiting && this.#request?.isWaiting) this.#limitQueueing(waiter, this.#request);
  }

  /** Ends the wait with this outcome, for every caller now and later. */
  conclude(outcome: Outcome<P>): void {
    this.#outcome = outcome;
    this.#settle(outcome);
  }

  /** Ends the wait with an error that is no failed poll, unless it is over already. */
  concludeIfFinal(error: unknown): void {
    if (isFinalError(error) && this.#outcome === undefined) this.conclude({ type: "pollingFailed", error });
  }

  /** Settles when the transport has settled the last request that was aborted, or has had its time to. */
  async whenAborted(): Promise<void> {
    await this.#abortedRequest?.whenSettled();
  }

  onResponse(response: StatusResponse<P>): void {
    this.#request = undefined;
    const { session, subscribers } = this;
    const waiters = this.waiters();
    const { staleResponseCount } = session.state;
    if (!this.#apply({ type: "response", response, atInMs: session.elapsedInMs })) return;
    // Only an operation ends for good: after a timeout the wait can be started again.
    if (isComplete(session.state)) this.#outcome = outcomeOf(session.stopped("terminal"));
    const latestProgress = session.progressOnDemand(response.status);
    subscribers.notifyResponse(session.state.staleResponseCount > staleResponseCount);
    for (const waiter of waiters) waiter.onProgress(latestProgress);
    subscribers.notifyProgress(latestProgress);
    if (session.isRunning) this.#performStep();
  }

  onFailure(failure: LroError): void {
    this.#request = undefined;
    if (!(failure instanceof RequestError)) return this.conclude({ type: "pollingFailed", error: failure });
    const { session } = this;
    const waiters = this.waiters();
    const atInMs = session.elapsedInMs;
    if (!this.#apply({ type: "failed", failure, atInMs })) return;
    const { state, step } = session;
    const stopped = session.stoppedByFailure();
    this.subscribers.notifyFailedPoll(failedPollAfter(failure, state, atInMs, step));
    for (const waiter of waiters) waiter.onFailedPoll(() => errorOf(stopped));
    // A listener may have started another wait, which has its own first step.
    if (session.isRunning && session.step === step) this.#performStep();
  }

  protected override onLastStopped(reason: unknown): void {
    const notifyEnd = this.subscribers.takeEnd();
    this.#stop();
    notifyEnd({ type: "abandoned", error: reason });
  }

  /** Adds a waiter. Returns whether it waits now: not where the outcome is known or one of its signals has fired. */
  #join(waiter: Waiter<P>): boolean {
    if (this.#outcome) {
      waiter.onOutcome(this.#outcome);
      return false;
    }
    const isFirst = !this.hasWaiters;
    if (!this.addWaiter(waiter)) return false;
    if (isFirst) this.subscribers.notifyStart();
    this.session.startClock();
    return waiter.isWaiting;
  }

  #run(): void {
    const leftInMs = this.session.start();
    if (leftInMs !== undefined) {
      const { clock } = this.session.settings;
      this.#cancelDeadline = clock.setTimer(() => this.#stopBecause("timedOut"), leftInMs);
    }
    this.#performStep();
  }

  /** Performs the current step, in place of any other that is waited for. */
  #performStep(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { settings, step } = this.session;
    if (step.type === "stop") return this.#stopBecause(step.reason);
    // The deadline has a timer: another one for the same moment could fire first, and poll against a Retry-After.
    if (step.until === "deadline") return;
    if (step.delayInMs <= 0) return this.#send();
    // Bound: it takes half the memory of an arrow function.
    this.#cancelTimer = settings.clock.setTimer(this.#onDue.bind(this), step.delayInMs);
  }

  #onDue(): void {
    this.#cancelTimer = undefined;
    this.#send();
  }

  /** Sends a status request, unless one is under way. */
  #send(): void {
    if (this.#request) return;
    const { operation, settings } = this.session;
    this.#request = new StatusRequest(operation, settings, this.session.changeLimiter(), this);
    this.#request.start();
  }

  #limitQueueing(waiter: UntilResponse<P>, request: StatusRequest<P>): void {
    const { session } = this;
    const { clock, requestTimeoutInMs } = session.settings;
    if (requestTimeoutInMs === Infinity) return;
    const throttledForInMs = (): number =>
      session.operation.needsNoRequest ? 0 : (session.limiter?.throttledForInMs ?? 0);
    const limitInMs = throttledForInMs() < requestTimeoutInMs ? requestTimeoutInMs : 0;
    waiter.limit(clock, limitInMs, () => {
      const failure = request.isWaiting
        ? throttledError(throttledForInMs(), requestTimeoutInMs)
        : timeoutError(requestTimeoutInMs);
      return errorOf(session.stoppedByFailure(failure));
    });
  }

  /** Returns whether the session could decide the next step. */
  #apply(event: PollEvent<P>): boolean {
    try {
      this.session.apply(event);
      return true;
    } catch (error) {
      this.#settle({ type: "pollingFailed", error });
      return false;
    }
  }

  #stopBecause(reason: StopReason): void {
    this.session.stop(reason);
    this.#settle(this.#outcome ?? outcomeOf(this.session.stopped()));
  }

  /** Stops polling and settles every waiter. */
  #settle(outcome: Outcome<P>): void {
    // Both before user code runs, which may start another wait: that has waiters and an observer of its own.
    const waiters = this.takeWaiters();
    const notifyEnd = this.subscribers.takeEnd();
    this.#stop();
    if (waiters.length > 0) notifyEnd(endOf(outcome));
    for (const waiter of waiters) waiter.settle(outcome);
  }

  #stop(): void {
    const request = this.#request;
    this.session.pause();
    this.#abortedRequest = request ?? this.#abortedRequest;
    this.#request = undefined;
    this.#cancelTimer?.();
    this.#cancelDeadline?.();
    this.#cancelTimer = this.#cancelDeadline = undefined;
    // A listener of the abort may start another wait.
    request?.abort();
    if (!this.hasWaiters) this.#notifyAbandoned();
  }

  #notifyAbandoned(): void {
    const report = (error: unknown): void =>
      this.subscribers.reportBug(
        "An operation's onAbandoned() failed; no caller waits for it any more.",
        error,
      );
    try {
      const result: unknown = this.session.operation.onAbandoned?.();
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error);
    }
  }
}

function endOf<P>(outcome: Outcome<P>): PollerEnd {
  return outcome.type === "disposed" ? { type: "abandoned", error: outcome.error } : outcome;
}
