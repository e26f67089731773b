import pRetry from "p-retry";
import { Audience } from "./audience.ts";
import type { RequestBudget } from "./budget.ts";
import { Iteration, UntilDone, UntilRead } from "./callers.ts";
import type { Caller } from "./callers.ts";
import {
  firstStep,
  forgiven,
  holdInMs,
  initialState,
  nextStep,
  restOfTimeout,
  transition,
} from "./machine.ts";
import type { NextStep, WaitEnding, WaitEvent, WaitRules, WaitState } from "./machine.ts";
import type {
  Operation,
  OperationState,
  OperationStatus,
  ReadOptions,
  Reading,
  WaitFacts,
  WaitObserver,
} from "./operation.ts";
import type { PollSettings } from "./options.ts";
import { errorOf, isVerdict, outcomeOf, toReadError } from "./outcome.ts";
import type { EndOfWait, Outcome } from "./outcome.ts";
import type { CallOptions, Poller } from "./poller.ts";
import { factsOf, failedReadAfter, progressOf } from "./progress.ts";
import type { FailedRead, Progress } from "./progress.ts";
import { Read, heldBackError, timeoutError } from "./read.ts";
import type { Reader } from "./read.ts";
import { resumptionOf, tokenOf } from "./token.ts";
import type { ResumeToken } from "./token.ts";

function nothing(): void {}

/** What a read that nobody waits for any more leads to: it is collected with those who awaited it. */
function forever(): Promise<never> {
  return new Promise(nothing);
}

/** What a read brought to those who asked for it: an answer, or a failure as it left the wait then. */
type Answer<P> = { readonly progress: Progress<P> } | FailedAnswer<P>;

interface FailedAnswer<P> {
  readonly reason: unknown;
  readonly end: EndOfWait<P>;
}

/** The attempts of p-retry at one outage. */
interface Retries {
  /** Begins the next attempt; `undefined` but while that is waited for. */
  next: (() => void) | undefined;
}

const firstRead: NextStep = { type: "wait", delayInMs: 0, until: "nextRead" };

/** One loop for any number of callers. Nothing but the clock holds it while it waits. */
export class OperationPoller<P> implements Poller<P>, Reader<P> {
  readonly #operation: Operation<P>;
  readonly #settings: PollSettings;
  readonly #abortSignal: AbortSignal | undefined;
  readonly #audience: Audience<P>;
  readonly #budget: RequestBudget | undefined;
  #state: WaitState<P> = initialState;
  #outcome: Outcome<P> | undefined;
  /** What the clock showed when the wait began. */
  #begunAt: number | undefined;
  /** When `timeoutInMs` of the latest wait is over, or of the one that the token was of. */
  #deadlineInMs: number | undefined;
  #callOffDeadline: (() => void) | undefined;
  #step = firstRead;
  #rules: WaitRules;
  #isRunning = false;
  #pendingRead: Read<P> | undefined;
  /** The last read that was called off. */
  #leaving: Read<P> | undefined;
  /** For those who await the answer of the pending read. */
  #answer: PromiseWithResolvers<Answer<P>> | undefined;
  #callOffWait: (() => void) | undefined;
  /** What it asks of the budget, as long as it goes on. */
  #demand = 0;
  /** The attempts since the first failed read; gone with the next answer, or when nobody waits any more. */
  #retries: Retries | undefined;

  constructor(
    operation: Operation<P>,
    settings: PollSettings,
    budget: RequestBudget | undefined,
    abortSignal?: AbortSignal,
  ) {
    this.#operation = operation;
    this.#settings = settings;
    this.#rules = settings.rules;
    this.#budget = budget;
    this.#abortSignal = abortSignal;
    this.#audience = new Audience(this, operation.logger);
  }

  get status(): OperationState | undefined {
    return this.#state.status;
  }

