import { addAbortListener, removeAbortListener } from "../abort.ts";
import type { AbortListener } from "../abort.ts";
import { checkSignal } from "../validate.ts";
import type { Clock } from "../clock.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";
import { AsyncQueue } from "./async-queue.ts";

/**
 * One caller that waits, and whose signals abort its wait. The object itself is the signals' listener: with many
 * thousand waits each function costs memory. So does each class of a wait with a `#method`: V8 marks its objects, in 8 bytes.
 */
export abstract class Waiter<T> implements AbortListener {
  readonly #signals: readonly AbortSignal[];
  #waiters: Waiters<T> | undefined;

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals;
  }

  /** Whether it wants to know of news between polls. */
  get followsProgress(): boolean {
    return false;
  }

  /** Called after every response. The function makes the progress on demand. */
  onProgress(_latestProgress: () => Progress<T>): void {}
  /** Called after every failed poll. The function makes the error on demand. */
  onFailedPoll(_error: () => Error): void {}
  abstract onOutcome(outcome: Outcome<T>): void;
  abstract onAbort(reason: unknown): void;

  get isWaiting(): boolean {
    return this.#waiters !== undefined;
  }

  /** Returns whether it waits from now on: not where one of its signals has fired already. */
  join(waiters: Waiters<T>): boolean {
    const fired = this.#signals.find((signal) => signal.aborted);
    if (fired) {
      this.onAbort(fired.reason);
      return false;
    }
    this.#waiters = waiters;
    for (const signal of this.#signals) addAbortListener(signal, this);
    return true;
  }

  /** Stops waiting; the reason is that of an abort, if there was one. */
  stop(reason?: unknown): void {
    this.unsubscribe()?.removeWaiter(this, reason);
  }

  /** Stops waiting, because the outcome is known. */
  settle(outcome: Outcome<T>): void {
    this.unsubscribe();
    this.onOutcome(outcome);
  }

  /** Stops waiting for this reason. */
  abort(reason: unknown): void {
    this.stop(reason);
    this.onAbort(reason);
  }

  onSignal(): void {
    this.abort(this.#signals.find((signal) => signal.aborted)?.reason);
  }

  private unsubscribe(): Waiters<T> | undefined {
    for (const signal of this.#signals) removeAbortListener(signal, this);
    const waiters = this.#waiters;
    this.#waiters = undefined;
    return waiters;
  }
}

/** The callers that wait for one thing: an operation, a group, a job. */
export abstract class Waiters<T> {
  /** Most pollers of many thousand have one waiter: a set for each would cost more than the rest. */
  #waiters: Waiter<T> | Set<Waiter<T>> | undefined;

  /** Called when the last waiter has stopped waiting; the reason is that of its abort, if it was one. */
  protected abstract onLastStopped(reason: unknown): void;

  protected get hasWaiters(): boolean {
    return this.#waiters !== undefined;
  }

  /** A copy: while waiters are notified, some may stop waiting and others may join. */
  protected waiters(): readonly Waiter<T>[] {
    if (this.#waiters instanceof Set) return Array.from(this.#waiters);
    return this.#waiters ? [this.#waiters] : [];
  }

  /** Returns whether the waiter waits from now on. */
  protected addWaiter(waiter: Waiter<T>): boolean {
    if (!waiter.join(this)) return false;
    if (this.#waiters instanceof Set) this.#waiters.add(waiter);
    else this.#waiters = this.#waiters ? new Set([this.#waiters, waiter]) : waiter;
    return true;
  }

  removeWaiter(waiter: Waiter<T>, reason?: unknown): void {
    if (this.#waiters instanceof Set) this.#waiters.delete(waiter);
    if (this.#waiters === waiter || (this.#waiters instanceof Set && this.#waiters.size === 0)) {
      this.#waiters = undefined;
      this.onLastStopped(reason);
    }
  }

  /** Removes the waiters, which the caller settles; if asked to, it leaves those for one poll. */
  protected takeWaiters(leavesPolls = false): readonly Waiter<T>[] {
    const waiters = this.waiters();
    const rest = leavesPolls ? waiters.filter(isForOnePoll) : [];
    this.#waiters = rest.length > 0 ? new Set(rest) : undefined;
    return rest.length > 0 ? waiters.filter((waiter) => !isForOnePoll(waiter)) : waiters;
  }
}

/** Returns whether it waits for the response of one poll, and not for the end of the operation. */
export function isForOnePoll(waiter: unknown): boolean {
  return waiter instanceof UntilResponse;
}

/** Checks the signals, and returns those that are given. */
export function signalsOf(...signals: readonly (AbortSignal | undefined)[]): readonly AbortSignal[] {
  for (const signal of signals) checkSignal(signal);
  return signals.filter((signal) => signal !== undefined);
}

function ignore(): void {}

/** A caller that awaits one promise. */
export abstract class PromiseWaiter<T, R> extends Waiter<T> {
  readonly #settlers = Promise.withResolvers<R>();

  get promise(): Promise<R> {
    return this.#settlers.promise;
  }

  protected resolve(value: R): void {
    this.#settlers.resolve(value);
  }

  override onAbort(reason: unknown): void {
    this.#settlers.reject(reason);
  }

  protected onFailure(outcome: Exclude<Outcome<T>, { type: "succeeded" }>): void {
    // A block that throws never awaits the waits that it has started: that must not end the process.
    if (outcome.type === "disposed") this.promise.catch(ignore);
    this.#settlers.reject(outcome.error);
  }
}

/** Waits for the end of the operation. */
export class UntilDone<T> extends PromiseWaiter<T, T> {
  override onOutcome(outcome: Outcome<T>): void {
    if (outcome.type === "succeeded") this.resolve(outcome.result);
    else this.onFailure(outcome);
  }
}

/** Waits for one response. */
export class UntilResponse<T> extends PromiseWaiter<T, Progress<T>> {
  #cancelLimit: (() => void) | undefined;

  /** Rejects after this time, with the error that there is then. */
  limit(clock: Clock, delayInMs: number, error: () => Error): void {
    this.#cancelLimit = clock.setTimer(() => this.abort(error()), delayInMs);
  }

  override onProgress(latestProgress: () => Progress<T>): void {
    this.resolve(latestProgress());
    this.stop();
  }

  override onFailedPoll(error: () => Error): void {
    this.abort(error());
  }

  override stop(reason?: unknown): void {
    this.#cancelLimit?.();
    super.stop(reason);
  }

  override onOutcome(outcome: Outcome<T>): void {
    this.#cancelLimit?.();
    if (outcome.type === "pollingFailed" || outcome.type === "disposed") this.onFailure(outcome);
  }
}

/** Iterates over the progress. */
export class Iteration<T> extends Waiter<T> {
  readonly queue: AsyncQueue<Progress<T>> = new AsyncQueue();

  constructor(signals: readonly AbortSignal[], latest: Progress<T> | undefined) {
    super(signals);
    if (latest) this.queue.push(latest);
  }

  override get followsProgress(): boolean {
    return true;
  }

  override onProgress(latestProgress: () => Progress<T>): void {
    this.queue.push(latestProgress());
  }

  override onOutcome(outcome: Outcome<T>): void {
    const isUnfinished = outcome.type === "pollingFailed" || outcome.type === "disposed";
    this.queue.close(isUnfinished ? outcome : {}, outcome.type === "disposed");
  }

  override onAbort(error: unknown): void {
    this.queue.close({ error });
  }
}

/** A waiter that queues values for a consumer. */
interface QueueingWaiter<T> {
  readonly queue: AsyncQueue<T>;
  stop(): void;
}

/**
 * Makes an iterator whose waiter joins with the first `next()`. It is no generator: the `return()` of one would wait for
 * the next value first.
 */
export function iteratorOf<T, W extends QueueingWaiter<T>>(
  createWaiter: () => W,
  join: (waiter: W) => void,
): AsyncIterator<T, void, undefined> {
  let waiter: W | undefined;
  const done = Promise.resolve({ done: true, value: undefined } as const);
  let isOver = false;
  return {
    next: () => {
      if (isOver) return done;
      if (waiter) return waiter.queue.next();
      waiter = createWaiter();
      // After the assignment: to join may start a poll, whose code is the user's and may call next() too.
      join(waiter);
      return waiter.queue.next();
    },
    return: () => {
      isOver = true;
      waiter?.stop();
      waiter?.queue.close();
      return done;
    },
  };
}
