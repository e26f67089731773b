import pRetry from "p-retry";
import { Callers } from "./callers.ts";
import type { Caller } from "./callers.ts";
import { Listeners } from "./listeners.ts";
import { firstStep, forgiven, holdInMs, initialState, nextStep, transition } from "./machine.ts";
import type { NextStep, WaitEvent, WaitRules, WaitState } from "./machine.ts";
import { Mailbox } from "./mailbox.ts";
import type { Operation, OperationState, PollLogger, Reading } from "./operation.ts";
import { resolveOptions } from "./options.ts";
import type { PollOptions, PollSettings } from "./options.ts";
import { errorOf, outcomeOf, toReadError } from "./outcome.ts";
import type { EndOfWait, Outcome } from "./outcome.ts";
import { failedReadAfter, progressAfter } from "./progress.ts";
import type { FailedRead, Progress } from "./progress.ts";
import { beginRead } from "./read.ts";
import { stateOf, tokenOf } from "./token.ts";
import type { ResumeToken } from "./token.ts";

/** Options of one call on a {@link Poller}. */
export interface CallOptions {
  /** Lets this caller go, who rejects with the signal's own reason. Others wait on; the operation itself goes on. */
  readonly abortSignal?: AbortSignal;
}

/** Waits for one operation. Sends nothing until somebody waits, polls or iterates. Not a thenable. */
export interface Poller<P = unknown> extends AsyncIterable<Progress<P>> {
  /** The latest state; `undefined` before the first answer. */
  readonly status: OperationState | undefined;
  /** Whether the operation is over. */
  readonly isDone: boolean;
  /**
   * Waits for the end of the operation and resolves with its `properties`. Any number of callers share one loop.
   * When the last one lets go, the loop stops; a later call starts it again.
   *
   * @throws {@link OperationFailedError}, {@link OperationCanceledError}: the operation ended so
   * @throws {@link OperationNotFoundError}, {@link PollingError}: its status cannot be read
   * @throws {@link PollingTimeoutError}: `timeoutInMs` is over
   */
  pollUntilDone(options?: CallOptions): Promise<P>;
  /**
   * Reads once, now, and never twice at a time: the way to say "a webhook told me that it is done". Does not wait
   * for the pace that the service asked for, but stays silent while the Retry-After of a failed read runs.
   *
   * @throws {@link PollingError} or {@link OperationNotFoundError}: that one read failed, or is held back
   */
  poll(options?: CallOptions): Promise<Progress<P>>;
  /** Calls back after every answered read, and soon with the latest progress if there is one. Returns the way out. */
  onProgress(listener: (progress: Progress<P>) => unknown): () => void;
  /** Calls back after every failed read. Returns the way out. */
  onFailedRead(listener: (failedRead: FailedRead) => unknown): () => void;
  /** What `client.resume` needs to go on waiting later, in this process or another. */
  toJSON(): ResumeToken;
}

/**
 * Makes a poller for an operation.
 *
 * @throws RangeError or TypeError that names the option that is wrong
 */
export function createPoller<P>(operation: Operation<P>, options: PollOptions<P> = {}): Poller<P> {
  return new OperationPoller(operation, options);
}

/** Like {@link createPoller}, but goes on where the poller that wrote the token stopped. */
export function resumePoller<P>(
  operation: Operation<P>,
  token: ResumeToken,
  options: PollOptions<P> = {},
): Poller<P> {
  return new OperationPoller(operation, options, token);
}

/** Waits for an operation: {@link createPoller} and {@link Poller.pollUntilDone} in one call. */
export async function pollUntilDone<P>(operation: Operation<P>, options: PollOptions<P> = {}): Promise<P> {
  return createPoller(operation, options).pollUntilDone();
}

const fallbackLogger: PollLogger = { info() {}, warning: (...message) => console.warn(...message) };

function nothing(): void {}

function nextRead({ nextPollInMs }: { readonly nextPollInMs: number | undefined }): string {
  return nextPollInMs === undefined ? "" : ` Next read in ${Math.round(nextPollInMs)} ms.`;
}

/** Awaited by a loop that was stopped: it is collected with it. */
function forever(): Promise<never> {
  return new Promise(nothing);
}

/** One loop for any number of callers. It is stopped by forgetting it: see {@link forever}. */
class OperationPoller<P> implements Poller<P> {
  readonly #operation: Operation<P>;
  readonly #settings: PollSettings;
  readonly #abortSignal: AbortSignal | undefined;
  readonly #logger: PollLogger;
  readonly #listeners: Listeners<Progress<P>>;
  readonly #failedReadListeners: Listeners<FailedRead>;
  readonly #callers = new Callers<P>(() => this.#stop());
  #state: WaitState<P> = initialState;
  #progress: Progress<P> | undefined;
  #outcome: Outcome<P> | undefined;
  /** What the clock showed when the wait began. */
  #begunAt: number | undefined;
  #deadlineInMs = Infinity;
  #step: NextStep = { type: "wait", delayInMs: 0, until: "nextRead" };
  #loop: object | undefined;
  #pendingRead: { readonly progress: Promise<Progress<P>>; readonly callOff: () => void } | undefined;
  #callOffWait = nothing;
  /** Fits the wait under way to a step that came after it began. */
  #rearm = nothing;

