import { cancelTimer, sleepInMs, startTimer } from "../clock.ts";
import type { RunningTimer } from "../clock.ts";
import { RequestError } from "../operation/errors.ts";
import type { LroError } from "../operation/errors.ts";
import type { PollerEnd, StatusResponse, StatusUpdate } from "../operation/operation.ts";
import { isTerminal } from "../operation/status.ts";
import { errorOf, outcomeOf } from "../state/outcome.ts";
import type { Outcome } from "../state/outcome.ts";
import { failedPollAfter } from "../state/progress.ts";
import { isComplete } from "../state/state-machine.ts";
import type { PollResult, StopReason } from "../state/state-machine.ts";
import { isolate } from "./isolate.ts";
import type { PollSession } from "./poll-session.ts";
import { StatusRequest, isFinalError, throttledError, timeoutError } from "./status-request.ts";
import type { StatusRequestHandler } from "./status-request.ts";
import { Subscribers } from "./subscribers.ts";
import { Waiters, isForOnePoll } from "./waiters.ts";
import type { UntilResponse, Waiter } from "./waiters.ts";

/** The most time that the poll after a deadline gets: that of a request by default. */
const maxLastPollInMs = 30_000;

/** The end of the time that a wait has. */
interface Deadline {
  /** By the clock. */
  readonly at: number;
  readonly cancel: () => void;
  /** Whether the next response ends the wait: the machine slept past the deadline. A failed poll is retried. */
  readonly isOfLastPoll: boolean;
}

/**
 * The one loop that polls for any number of waiters. It performs the steps that its session decides; while it waits,
 * only the clock's timer refers to it. At most one request is under way, and none after a terminal state.
 */
export class PollLoop<P> extends Waiters<P> implements StatusRequestHandler<P> {
  readonly session: PollSession<P>;
  readonly subscribers: Subscribers<P>;
  /** The final outcome; `undefined` while the wait can be started again. */
  outcome: Outcome<P> | undefined;
  #deadline: Deadline | undefined;
  #timer: RunningTimer | undefined;
  /** The clock's time at which the next poll is due, if it has a timer. */
  #dueAt: number | undefined;
  #request: StatusRequest<P> | undefined;
  #abortedRequest: StatusRequest<P> | undefined;
  /** The error of each `poll()` before the end of a Retry-After: to make thousands of them takes a second. */
  #tooEarly: Error | undefined;

  constructor(session: PollSession<P>) {
    super();
    this.session = session;
    this.subscribers = new Subscribers(session);
  }