  get isDone(): boolean {
    return this.#outcome !== undefined && this.#outcome.type !== "disposed";
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<P> {
    const caller = new UntilDone<P>(this.#signals(abortSignal));
    this.join(caller);
    return caller.promise;
  }

  poll({ abortSignal }: CallOptions = {}): Promise<Progress<P>> {
    const latest = this.latestProgress();
    const isOver = this.#outcome?.type === "succeeded" || this.#outcome?.type === "unsuccessful";
    if (isOver && latest) return Promise.resolve(latest);
    const caller = new UntilRead<P>(this.#signals(abortSignal));
    if (this.#enter(caller)) {
      const progress = this.#readNow();
      this.#limitQueueing(caller);
      const onFailure = (error: unknown): void => {
        caller.onAbort(error);
        caller.leave(error);
      };
      void progress.then((value) => caller.resolve(value)).then(() => caller.leave(), onFailure);
    }
    return caller.promise;
  }

  onProgress(listener: (progress: Progress<P>) => unknown): () => void {
    return this.#audience.onProgress(listener, this.latestProgress());
  }

  onFailedRead(listener: (failedRead: FailedRead) => unknown): () => void {
    return this.#audience.onFailedRead(listener);
  }

  // No generator: its return() would wait for the next answer before it lets go.
  [Symbol.asyncIterator](): AsyncIterator<Progress<P>, void, undefined> {
    let caller: Iteration<P> | undefined;
    return {
      next: () => {
        if (caller === undefined) {
          caller = new Iteration(this.#signals(), this.latestProgress());
          this.join(caller);
        }
        return caller.mailbox.next();
      },
      return: () => {
        caller?.leave();
        caller?.mailbox.close();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#outcome === undefined) {
      this.#outcome = { type: "disposed", error: errorOf(this.#endOfWait("disposed")) };
      this.#end(this.#outcome);
    }
    await this.#leaving?.whenGone();
  }

  toJSON(): ResumeToken {
    const moment = { elapsedInMs: this.#elapsedInMs(), deadlineInMs: this.#deadlineInMs };
    return tokenOf(this.#operation, this.#state, moment, this.#settings.clock.timestamp());
  }

  /** Made anew each time: of many thousand operations it would cost as much to keep as the rest. */
  latestProgress(): Progress<P> | undefined {
    const { latest } = this.#state;
    return latest && progressOf(this.#state, latest, this.#step, this.#settings.schedule);
  }

  /** Lets a caller wait for the end. */
  join(caller: Caller<P>): void {
    if (this.#enter(caller)) this.#run();
  }

  onEverybodyLeft(): void {
    this.#stop();
  }

  get facts(): WaitFacts {
    return factsOf(this.#operation.id, this.#state, this.#elapsedInMs(), this.#step);
  }

  observe(): WaitObserver | undefined {
    return this.#operation.observe?.(this.facts, this.#settings.tracingOptions);
  }

  get readOptions(): Omit<ReadOptions, "abortSignal"> | undefined {
    return this.#audience.readOptions;
  }

  #signals(own?: AbortSignal): readonly AbortSignal[] {
    return [this.#abortSignal, own].filter((signal) => signal !== undefined);
  }

  /** Takes over what the poller that wrote the token knew. */
  restore(token: ResumeToken): void {
    const { clock } = this.#settings;
    const { state, elapsedInMs, deadlineInMs } = resumptionOf(token, clock.timestamp());
    this.#state = state;
    this.#begunAt = clock.now() - elapsedInMs;
    this.#deadlineInMs = deadlineInMs;
  }

  #elapsedInMs(): number {
    return this.#begunAt === undefined ? 0 : this.#settings.clock.now() - this.#begunAt;
  }

  #enter(caller: Caller<P>): boolean {
    if (this.#outcome) caller.onOutcome(this.#outcome);
    if (this.#outcome || !this.#audience.enter(caller)) return false;
    this.#begunAt ??= this.#settings.clock.now();
    return true;
  }

  #run(): void {
    if (this.#isRunning) return;
    const elapsedInMs = this.#elapsedInMs();
    this.#isRunning = true;
    this.#setDeadline(elapsedInMs);
    this.#state = forgiven(this.#state);
    this.#step = firstStep(this.#state, elapsedInMs, this.#rules, this.#budget?.startDelayInMs());
    this.#startWait();
  }

  #setDeadline(elapsedInMs: number): void {
    const { clock, timeoutInMs, rules } = this.#settings;
    const restInMs = timeoutInMs === Infinity ? restOfTimeout(this.#deadlineInMs, elapsedInMs) : timeoutInMs;
    if (restInMs === undefined) return;
    this.#deadlineInMs = elapsedInMs + restInMs;
    this.#rules = { ...rules, deadlineInMs: this.#deadlineInMs };
    this.#callOffDeadline = clock.setTimer(() => this.#onDeadline(), restInMs);
  }

  #onDeadline(): void {
    this.#step = { type: "end", ending: "timedOut" };
    this.#endBy("timedOut");
  }

  #endBy(ending: WaitEnding): void {
    // Before the token is written: whoever goes on after a timeout has it anew, or none.
    if (ending === "timedOut") this.#deadlineInMs = undefined;
    this.#end(this.#outcome ?? outcomeOf(this.#endOfWait()));
  }

  /** Begins the wait before the current step's read, in place of any other that is under way. */
  #startWait(): void {
    this.#endWait();
    const step = this.#step;
    if (step.type === "end" || step.delayInMs <= 0) return this.#onDue();
    // The deadline has a timer: one more for the same moment could fire first, and read against a Retry-After.
    if (step.until === "deadline") return;
    this.#callOffWait = this.#settings.clock.setTimer(() => this.#onDue(), step.delayInMs);
  }

  #endWait(): void {
    this.#callOffWait?.();
    this.#callOffWait = undefined;
  }

  #onDue(): void {
    this.#callOffWait = undefined;
    const retries = this.#retries;
    if (retries?.next) return this.#goOn(retries, retries.next);
    if (this.#step.type === "end") this.#endBy(this.#step.ending);
    else this.#read();
  }

  #goOn(retries: Retries, next: () => void): void {
    retries.next = undefined;
    next();
  }

  /** Begins a read, unless one is under way. */
  #read(): void {
    if (this.#pendingRead) return;
    const { clock, requestTimeoutInMs } = this.#settings;
    const budget = this.#operation.sendsNothing ? undefined : this.#budget;
    this.#pendingRead = new Read(this.#operation, clock, requestTimeoutInMs, budget, this);
    this.#pendingRead.start();
  }

  /** The answer of the read under way, or of one that begins now. For ever pending if that is called off. */
  #readForAnswer(): Promise<Answer<P>> {
    this.#answer ??= Promise.withResolvers();
    const { promise } = this.#answer;
    this.#read();
    return promise;
  }

  async #readNow(): Promise<Progress<P>> {
    const isHeldBack = this.#state.isHeldBack && holdInMs(this.#state, this.#elapsedInMs()) > 0;
    if (isHeldBack) throw errorOf(this.#endOfRead());
    const answer = await this.#readForAnswer();
    if ("progress" in answer) return answer.progress;
    throw errorOf(answer.end);
  }

  /** Who asks for a read now waits for its answer no longer than for a read's, though the budget let none out. */
  #limitQueueing(caller: UntilRead<P>): void {
    const { clock, requestTimeoutInMs } = this.#settings;
    const read = this.#pendingRead;
    if (!read?.isQueued || requestTimeoutInMs === Infinity) return;
    const silenceInMs = (): number => this.#budget?.silenceInMs ?? 0;
    const reason = (): Error => {
      const failure = read.isQueued
        ? heldBackError(clock.timestamp(), silenceInMs(), requestTimeoutInMs)
        : timeoutError(requestTimeoutInMs);
      return errorOf({ ...this.#endOfWait("unreadable"), state: { ...this.#state, failure } });
    };
    caller.leaveAfter(clock, silenceInMs() < requestTimeoutInMs ? requestTimeoutInMs : 0, reason);
  }

  onReading(reading: Reading<P>): void {
    this.#pendingRead = undefined;
    const { staleAnswers } = this.#state;
    if (!this.#apply({ type: "answered", reading, atInMs: this.#elapsedInMs() })) return;
    this.#retries = undefined;
    if (this.#step.type === "end") this.#outcome = outcomeOf(this.#endOfWait());
    const answer = this.#takeAnswer();
    const latestProgress = this.#progressOnDemand(this.#state, this.#step, reading.status);
    this.#audience.tellProgress(latestProgress, this.#state.staleAnswers > staleAnswers);
    answer?.resolve({ progress: latestProgress() });
    if (this.#isRunning) this.#startWait();
  }

  onFailure(error: unknown): void {
    this.#pendingRead = undefined;
    if (isVerdict(error)) {
      this.#outcome = { type: "gaveUp", error };
      return this.#end(this.#outcome);
    }
    const failure = toReadError(error);
    const atInMs = this.#elapsedInMs();
    if (!this.#apply({ type: "failed", failure, atInMs })) return;
    const answer = this.#takeAnswer();
    const step = this.#step;
    // p-retry tells bugs from outages by the error itself, and takes what is no error for a bug.
    const failed = { reason: error instanceof TypeError ? error : failure, end: this.#endOfRead() };
    this.#audience.tellFailedRead(failedReadAfter(failure, this.#state, atInMs, step));
    answer?.resolve(failed);
    // A listener may have begun another wait, which has its own first step.
    if (this.#isRunning && this.#step === step) this.#readAgain(failed);
  }

  #readAgain(failed: FailedAnswer<P>): void {
    if (this.#retries?.next) return this.#startWait();
    if (this.#retries) return;
    // The wait for a read that was due without this one.
    this.#endWait();
    void this.#retry(failed);
  }

  /** Under a bar an estimate costs more than all else that an answer leads to: it is made when somebody looks. */
  #progressOnDemand(state: WaitState<P>, step: NextStep, status: OperationStatus<P>): () => Progress<P> {
    const { latest = status } = state;
    let progress: Progress<P> | undefined;
    return () => (progress ??= progressOf(state, latest, step, this.#settings.schedule));
  }

  #takeAnswer(): PromiseWithResolvers<Answer<P>> | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }

  /** Reads again after a failed read; whether and when is in the step that follows each. */
  async #retry(failed: FailedAnswer<P>): Promise<void> {
    const retries: Retries = { next: undefined };
    this.#retries = retries;
    let answer: Promise<Answer<P>> = Promise.resolve(failed);
    const isOver = (): boolean => this.#retries !== retries;
    const shouldRetry = async (): Promise<boolean> => {
      if (isOver()) return forever();
      await new Promise<void>((resolve) => {
        retries.next = () => {
          // At once: on its way through p-retry it would miss what other reads lead to.
          if (this.#step.type === "wait") answer = this.#readForAnswer();
          resolve();
        };
        this.#startWait();
      });
      return this.#step.type === "wait";
    };
    const read = async (): Promise<void> => {
      if (isOver()) return forever();
      const result = await answer;
      if ("reason" in result) throw result.reason;
    };
    try {
      await pRetry(read, { retries: Infinity, minTimeout: 0, shouldRetry });
    } catch {
      if (isOver()) return;
      this.#retries = undefined;
      // p-retry itself gives up on a TypeError that is no network error: a bug, not an outage.
      if (this.#step.type === "wait") this.#step = { type: "end", ending: "unreadable" };
      this.#startWait();
    }
  }

  /** Returns whether the wait goes on as the rules say. */
  #apply(event: WaitEvent<P>): boolean {
    const { schedule, random } = this.#settings;
    // By what the others ask: who is alone need not give way.
    this.#plan(0);
    const stretch = this.#budget?.stretch ?? 1;
    try {
      this.#state = transition(this.#state, event);
      this.#step = nextStep(this.#state, event.atInMs, this.#rules, schedule, random, stretch);
    } catch (error) {
      // The user's own schedule threw: nobody can say when to read next.
      this.#end({ type: "gaveUp", error });
      return false;
    }
    const delayInMs = this.#step.type === "wait" ? this.#step.delayInMs : 0;
    // A backoff is not stretched: taken for stretched, an outage would make the stretch grow without end. So would a
    // schedule of the user's that gives next to nothing.
    const stretched = event.type === "answered" ? stretch : 1;
    this.#plan(this.#isRunning && delayInMs > 0 ? stretched / Math.max(1, delayInMs) : 0);
    return true;
  }

  /** Stays from one answer to the next: those whose read queues ask no less. */
  #plan(demand: number): void {
    this.#budget?.plan(demand - this.#demand);
    this.#demand = demand;
  }

  #endOfWait(
    ending: EndOfWait<P>["ending"] = this.#step.type === "end" ? this.#step.ending : "unreadable",
  ): EndOfWait<P> {
    return {
      ending,
      operationId: this.#operation.id,
      state: this.#state,
      elapsedInMs: this.#elapsedInMs(),
      resumeToken: () => JSON.stringify(this),
    };
  }

  /** How the wait would end by the read that has failed. */
  #endOfRead(): EndOfWait<P> {
    const isGone = this.#step.type === "end" && this.#step.ending === "notFound";
    return this.#endOfWait(isGone ? "notFound" : "unreadable");
  }

  #end(outcome: Outcome<P>): void {
    this.#stop();
    this.#audience.dismiss(outcome);
  }

  #stop(): void {
    this.#isRunning = false;
    this.#pendingRead?.callOff();
    this.#leaving = this.#pendingRead ?? this.#leaving;
    this.#pendingRead = undefined;
    this.#answer = undefined;
    this.#retries = undefined;
    this.#endWait();
    this.#plan(0);
    this.#callOffDeadline?.();
    this.#callOffDeadline = undefined;
    this.#rules = this.#settings.rules;
    this.#letGo();
  }

  #letGo(): void {
    try {
      this.#operation.letGo?.();
    } catch (error) {
      this.#audience.tellBug("An operation's letGo() failed; nobody waits for it any more.", error);
    }
  }
}