  constructor(operation: Operation<P>, options: PollOptions<P>, token?: ResumeToken) {
    this.#operation = operation;
    this.#settings = resolveOptions(options);
    this.#abortSignal = options.abortSignal;
    this.#logger = operation.logger ?? fallbackLogger;
    this.#listeners = new Listeners(this.#logger, options.onProgress);
    this.#failedReadListeners = new Listeners(this.#logger, options.onFailedRead);
    if (token !== undefined) this.#restore(token);
  }

  get status(): OperationState | undefined {
    return this.#state.status;
  }

  get isDone(): boolean {
    return this.#outcome !== undefined;
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<P> {
    return new Promise((resolve, reject) => {
      this.#enter(abortSignal, {
        onOutcome: (outcome) =>
          outcome.type === "succeeded" ? resolve(outcome.result) : reject(outcome.error),
        onAbort: reject,
      });
      this.#ensureLoop();
    });
  }

  poll({ abortSignal }: CallOptions = {}): Promise<Progress<P>> {
    if (this.#outcome && this.#progress) return Promise.resolve(this.#progress);
    return new Promise((resolve, reject) => {
      const leave = this.#enter(abortSignal, {
        onOutcome: (outcome) => outcome.type === "unsuccessful" && !outcome.isFinal && reject(outcome.error),
        onAbort: reject,
      });
      if (leave) void this.#readNow().then(resolve, reject).finally(leave);
    });
  }

  onProgress(listener: (progress: Progress<P>) => unknown): () => void {
    const latest = this.#progress;
    if (latest) queueMicrotask(() => this.#listeners.call(listener, latest));
    return this.#listeners.add(listener);
  }

  onFailedRead(listener: (failedRead: FailedRead) => unknown): () => void {
    return this.#failedReadListeners.add(listener);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Progress<P>, void, undefined> {
    const mailbox = new Mailbox<Progress<P>>();
    if (this.#progress) mailbox.put(this.#progress);
    const leave = this.#enter(undefined, {
      onProgress: (progress) => mailbox.put(progress),
      onOutcome: (outcome) => mailbox.close(outcome.type === "succeeded" || outcome.isFinal ? {} : outcome),
      onAbort: (error) => mailbox.close({ error }),
    });
    this.#ensureLoop();
    try {
      yield* mailbox;
    } finally {
      leave?.();
    }
  }

  toJSON(): ResumeToken {
    return tokenOf(this.#operation, this.#state, this.#elapsedInMs(), this.#settings.clock.timestamp());
  }

  #restore(token: ResumeToken): void {
    const { clock } = this.#settings;
    this.#state = stateOf(token);
    this.#begunAt = clock.now() - Math.max(0, clock.timestamp() - token.begunAt);
  }

  #elapsedInMs(): number {
    const now = this.#settings.clock.now();
    this.#begunAt ??= now;
    return now - this.#begunAt;
  }

  #rules(): WaitRules {
    return { ...this.#settings.rules, deadlineInMs: this.#deadlineInMs };
  }

  #enter(abortSignal: AbortSignal | undefined, caller: Caller<P>): (() => void) | undefined {
    if (this.#outcome === undefined) return this.#callers.enter(caller, [this.#abortSignal, abortSignal]);
    caller.onOutcome?.(this.#outcome);
    return undefined;
  }

  #ensureLoop(): void {
    if (this.#loop || this.#callers.isEmpty) return;
    const elapsedInMs = this.#elapsedInMs();
    this.#deadlineInMs = elapsedInMs + this.#settings.timeoutInMs;
    this.#state = forgiven(this.#state);
    this.#step = firstStep(this.#state, elapsedInMs, this.#rules());
    this.#loop = {};
    void this.#run(this.#loop);
  }

  async #run(loop: object): Promise<void> {
    await this.#due();
    while (this.#step.type === "wait") {
      await this.#readUntilAnswered(loop);
      await this.#due();
    }
    if (loop === this.#loop) this.#end(this.#outcome ?? outcomeOf(this.#endOfWait()));
  }

  /** Retries failed reads; what to retry, and when, is in the step that follows each. */
  async #readUntilAnswered(loop: object): Promise<void> {
    const shouldRetry = async (): Promise<boolean> => {
      await this.#due();
      return this.#step.type === "wait";
    };
    try {
      const read = (): Promise<unknown> => (loop === this.#loop ? this.#read() : forever());
      await pRetry(read, { retries: Infinity, minTimeout: 0, shouldRetry });
    } catch {
      // p-retry itself gives up on a TypeError that is no network error: a bug, not an outage.
      if (this.#step.type === "wait") this.#step = { type: "end", ending: "unreadable" };
    }
  }

  /** Resolves when the wait of the current step is over. Stays pending when it is called off. */
  #due(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#callOffWait = this.#rearm = nothing;
        resolve();
      };
      this.#rearm = () => {
        this.#callOffWait();
        const step = this.#step;
        if (step.type === "end" || step.delayInMs <= 0) return settle();
        this.#callOffWait = this.#settings.clock.setTimer(() => {
          if (step.until === "deadline") this.#step = { type: "end", ending: "timedOut" };
          settle();
        }, step.delayInMs);
      };
      this.#rearm();
    });
  }

  async #readNow(): Promise<Progress<P>> {
    if (this.#state.failure === undefined || holdInMs(this.#state, this.#elapsedInMs()) === 0) {
      const progress = await this.#read().catch(nothing);
      if (progress) return progress;
    }
    throw errorOf(this.#endOfWait());
  }

  /** Joins the read under way, or begins one. */
  #read(): Promise<Progress<P>> {
    if (this.#pendingRead) return this.#pendingRead.progress;
    const { clock, requestTimeoutInMs } = this.#settings;
    const limitInMs = Math.min(requestTimeoutInMs, this.#deadlineInMs - this.#elapsedInMs());
    const { reading, callOff } = beginRead(this.#operation, clock, limitInMs);
    const isPending = (): boolean => this.#pendingRead?.callOff === callOff;
    this.#pendingRead = { progress: this.#handled(reading, isPending), callOff };
    return this.#pendingRead.progress;
  }

  async #handled(reading: Promise<Reading<P>>, isPending: () => boolean): Promise<Progress<P>> {
    const answer = await reading.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (!isPending()) return forever();
    this.#pendingRead = undefined;
    try {
      if ("value" in answer) return this.#answered(answer.value);
      this.#failed(answer.error);
    } catch (error) {
      // The user's own schedule threw: nobody can say when to read next.
      this.#end({ type: "unsuccessful", isFinal: false, error });
      return forever();
    }
    throw answer.error;
  }

  #answered(reading: Reading<P>): Progress<P> {
    const { staleAnswers } = this.#state;
    const atInMs = this.#apply({ type: "answered", reading, atInMs: this.#elapsedInMs() });
    if (this.#step.type === "end") this.#outcome = outcomeOf(this.#endOfWait());
    const { schedule } = this.#settings;
    this.#progress = progressAfter(this.#state, reading, atInMs, this.#step, this.#progress, schedule);
    this.#log(this.#progress, this.#state.staleAnswers > staleAnswers);
    this.#callers.tell(this.#progress);
    this.#listeners.notify(this.#progress);
    return this.#progress;
  }

  #failed(error: unknown): void {
    const failure = toReadError(error);
    const atInMs = this.#apply({ type: "failed", failure, atInMs: this.#elapsedInMs() });
    const failedRead = failedReadAfter(failure, this.#state, atInMs, this.#step);
    this.#logger.warning(
      `Operation ${this.#operation.id}: read failed: ${failure.message}.${nextRead(failedRead)}`,
    );
    this.#failedReadListeners.notify(failedRead);
  }

  #apply(event: WaitEvent<P>): number {
    const { schedule, random } = this.#settings;
    this.#state = transition(this.#state, event);
    this.#step = nextStep(this.#state, event.atInMs, this.#rules(), schedule, random);
    this.#rearm();
    return event.atInMs;
  }

  #log(progress: Progress<P>, isStale: boolean): void {
    const percent = progress.percentComplete === undefined ? "" : ` at ${progress.percentComplete} %`;
    const stale = isStale ? " (a stale answer was passed over)" : "";
    this.#logger.info(
      `Operation ${this.#operation.id}: ${progress.status}${percent}${stale}.${nextRead(progress)}`,
    );
  }

  #endOfWait(): EndOfWait<P> {
    return {
      ending: this.#step.type === "end" ? this.#step.ending : "unreadable",
      operationId: this.#operation.id,
      state: this.#state,
      elapsedInMs: this.#elapsedInMs(),
      resumeToken: JSON.stringify(this),
    };
  }

  #end(outcome: Outcome<P>): void {
    this.#stop();
    this.#callers.dismiss(outcome);
  }

  #stop(): void {
    this.#loop = undefined;
    this.#pendingRead?.callOff();
    this.#pendingRead = undefined;
    this.#callOffWait();
    this.#callOffWait = this.#rearm = nothing;
    this.#deadlineInMs = Infinity;
  }
}
