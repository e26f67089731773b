import pRetry from "p-retry";
import { Audience } from "./audience.ts";
import type { RequestBudget } from "./budget.ts";
import { Iteration, UntilDone, UntilRead } from "./callers.ts";
import type { Caller } from "./callers.ts";
import type { ReadError } from "./errors.ts";
import { firstStep, forgiven, holdInMs, initialState, nextStep, transition } from "./machine.ts";
import type { NextStep, WaitEvent, WaitRules, WaitState } from "./machine.ts";
import type { Operation, OperationState, Reading } from "./operation.ts";
import type { PollSettings } from "./options.ts";
import { errorOf, isVerdict, outcomeOf, toReadError } from "./outcome.ts";
import type { EndOfWait, Outcome } from "./outcome.ts";
import type { CallOptions, Poller } from "./poller.ts";
import { failedReadAfter, progressOf } from "./progress.ts";
import type { FailedRead, Progress } from "./progress.ts";
import { Read, heldBackError, timeoutError } from "./read.ts";
import { stateOf, tokenOf } from "./token.ts";
import type { ResumeToken } from "./token.ts";

function nothing(): void {}

/** What a read that nobody waits for any more leads to: it is collected with those who awaited it. */
function forever(): Promise<never> {
  return new Promise(nothing);
}

const firstRead: NextStep = { type: "wait", delayInMs: 0, until: "nextRead" };

/** One loop for any number of callers. Nothing but the clock holds it while it waits. */
export class OperationPoller<P> implements Poller<P> {
  readonly #operation: Operation<P>;
  readonly #settings: PollSettings;
  readonly #abortSignal: AbortSignal | undefined;
  readonly #audience: Audience<P>;
  readonly #budget: RequestBudget | undefined;
  #state: WaitState<P> = initialState;
  #outcome: Outcome<P> | undefined;
  /** What the clock showed when the wait began. */
  #begunAt: number | undefined;
  #deadline: { readonly atInMs: number; readonly callOff: () => void } | undefined;
  #step = firstRead;
  #isRunning = false;
  /** Counts the stops, so that what was under way before one does not go on after it. */
  #stops = 0;
  #pendingRead: { readonly progress: Promise<Progress<P>>; readonly read: Read<P> } | undefined;
  #callOffWait: (() => void) | undefined;
  /** What it asks of the budget, as long as it goes on. */
  #demand = 0;
  /** Lets a retry go on that awaits the end of the wait. */
  #retry: (() => void) | undefined;

  constructor(
    operation: Operation<P>,
    settings: PollSettings,
    budget: RequestBudget | undefined,
    abortSignal?: AbortSignal,
  ) {
    this.#operation = operation;
    this.#settings = settings;
    this.#budget = budget;
    this.#abortSignal = abortSignal;
    this.#audience = new Audience(this, operation.logger);
  }

  get status(): OperationState | undefined {
    return this.#state.status;
  }