  get getStatusOptions(): StatusRequestHandler<P>["getStatusOptions"] {
    const { getStatusOptions, hasProgressListeners } = this.subscribers;
    const isObserved = hasProgressListeners || this.waiters().some((waiter) => waiter.followsProgress);
    return isObserved ? { ...getStatusOptions, onUpdate: this.#onUpdate.bind(this) } : getStatusOptions;
  }

  /** Adds a waiter for the end of the operation. */
  waitUntilDone(waiter: Waiter<P>): void {
    if (this.#join(waiter) && !this.session.isRunning) this.#run();
  }

  /** Polls now, for this waiter. To send the request may take as long as a response, and no longer. */
  poll(waiter: UntilResponse<P>): void {
    if (!this.#join(waiter)) return;
    const { session } = this;
    // That of a response does not forbid a poll().
    if (session.state.isRetryAfterOfFailure && session.retryAfterInMs > 0)
      return waiter.abort((this.#tooEarly ??= errorOf(session.stoppedByFailure())));
    this.#send();
    if (waiter.isWaiting && this.#request?.isWaiting) this.#limitQueueing(waiter, this.#request);
  }

  /**
   * Polls now, unless the service has asked to wait or no caller waits. Returns whether a poll is under way that was sent
   * before.
   */
  pollSoon(): boolean {
    const isUnderWay = this.#request?.isWaiting === false;
    if (this.session.isRunning && this.session.retryAfterInMs <= 0) this.#send();
    return isUnderWay;
  }

  /** Ends the wait with this outcome, for every caller now and later. */
  conclude(outcome: Outcome<P>): void {
    this.outcome = outcome;
    this.#settle(outcome);
  }

  /** Ends the wait with an error that is no failed poll, unless it is over already. */
  concludeIfFinal(error: unknown): void {
    if (isFinalError(error) && this.outcome === undefined) this.conclude({ type: "pollingFailed", error });
  }

  /** Settles when the transport has settled the last request that was aborted, or has had its time to. */
  async whenAborted(): Promise<void> {
    await this.#abortedRequest?.whenSettled();
  }

  onResponse(response: StatusResponse<P>): void {
    const { session, subscribers } = this;
    const wasAsleep = this.#request?.hasSlept;
    const waiters = this.#waitersOfPoll();
    const { staleResponseCount } = session.state;
    if (!this.#apply({ type: "response", response })) return;
    // Only an operation ends for good: after a timeout the wait can be started again.
    if (isComplete(session.state)) this.outcome = outcomeOf(session.stopped());
    const latestProgress = session.progressOnDemand(response.status);
    subscribers.notifyResponse(session.state.staleResponseCount > staleResponseCount);
    for (const waiter of waiters) waiter.onProgress(latestProgress);
    subscribers.notifyProgress(latestProgress);
    if (session.isRunning) this.#performStep(wasAsleep);
  }

  onFailure(failure: LroError): void {
    if (!(failure instanceof RequestError)) return this.conclude({ type: "pollingFailed", error: failure });
    const { session } = this;
    const wasAsleep = this.#request?.hasSlept;
    const waiters = this.#waitersOfPoll();
    if (!this.#apply({ type: "failed", failure })) return;
    const { step } = session;
    const stopped = session.stoppedByFailure();
    this.subscribers.notifyFailedPoll(failedPollAfter(failure, stopped, session.nextPoll));
    let error: Error | undefined;
    for (const waiter of waiters) waiter.onFailedPoll(() => (error ??= errorOf(stopped)));
    // A listener may have started another wait, which has its own first step.
    if (session.isRunning && session.step === step) this.#performStep(wasAsleep);
  }

  /** Between polls only: a poll under way brings the news itself. */
  #onUpdate(update: StatusUpdate): void {
    const { session } = this;
    if (this.#request || !session.isRunning) return;
    if (isTerminal(update.status)) return this.#send();
    const latestProgress = session.update(update);
    // The others wait for a response.
    for (const waiter of this.waiters()) if (waiter.followsProgress) waiter.onProgress(latestProgress);
    this.subscribers.notifyProgress(latestProgress);
  }

  protected override onLastStopped(reason: unknown): void {
    const notifyEnd = this.subscribers.takeEnd();
    this.#stop();
    notifyEnd({ type: "abandoned", error: reason });
  }

  /** Adds a waiter. Returns whether it waits now: not where the outcome is known or one of its signals has fired. */
  #join(waiter: Waiter<P>): boolean {
    if (this.outcome) {
      waiter.onOutcome(this.outcome);
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
    if (leftInMs !== undefined) this.#setDeadline(leftInMs, false);
    this.#performStep();
  }

  #setDeadline(leftInMs: number, isOfLastPoll: boolean): void {
    const { clock } = this.session.settings;
    this.#deadline?.cancel();
    const cancel = clock.setTimer(() => this.#onTimeout(), leftInMs);
    this.#deadline = { at: clock.now() + leftInMs, cancel, isOfLastPoll };
  }

  /**
   * A machine that slept past the deadline polls once more: the operation may have ended in time. However short the time
   * since then, a poll or the end of a request that is late shows it. An operation that has succeeded gets time for the
   * request for its result.
   */
  #onTimeout(wasAsleep = false): void {
    const { session } = this;
    const { at: deadlineAt = Infinity, isOfLastPoll = false } = this.#deadline ?? {};
    const isLate = wasAsleep || session.settings.clock.now() >= deadlineAt + sleepInMs;
    const hasSlept = isLate && session.retryAfterInMs <= 0;
    const { isResultPending, isChange, failure } = session.state;
    const hasJustSucceeded = isResultPending && isChange && failure === undefined;
    if (isOfLastPoll || !(hasSlept || hasJustSucceeded)) return this.#stopBecause("timedOut");
    this.#setDeadline(maxLastPollInMs, true);
    session.extendDeadline(maxLastPollInMs);
    const request = this.#request;
    if (hasSlept && request && request.sentAt < deadlineAt) {
      this.#request = undefined;
      this.#dueAt = request.dueAt;
      // A listener of the abort may end the wait.
      request.abort();
    }
    this.#dueAt = Math.min(this.#dueAt ?? deadlineAt, deadlineAt);
    if (this.hasWaiters) this.#send();
  }

  /** Performs the current step, in place of any other that is waited for. */
  #performStep(wasAsleep = false): void {
    cancelTimer(this.#timer);
    this.#timer = undefined;
    const { settings, state, step } = this.session;
    if (step.type === "stop")
      return step.reason === "timedOut" ? this.#onTimeout(wasAsleep) : this.#stopBecause(step.reason);
    const isAnswered = state.failure === undefined && !state.isResultPending;
    if (this.#deadline?.isOfLastPoll && isAnswered) return this.#stopBecause("timedOut");
    // The deadline has a timer: another one for the same moment could fire first, and poll against a Retry-After.
    if (step.until === "deadline") return;
    if (step.delayInMs <= 0) return this.#send();
    const { clock } = settings;
    this.#dueAt = clock.now() + step.delayInMs;
    this.#timer = startTimer(clock, this, step.delayInMs);
  }

  /** The next poll is due. */
  onTimer(): void {
    this.#timer = undefined;
    const { at = Infinity } = this.#deadline ?? {};
    const now = this.session.settings.clock.now();
    if (now < at) this.#send();
    else this.#onTimeout(now > (this.#dueAt ?? now) + sleepInMs);
  }

  /** Sends a status request, unless one is under way. It may be late: a machine that sleeps sends nothing. */
  #send(): void {
    if (this.#request) return;
    this.#request = new StatusRequest(this.session, this, this.#dueAt);
    this.#dueAt = undefined;
    this.#request.start(() => this.session.changeLimiter());
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
        ? throttledError(throttledForInMs(), requestTimeoutInMs, request.isStarting)
        : timeoutError(requestTimeoutInMs);
      return errorOf(session.stoppedByFailure(failure));
    });
  }

  /** The waiters that hear of a poll. Where each waits for one poll only, there is no next one. */
  #waitersOfPoll(): readonly Waiter<P>[] {
    const waiters = this.waiters();
    if (waiters.every(isForOnePoll)) this.#pause();
    return waiters;
  }

  /** Takes the result of the request, and returns whether the session could decide the next step. */
  #apply(result: PollResult<P>): true | undefined {
    const idleInMs = this.#request?.idleInMs;
    this.#request = this.#tooEarly = undefined;
    const apply = (): true => {
      this.session.apply({ ...result, atInMs: this.session.elapsedInMs, idleInMs });
      return true;
    };
    return isolate(apply, (error) => this.#settle({ type: "pollingFailed", error }));
  }

  #stopBecause(reason: StopReason): void {
    this.session.stop(reason);
    this.#settle(this.outcome ?? outcomeOf(this.session.stopped()));
  }

  /**
   * Stops polling and settles the waiters. A timeout or a stall is not the failure of the poll under way: those who wait
   * for that one alone wait on.
   */
  #settle(outcome: Outcome<P>): void {
    // Both before user code runs, which may start another wait: that has waiters and an observer of its own.
    const waiters = this.takeWaiters(this.outcome === undefined && this.#request !== undefined);
    if (waiters.length === 0 && this.hasWaiters) return this.#pause();
    const notifyEnd = this.subscribers.takeEnd();
    this.#stop();
    if (waiters.length > 0) notifyEnd(endOf(outcome));
    if (this.hasWaiters) this.subscribers.notifyStart();
    for (const waiter of waiters) waiter.settle(outcome);
  }

  /** Stops polling, except for a poll that is under way for a waiter. */
  #stop(): void {
    this.#pause();
    if (this.hasWaiters) return;
    const request = this.#request;
    this.#abortedRequest = request ?? this.#abortedRequest;
    this.#request = undefined;
    // A listener of the abort may start another wait.
    request?.abort();
    if (!this.hasWaiters) this.subscribers.notifyAbandoned();
  }

  /** Cancels the next poll and the deadline. */
  #pause(): void {
    this.session.pause();
    cancelTimer(this.#timer);
    this.#deadline?.cancel();
    this.#dueAt = this.#timer = this.#deadline = undefined;
  }
}

function endOf<P>(outcome: Outcome<P>): PollerEnd {
  return outcome.type === "disposed" ? { type: "abandoned", error: outcome.error } : outcome;
}
