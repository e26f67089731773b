import type { RequestError } from "../operation/errors.ts";
import type { Limiter } from "../operation/limiter.ts";
import type { Operation, PollerObserver, PollerSnapshot, StatusUpdate } from "../operation/operation.ts";
import type { OperationStatus } from "../operation/status.ts";
import type { StoppedPolling } from "../state/outcome.ts";
import { progressOf, snapshotOf } from "../state/progress.ts";
import type { Progress } from "../state/progress.ts";
import { tokenOf } from "../state/resume-token.ts";
import type { ResumeToken, ResumedState } from "../state/resume-token.ts";
import {
  afterUpdate,
  firstStep,
  initialState,
  lastPollInMs,
  nextStep,
  plausibleAge,
  remainingTimeout,
  retryAfterLeftInMs,
  startedAgain,
  transition,
} from "../state/state-machine.ts";
import type { NextStep, PollEvent, PollRules, PollState, StopReason } from "../state/state-machine.ts";
import { isolate } from "./isolate.ts";
import type { PollSettings } from "./options.ts";

const firstPoll: NextStep = { type: "wait", delayInMs: 0, until: "nextPoll" };

/** The state of polling one operation. It joins the pure core and the clock, sends nothing and sets no timer. */
export class PollSession<P> {
  readonly operation: Operation<P>;
  readonly settings: PollSettings;
  /** That of the latest request; `undefined` before the first. */
  limiter: Limiter | undefined;
  /** Changed here only, and by a job that restores what its token does not have. */
  state: PollState<P> = initialState;
  step: NextStep = firstPoll;
  /** Whether it polls until the operation ends, and not once. */
  isRunning = false;
  /** The clock's time when the wait started. */
  #startedAt: number | undefined;
  /** The end of the `timeoutInMs` of the latest wait, or of the wait that the token was written by. */
  #deadlineInMs: number | undefined;
  /** The interval of its demand on the limiter. A whole number takes no memory beside its place, and a demand would. */
  #intervalInMs: number | undefined;
  /** The same after the last response. */
  #usualIntervalInMs: number | undefined;

  constructor(operation: Operation<P>, settings: PollSettings) {
    this.operation = operation;
    this.settings = settings;
  }

  /** Changes to the rate limiter of the next request: it may go to another origin. */
  changeLimiter(): Limiter | undefined {
    const { clock, limiterFor } = this.settings;
    const limiter = limiterFor ? limiterFor(this.operation) : this.operation.limiterFor?.(clock);
    if (limiter !== this.limiter) {
      const intervalInMs = this.#intervalInMs;
      this.#changeInterval(Infinity);
      this.limiter = limiter;
      this.#changeInterval(intervalInMs);
    }
    return limiter;
  }

  get elapsedInMs(): number {
    return this.#startedAt === undefined ? 0 : this.settings.clock.now() - this.#startedAt;
  }

  /** How long the service's Retry-After still forbids a poll, in milliseconds. */
  get retryAfterInMs(): number {
    return retryAfterLeftInMs(this.state, this.elapsedInMs);
  }

