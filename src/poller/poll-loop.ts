import { Audience } from "./subscribers.ts";
import type { Caller } from "./waiters.ts";
import type { ReadOptions, Reading } from "../operation/operation.ts";
import { isVerdict, outcomeOf, toReadError } from "../state/outcome.ts";
import type { Outcome } from "../state/outcome.ts";
import { failedReadAfter } from "../state/progress.ts";
import { Read } from "./status-request.ts";
import type { Reader } from "./status-request.ts";
import { Retries } from "./retries.ts";
import type { Answer, FailedAnswer } from "./retries.ts";
import type { WaitEnding, WaitEvent } from "../state/state-machine.ts";
import type { Wait } from "./poll-session.ts";

/** One loop of waits and reads for any number of callers. Nothing but the clock holds it while it waits. */
export class Engine<P> implements Reader<P> {
  readonly wait: Wait<P>;
  readonly audience: Audience<P>;
  #outcome: Outcome<P> | undefined;
  #callOffDeadline: (() => void) | undefined;
  #callOffWait: (() => void) | undefined;
  #pendingRead: Read<P> | undefined;
  /** The last read that was called off. */
  #leaving: Read<P> | undefined;
  /** For those who await the answer of the pending read. */
  #answer: PromiseWithResolvers<Answer<P>> | undefined;
  /** Gone with the next answer, or when nobody waits any more. */
  #retries: Retries<P> | undefined;

  constructor(wait: Wait<P>) {
    this.wait = wait;
    this.audience = new Audience(this);
  }

  get outcome(): Outcome<P> | undefined {
    return this.#outcome;
  }

  get pendingRead(): Read<P> | undefined {
    return this.#pendingRead;
  }

  get readOptions(): Omit<ReadOptions, "abortSignal"> | undefined {
    return this.audience.readOptions;
  }

  get readsAgain(): boolean {
    return this.wait.step.type === "wait";
  }

  isRetrying(retries: Retries<P>): boolean {
    return this.#retries === retries;
  }

  /** Lets a caller in, unless there is nothing to wait for any more. */
  enter(caller: Caller<P>): boolean {
    if (this.#outcome) caller.onOutcome(this.#outcome);
    if (this.#outcome || !this.audience.enter(caller)) return false;
    this.wait.startClock();
    return true;
  }

  /** Lets a caller wait for the end. */
  join(caller: Caller<P>): void {
    if (this.enter(caller) && !this.wait.isUnderWay) this.#run();
  }

  onEverybodyLeft(): void {
    this.#stop();
  }

  /** Ends the wait with this outcome for everybody who is here, and who comes later. */
  conclude(outcome: Outcome<P>): void {
    this.#outcome = outcome;
    this.#end(outcome);
  }

  /** Settles when the transport has let go of the last read that was called off, or has had its time to. */
  async whenGone(): Promise<void> {
    await this.#leaving?.whenGone();
  }

  #run(): void {
    const restInMs = this.wait.begin();
    if (restInMs !== undefined) {
      this.#callOffDeadline = this.wait.settings.clock.setTimer(() => this.#endBy("timedOut"), restInMs);
    }
    this.startWait();
  }

  #endBy(ending: WaitEnding): void {
    this.wait.end(ending);
    this.#end(this.#outcome ?? outcomeOf(this.wait.endOfWait()));
  }

  /** Begins the wait before the current step's read, in place of any other that is under way. */
  startWait(): void {
    this.#endWait();
    const { settings, step } = this.wait;
    if (step.type === "end" || step.delayInMs <= 0) return this.#onDue();
    // The deadline has a timer: one more for the same moment could fire first, and read against a Retry-After.
    if (step.until === "deadline") return;
    // Bound: it takes half the memory of an arrow function.
    this.#callOffWait = settings.clock.setTimer(this.#onDue.bind(this), step.delayInMs);
  }