  get isDone(): boolean {
    return this.#outcome !== undefined;
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<P> {
    return new Promise((resolve, reject) => {
      this.join(new UntilDone(this.#signals(abortSignal), resolve, reject));
    });
  }

  poll({ abortSignal }: CallOptions = {}): Promise<Progress<P>> {
    const latest = this.latestProgress();
    if (this.#outcome && this.#outcome.type !== "gaveUp" && latest) return Promise.resolve(latest);
    return new Promise((resolve, reject) => {
      const caller = new UntilRead<P>(this.#signals(abortSignal), reject);
      if (!this.#enter(caller)) return;
      const progress = this.#readNow();
      this.#limitQueueing(caller);
      void progress.then(resolve, reject).finally(() => caller.leave());
    });
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

  toJSON(): ResumeToken {
    return tokenOf(this.#operation, this.#state, this.#elapsedInMs(), this.#settings.clock.timestamp());
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

  #signals(own?: AbortSignal): readonly AbortSignal[] {
    return [this.#abortSignal, own].filter((signal) => signal !== undefined);
  }

  /** Takes over what the poller that wrote the token knew. */
  restore(token: ResumeToken): void {
    const { clock } = this.#settings;
    this.#state = stateOf(token);
    this.#begunAt = clock.now() - Math.max(0, clock.timestamp() - token.begunAt);
  }

  #elapsedInMs(): number {
    return this.#begunAt === undefined ? 0 : this.#settings.clock.now() - this.#begunAt;
  }

  #rules(): WaitRules {
    return { ...this.#settings.rules, deadlineInMs: this.#deadline?.atInMs ?? Infinity };
  }

  #enter(caller: Caller<P>): boolean {
    if (this.#outcome) caller.onOutcome(this.#outcome);
    if (this.#outcome || !this.#audience.enter(caller)) return false;
    this.#begunAt ??= this.#settings.clock.now();
    return true;
  }

  #run(): void {
    if (this.#isRunning) return;
    const { clock, timeoutInMs } = this.#settings;
    const elapsedInMs = this.#elapsedInMs();
    this.#isRunning = true;
    if (timeoutInMs !== Infinity) {
      const callOff = clock.setTimer(() => this.#onDeadline(), timeoutInMs);
      this.#deadline = { atInMs: elapsedInMs + timeoutInMs, callOff };
    }
    this.#state = forgiven(this.#state);
    this.#step = firstStep(this.#state, elapsedInMs, this.#rules(), this.#budget?.startDelayInMs());
    this.#startWait();
  }

  #onDeadline(): void {
    this.#step = { type: "end", ending: "timedOut" };
    this.#end(outcomeOf(this.#endOfWait()));
  }

  /** Begins the wait before the current step's read. */
  #startWait(): void {
    const step = this.#step;
    if (step.type === "end" || step.delayInMs <= 0) return this.#onDue();
    this.#callOffWait = this.#settings.clock.setTimer(() => this.#onDue(), step.delayInMs);
  }

  /** Stays from one answer to the next: those whose read queues ask no less. */
  #plan(demand: number): void {
    this.#budget?.plan(demand - this.#demand);
    this.#demand = demand;
  }

  #endWait(): void {
    this.#callOffWait?.();
    this.#callOffWait = undefined;
  }

  #onDue(): void {
    this.#endWait();
    const retry = this.#retry;
    this.#retry = undefined;
    if (retry) retry();
    else if (this.#step.type === "end") this.#end(this.#outcome ?? outcomeOf(this.#endOfWait()));
    else void this.#readOn(this.#stops);
  }

  /** Fits a wait under way to the step that somebody else's read led to. */
  #rearm(): void {
    if (this.#callOffWait === undefined) return;
    this.#endWait();
    this.#startWait();
  }

  async #readOn(stops: number): Promise<void> {
    await this.#readUntilAnswered(stops);
    if (stops === this.#stops) this.#startWait();
  }

  /** Retries failed reads; whether and when is in the step that follows each. */
  async #readUntilAnswered(stops: number): Promise<void> {
    const shouldRetry = async (): Promise<boolean> => {
      if (stops !== this.#stops) return forever();
      await new Promise<void>((resolve) => {
        this.#retry = resolve;
        this.#startWait();
      });
      return this.#step.type === "wait";
    };
    try {
      const read = (): Promise<unknown> => (stops === this.#stops ? this.#read() : forever());
      await pRetry(read, { retries: Infinity, minTimeout: 0, shouldRetry });
    } catch {
      // p-retry itself gives up on a TypeError that is no network error: a bug, not an outage.
      const isBug = stops === this.#stops && this.#step.type === "wait";
      if (isBug) this.#step = { type: "end", ending: "unreadable" };
    }
  }

  async #readNow(): Promise<Progress<P>> {
    if (!this.#state.isHeldBack || holdInMs(this.#state, this.#elapsedInMs()) === 0) {
      const progress = await this.#read().catch(nothing);
      if (progress) return progress;
    }
    const isGone = this.#step.type === "end" && this.#step.ending === "notFound";
    throw errorOf(this.#endOfWait(isGone ? "notFound" : "unreadable"));
  }

  /** Who asks for a read now waits for its answer no longer than for a read's, though the budget let none out. */
  #limitQueueing(caller: UntilRead<P>): void {
    const { clock, requestTimeoutInMs } = this.#settings;
    const { read } = this.#pendingRead ?? {};
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

  /** Joins the read under way, or begins one. */
  #read(): Promise<Progress<P>> {
    if (this.#pendingRead) return this.#pendingRead.progress;
    const { clock, requestTimeoutInMs } = this.#settings;
    const budget = this.#operation.sendsNothing ? undefined : this.#budget;
    const read = new Read(this.#operation, clock, requestTimeoutInMs, budget);
    this.#pendingRead = { progress: this.#handled(read), read };
    return this.#pendingRead.progress;
  }

  async #handled(read: Read<P>): Promise<Progress<P>> {
    const answer = await read.reading.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (this.#pendingRead?.read !== read) return forever();
    this.#pendingRead = undefined;
    if ("error" in answer && isVerdict(answer.error)) {
      this.#outcome = { type: "gaveUp", error: answer.error };
      return this.#endEarly(this.#outcome);
    }
    const { staleAnswers } = this.#state;
    const atInMs = this.#elapsedInMs();
    const event: WaitEvent<P> =
      "value" in answer
        ? { type: "answered", reading: answer.value, atInMs }
        : { type: "failed", failure: toReadError(answer.error), atInMs };
    try {
      this.#apply(event);
    } catch (error) {
      // The user's own schedule threw: nobody can say when to read next.
      return this.#endEarly({ type: "gaveUp", error });
    }
    if (event.type === "answered") return this.#answered(event.reading, staleAnswers);
    this.#failed(event.failure, atInMs);
    // p-retry tells bugs from outages by the error itself, and takes what is no error for a bug.
    throw "error" in answer && answer.error instanceof TypeError ? answer.error : event.failure;
  }

  #endEarly(outcome: Outcome<P>): Promise<never> {
    this.#end(outcome);
    return forever();
  }

  #answered(reading: Reading<P>, staleBefore: number): Progress<P> {
    if (this.#step.type === "end") this.#outcome = outcomeOf(this.#endOfWait());
    const { latest = reading.status } = this.#state;
    const progress = progressOf(this.#state, latest, this.#step, this.#settings.schedule);
    this.#audience.tellProgress(this.#operation.id, progress, this.#state.staleAnswers > staleBefore);
    this.#rearm();
    return progress;
  }

  #failed(failure: ReadError, atInMs: number): void {
    this.#audience.tellFailedRead(
      this.#operation.id,
      failedReadAfter(failure, this.#state, atInMs, this.#step),
    );
    this.#rearm();
  }

  #apply(event: WaitEvent<P>): void {
    const { schedule, random } = this.#settings;
    // By what the others ask: who is alone need not give way.
    this.#plan(0);
    const stretch = this.#budget?.stretch ?? 1;
    this.#state = transition(this.#state, event);
    this.#step = nextStep(this.#state, event.atInMs, this.#rules(), schedule, random, stretch);
    const delayInMs = this.#step.type === "wait" ? this.#step.delayInMs : 0;
    // A backoff is not stretched: taken for stretched, an outage would make the stretch grow without end.
    const stretched = event.type === "answered" ? stretch : 1;
    this.#plan(this.#isRunning && delayInMs > 0 ? stretched / delayInMs : 0);
  }

  #endOfWait(ending = this.#step.type === "end" ? this.#step.ending : "unreadable"): EndOfWait<P> {
    return {
      ending,
      operationId: this.#operation.id,
      state: this.#state,
      elapsedInMs: this.#elapsedInMs(),
      resumeToken: () => JSON.stringify(this),
    };
  }

  #end(outcome: Outcome<P>): void {
    this.#stop();
    this.#audience.dismiss(outcome);
  }

  #stop(): void {
    this.#isRunning = false;
    this.#stops++;
    this.#pendingRead?.read.callOff();
    this.#pendingRead = undefined;
    this.#endWait();
    this.#plan(0);
    this.#operation.letGo?.();
    this.#retry = undefined;
    this.#deadline?.callOff();
    this.#deadline = undefined;
  }
}