  /** With a deadline and a stall only while it runs: a single poll has none. */
  get #rules(): PollRules {
    const { rules } = this.settings;
    if (!this.isRunning) return { ...rules, stallTimeoutInMs: Infinity };
    return this.#deadlineInMs === undefined ? rules : { ...rules, deadlineInMs: this.#deadlineInMs };
  }

  /** The operation is the user's code: its getter may throw. */
  get operationId(): string {
    return isolate(() => this.operation.id) ?? "(unknown)";
  }

  get snapshot(): PollerSnapshot {
    return snapshotOf(this.operationId, this.state, this.elapsedInMs, this.nextPoll);
  }

  /** The next step; `undefined` after a single poll. */
  get nextPoll(): NextStep | undefined {
    return this.isRunning ? this.step : undefined;
  }

  observe(): PollerObserver | undefined {
    return this.operation.observe?.(this.snapshot, this.settings.tracingOptions);
  }

  startClock(): void {
    if (this.#startedAt !== undefined) return;
    const { clock, startedAt = NaN } = this.settings;
    this.#startedAt = clock.now();
    this.state = { ...this.state, ageAtStartInMs: plausibleAge(clock.timestamp() - startedAt) };
  }

  /** By the age of an operation of which no poll is known: when a wait from its start would have polled first. */
  #firstPollInMs(): number {
    const { ageAtStartInMs = Infinity, pollCount, status, respondedAtInMs } = this.state;
    const isFirst = respondedAtInMs === undefined && pollCount === (status === undefined ? 0 : 1);
    if (!isFirst || ageAtStartInMs === Infinity) return 0;
    const { schedule, random } = this.settings;
    return schedule({ elapsedInMs: 0, pollCount }, random) - ageAtStartInMs - this.elapsedInMs;
  }

  /** Starts a wait, or another one. Returns the rest of its timeout in milliseconds, if it has one. */
  start(): number | undefined {
    const { elapsedInMs } = this;
    const { timeoutInMs } = this.settings;
    const leftInMs =
      timeoutInMs === Infinity ? remainingTimeout(this.#deadlineInMs, elapsedInMs) : timeoutInMs;
    // Waits that start together are spread, but each of them polls before its end.
    const latestInMs = Math.max(0, (leftInMs ?? Infinity) - lastPollInMs);
    this.#deadlineInMs = leftInMs === undefined ? undefined : elapsedInMs + leftInMs;
    this.state = startedAgain(this.state);
    // The user's code: where it throws, the first poll fails.
    const startDelayInMs = isolate(() => this.changeLimiter()?.startDelayInMs()) ?? 0;
    const firstPollInMs = isolate(() => this.#firstPollInMs()) ?? 0;
    this.continue(Math.min(Math.max(startDelayInMs, firstPollInMs), latestInMs));
    return leftInMs;
  }

  /** Lets the wait end this much later than now. */
  extendDeadline(byInMs: number): void {
    this.#deadlineInMs = this.elapsedInMs + byInMs;
  }

  /** Continues the same wait: its deadline and its outage stay. */
  continue(delayInMs = 0): void {
    this.isRunning = true;
    this.step = firstStep(this.state, this.elapsedInMs, this.#rules, delayInMs);
  }

  /** Stops polling, for now. */
  pause(): void {
    this.isRunning = false;
    this.#changeInterval(Infinity);
  }

  stop(reason: StopReason): void {
    // Before a token is written: a wait that continues after a timeout has a new one, or none.
    if (reason === "timedOut") this.#deadlineInMs = undefined;
    this.step = { type: "stop", reason };
  }

  /**
   * Takes in a response or a failure, and decides the next step.
   *
   * @throws any error of the user's own schedule: nothing else can decide when to poll next
   */
  apply(event: PollEvent<P>, stretch: number = this.#stretchByOthers()): void {
    const { schedule, random } = this.settings;
    this.state = transition(this.state, event);
    this.step = nextStep(this.state, event.atInMs, this.#rules, schedule, random, stretch);
    const delayInMs = this.step.type === "wait" ? this.step.delayInMs : 0;
    // A backoff is not stretched: counted as stretched, an outage would make the stretch grow without end. So would a
    // schedule of the user's that returns next to nothing.
    const isResponse = event.type === "response";
    const intervalInMs = delayInMs > 0 ? Math.max(1, delayInMs) / (isResponse ? stretch : 1) : Infinity;
    // Retries come often, but only until the outage is over: as a demand they would slow down all polls after it.
    if (isResponse) this.#usualIntervalInMs = intervalInMs;
    this.#changeInterval(this.isRunning ? Math.max(intervalInMs, this.#usualIntervalInMs ?? 0) : Infinity);
  }

  /** By the demand of the other operations: one that is alone need not give way. */
  #stretchByOthers(): number {
    this.#changeInterval(Infinity);
    return this.limiter?.stretch ?? 1;
  }

  /** Takes in news between polls, and returns the function that makes the progress. The next poll stays where it is. */
  update(update: StatusUpdate): () => Progress<P> {
    const { elapsedInMs, step, state } = this;
    const { respondedAtInMs = elapsedInMs, latest } = state;
    if (step.type === "wait")
      this.step = { ...step, delayInMs: step.delayInMs - (elapsedInMs - respondedAtInMs) };
    const status = { id: this.operationId, name: this.operationId, status: "", ...latest, ...update };
    this.state = afterUpdate(state, status, elapsedInMs);
    return this.progressOnDemand(status);
  }

  /** Stays from one response to the next: operations whose poll is queued want no less. */
  #changeInterval(intervalInMs: number = Infinity): void {
    this.limiter?.changeDemand(1 / intervalInMs - 1 / (this.#intervalInMs ?? Infinity));
    this.#intervalInMs = intervalInMs;
  }

  /** Made anew each time: to keep it would cost as much as all the rest of a wait. */
  latestProgress(): Progress<P> | undefined {
    const { latest } = this.state;
    return latest && this.progressOnDemand(latest)();
  }

  /** With a percentage an estimate costs more than all else that a response leads to: it is made on demand. */
  progressOnDemand(status: OperationStatus<P>): () => Progress<P> {
    const { settings } = this;
    const state = this.state;
    const { nextPoll } = this;
    const { latest = status } = state;
    let progress: Progress<P> | undefined;
    return () => (progress ??= progressOf(state, latest, nextPoll, settings.schedule));
  }

  /** Describes how polling stopped, by the current step unless a reason is given. */
  stopped(
    reason: StoppedPolling<P>["reason"] = this.step.type === "stop" ? this.step.reason : "pollingFailed",
  ): StoppedPolling<P> {
    return {
      reason,
      operationId: this.operationId,
      state: this.state,
      elapsedInMs: this.elapsedInMs,
      resumeToken: () => {
        const token = this.toJSON();
        // Without the initial response a token leads nowhere.
        return "initialRequest" in token.operation ? undefined : JSON.stringify(token);
      },
    };
  }

  /** Describes how a single poll failed. */
  stoppedByFailure(failure: RequestError | undefined = this.state.failure): StoppedPolling<P> {
    const isNotFound = this.step.type === "stop" && this.step.reason === "notFound";
    const stopped = this.stopped(isNotFound ? "notFound" : "pollingFailed");
    return { ...stopped, state: { ...stopped.state, failure } };
  }

  toJSON(): ResumeToken {
    const moment = { elapsedInMs: this.elapsedInMs, deadlineInMs: this.#deadlineInMs };
    return tokenOf(this.operation, this.state, moment, this.settings.clock.timestamp());
  }

  /** Takes over the state of a token. */
  restore({ state, elapsedInMs, deadlineInMs }: ResumedState): void {
    this.state = state;
    this.#startedAt = this.settings.clock.now() - elapsedInMs;
    this.#deadlineInMs = deadlineInMs;
  }
}