  #endWait(): void {
    this.#callOffWait?.();
    this.#callOffWait = undefined;
  }

  #onDue(): void {
    this.#callOffWait = undefined;
    const { step } = this.wait;
    if (this.#retries?.isWaiting) this.#retries.goOn();
    else if (step.type === "end") this.#endBy(step.ending);
    else this.#read();
  }

  /** Begins a read, unless one is under way. */
  #read(): void {
    if (this.#pendingRead) return;
    const { operation, settings, budget } = this.wait;
    const ownBudget = operation.sendsNothing ? undefined : budget;
    this.#pendingRead = new Read(operation, settings.clock, settings.requestTimeoutInMs, ownBudget, this);
    this.#pendingRead.start();
  }

  /** The answer of the read under way, or of one that begins now. For ever pending if that is called off. */
  readForAnswer(): Promise<Answer<P>> {
    this.#answer ??= Promise.withResolvers();
    const { promise } = this.#answer;
    this.#read();
    return promise;
  }

  #takeAnswer(): PromiseWithResolvers<Answer<P>> | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }

  onReading(reading: Reading<P>): void {
    const { wait } = this;
    this.#pendingRead = undefined;
    const { staleAnswers } = wait.state;
    if (!this.#apply({ type: "answered", reading, atInMs: wait.elapsedInMs })) return;
    this.#retries = undefined;
    if (wait.step.type === "end") this.#outcome = outcomeOf(wait.endOfWait());
    const answer = this.#takeAnswer();
    const latestProgress = wait.progressOnDemand(reading.status);
    this.audience.tellProgress(latestProgress, wait.state.staleAnswers > staleAnswers);
    answer?.resolve({ progress: latestProgress() });
    if (wait.isUnderWay) this.startWait();
  }

  onFailure(error: unknown): void {
    const { wait } = this;
    this.#pendingRead = undefined;
    if (isVerdict(error)) return this.conclude({ type: "gaveUp", error });
    const failure = toReadError(error);
    const atInMs = wait.elapsedInMs;
    if (!this.#apply({ type: "failed", failure, atInMs })) return;
    const answer = this.#takeAnswer();
    const { step } = wait;
    // p-retry tells bugs from outages by the error itself, and takes what is no error for a bug.
    const failed = { reason: error instanceof TypeError ? error : failure, end: wait.endOfRead() };
    this.audience.tellFailedRead(failedReadAfter(failure, wait.state, atInMs, step));
    answer?.resolve(failed);
    // A listener may have begun another wait, which has its own first step.
    if (wait.isUnderWay && wait.step === step) this.#readAgain(failed);
  }

  #readAgain(failed: FailedAnswer<P>): void {
    if (this.#retries?.isWaiting) return this.startWait();
    if (this.#retries) return;
    // The wait for a read that was due without this one.
    this.#endWait();
    this.#retries = new Retries(this, failed);
    void this.#retries.start();
  }

  /** p-retry itself gives up on a TypeError that is no network error: a bug, not an outage. */
  onGiveUp(): void {
    this.#retries = undefined;
    if (this.readsAgain) this.wait.end("unreadable");
    this.startWait();
  }

  /** Returns whether the wait goes on as the rules say. */
  #apply(event: WaitEvent<P>): boolean {
    try {
      this.wait.apply(event);
      return true;
    } catch (error) {
      this.#end({ type: "gaveUp", error });
      return false;
    }
  }

  #end(outcome: Outcome<P>): void {
    this.#stop();
    this.audience.dismiss(outcome);
  }

  #stop(): void {
    const read = this.#pendingRead;
    this.wait.stop();
    this.#leaving = read ?? this.#leaving;
    this.#pendingRead = undefined;
    this.#answer = undefined;
    this.#retries = undefined;
    this.#endWait();
    this.#callOffDeadline?.();
    this.#callOffDeadline = undefined;
    this.#letGo();
    // At last: whoever hears of a request that is aborted may begin another wait.
    read?.callOff();
  }

  #letGo(): void {
    try {
      this.wait.operation.letGo?.();
    } catch (error) {
      this.audience.tellBug("An operation's letGo() failed; nobody waits for it any more.", error);
    }
  }
}
