import { RequestBudget } from "../limiter/request-limiter.ts";
import type { RequestBudgetOptions } from "../limiter/request-limiter.ts";
import { sleep, systemClock } from "../clock.ts";
import { UntilDone, iteratorOf, signalsOf } from "../poller/waiters.ts";
import type { Caller, WaitingRoom } from "../poller/waiters.ts";
import { OperationPoller } from "../poller/operation-poller.ts";
import { PollingError } from "../operation/errors.ts";
import { Arrivals, Member } from "./member.ts";
import type { FinishedOperation } from "./member.ts";
import { progressOfGroup } from "./progress.ts";
import type { GroupProgress } from "./progress.ts";
import { Listeners } from "../poller/listeners.ts";
import { fallbackLogger } from "../poller/subscribers.ts";
import type { Operation } from "../operation/operation.ts";
import { resolveOptions } from "../poller/options.ts";
import type { PollOptions, PollSettings } from "../poller/options.ts";
import type { Outcome } from "../state/outcome.ts";
import type { CallOptions, Poller } from "../poller/poller.ts";

/** How to wait for many operations. Durations are in milliseconds; `timeoutInMs` is each one's. */
export interface PollerGroupOptions<P = unknown>
  extends Omit<PollOptions<P>, "onProgress" | "onFailedRead">, RequestBudgetOptions {
  /** Called with the group's progress, five times a second at most. What it throws is logged. */
  readonly onProgress?: (progress: GroupProgress) => unknown;
}

/** How to wait for all of many operations. */
export interface PollAllOptions<P = unknown> extends PollerGroupOptions<P> {
  /** Lets all others go as soon as one has not succeeded. Default false. */
  readonly stopOnFailure?: boolean;
}

/**
 * Waits for many operations, paid from one budget. Iterating gives them as they finish. While the budget is short, an
 * operation is read again after its `maxDelayInMs`, times the factor by which all waits are stretched, and one read of
 * each of the others at the latest.
 */
export interface PollerGroup<P = unknown> extends AsyncIterable<FinishedOperation<P>> {
  /** Where they stand now. */
  readonly progress: GroupProgress;
  /**
   * Adds an operation and gives its poller. One that is there already is polled once, for both.
   * Nothing is sent until somebody waits for the group or iterates over it.
   */
  add(operation: Operation<P>): Poller<P>;
  /** Waits for all that are there, and for those that are added meanwhile; in the order they were added. */
  pollUntilDone(options?: CallOptions): Promise<PromiseSettledResult<P>[]>;
  /** Returns the way out. */
  onProgress(listener: (progress: GroupProgress) => unknown): () => void;
  /**
   * Disposes of all its pollers, and of those that are added later. Whoever waits for the group gets its results, in
   * which every operation that was not over is rejected with a {@link PollingError}, code `Disposed`.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a group.
 *
 * @throws RangeError or TypeError that names the option that is wrong
 */
export function createPollerGroup<P>(options: PollerGroupOptions<P> = {}): PollerGroup<P> {
  return new OperationGroup(options);
}

/**
 * Waits for all operations and settles each, in the order given, like `Promise.allSettled`.
 *
 * @throws the reason of `abortSignal` when it fires
 */
export async function pollAll<P>(
  operations: Iterable<Operation<P>>,
  options: PollAllOptions<P> = {},
): Promise<PromiseSettledResult<P>[]> {
  const group = new OperationGroup(options);
  const members: Member<P>[] = [];
  for (const operation of operations) {
    members.push(group.enroll(operation));
    if (members.length % mostInATurn === 0) await sleep(options.clock ?? systemClock, 0, options.abortSignal);
  }
  await group.pollUntilDone();
  return members.map(({ result }) => result);
}

const progressEveryInMs = 200;
const mostInATurn = 500;

class OperationGroup<P> implements PollerGroup<P>, WaitingRoom {
  readonly #settings: PollSettings;
  readonly #ownBudget: RequestBudget;
  readonly #isLimited: boolean;
  readonly #abortSignal: AbortSignal | undefined;
  readonly #stopOnFailure: boolean;
  readonly #members: Member<P>[] = [];
  readonly #byId = new Map<string, Member<P> | readonly Member<P>[]>();
  #unfinished = 0;
  #isDisposed = false;
  /** Those who are let go because of one that failed are no further reason. */
  #isStopping = false;
  #callers: Caller<PromiseSettledResult<P>[]>[] = [];
  readonly #listeners = new Listeners<GroupProgress>(fallbackLogger);
  #callOffNotice: (() => void) | undefined;
  #callOffTurn: (() => void) | undefined;

  constructor({ abortSignal, stopOnFailure = false, onProgress, ...options }: PollAllOptions<P>) {
    const { maxConcurrency, requestsPerMinute } = options;
    this.#settings = resolveOptions(options);
    this.#ownBudget = new RequestBudget(this.#settings.clock, options);
    this.#isLimited = maxConcurrency !== undefined || requestsPerMinute !== undefined;
    this.#abortSignal = abortSignal;
    this.#stopOnFailure = stopOnFailure;
    if (onProgress) this.onProgress(onProgress);
  }

  get progress(): GroupProgress {
    return progressOfGroup(this.#members);
  }

  add(operation: Operation<P>): Poller<P> {
    return this.enroll(operation).poller;
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<PromiseSettledResult<P>[]> {
    const caller = new UntilDone<PromiseSettledResult<P>[]>(signalsOf(this.#abortSignal, abortSignal));
    this.#enter(caller);
    return caller.promise;
  }

  onProgress(listener: (progress: GroupProgress) => unknown): () => void {
    return this.#listeners.add(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<FinishedOperation<P>, void, undefined> {
    return iteratorOf(
      () => this.#arrivals(),
      (arrivals) => this.#enter(arrivals),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#callOffTurn?.();
    this.#callOffTurn = undefined;
    await Promise.all(this.#members.map((member) => member.dispose()));
  }

  /** Finds the member for an operation, or makes it. */
  enroll(operation: Operation<P>): Member<P> {
    const namesakes = [this.#byId.get(operation.id) ?? []].flat();
    const text = namesakes.length === 0 ? "" : JSON.stringify(operation);
    return (
      namesakes.find((member) => JSON.stringify(member.operation) === text) ??
      this.#admit(operation, namesakes)
    );
  }

  onLeave(caller: object, reason?: unknown): void {
    this.#callers = this.#callers.filter((other) => other !== caller);
    if (this.#callers.length > 0) return;
    this.#callOffTurn?.();
    this.#callOffNotice?.();
    this.#callOffTurn = this.#callOffNotice = undefined;
    for (const member of this.#members) member.leave(reason);
  }

  /** A member has moved: whoever listens is told soon, and not for each of thousands. */
  onChange(): void {
    if (!this.#listeners.hasAny) return;
    this.#callOffNotice ??= this.#settings.clock.setTimer(() => this.#notify(), progressEveryInMs);
  }

  onFinish(member: Member<P>): void {
    this.#unfinished--;
    for (const caller of this.#callers) if (caller instanceof Arrivals) caller.add(member);
    if (this.#stopOnFailure && member.result.status === "rejected") this.#stopBecauseOf(member);
    if (this.#unfinished === 0) this.#finish();
  }

  #finish(): void {
    this.#callOffNotice?.();
    this.#notify();
    // A listener may have added more.
    if (this.#unfinished > 0) return;
    for (const caller of this.#callers.splice(0)) caller.dismiss(this.#outcome());
  }

  #admit(operation: Operation<P>, namesakes: readonly Member<P>[]): Member<P> {
    const { clock } = this.#settings;
    const budget = this.#isLimited ? this.#ownBudget : (operation.budgetOn?.(clock) ?? this.#ownBudget);
    const member = new Member(this, new OperationPoller(operation, this.#settings, budget));
    this.#byId.set(operation.id, namesakes.length === 0 ? member : [...namesakes, member]);
    this.#members.push(member);
    this.#unfinished++;
    if (this.#isDisposed) void member.dispose();
    else if (!this.#callOffTurn) this.#join(member);
    return member;
  }

  #enter(caller: Caller<PromiseSettledResult<P>[]>): void {
    if (this.#unfinished === 0) return caller.onOutcome(this.#outcome());
    if (!caller.enter(this)) return;
    this.#callers.push(caller);
    if (this.#callers.length === 1) this.#joinFrom(0);
  }

  /** Of those who have finished already, at first. */
  #arrivals(): Arrivals<P> {
    const arrivals = new Arrivals<P>(signalsOf(this.#abortSignal));
    for (const member of this.#members) if (member.isFinished) arrivals.add(member);
    return arrivals;
  }

  /** Lets the members begin in turns, so that a hundred thousand do not block the event loop. */
  #joinFrom(first: number): void {
    this.#callOffTurn = undefined;
    const next = first + mostInATurn;
    for (const member of this.#members.slice(first, next)) this.#join(member);
    if (next >= this.#members.length || this.#callers.length === 0) return;
    this.#callOffTurn ??= this.#settings.clock.setTimer(() => this.#joinFrom(next), 0);
  }

  /** Each once, while somebody waits: an operation's first read is the user's code, and may leave, come and add. */
  #join(member: Member<P>): void {
    const isWanted = this.#callers.length > 0 && !member.isFinished && !member.isIn;
    if (isWanted) member.poller.join(member);
  }

  #outcome(): Outcome<PromiseSettledResult<P>[]> {
    return { type: "succeeded", result: this.#members.map(({ result }) => result) };
  }

  #stopBecauseOf(failed: Member<P>): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const why = `Stopped waiting, because operation ${failed.operation.id} has not succeeded.`;
    for (const member of this.#members) {
      if (!member.isFinished) member.stop(new PollingError(why, "StoppedOnFailure"));
    }
    this.#isStopping = false;
  }

  #notify(): void {
    this.#callOffNotice = undefined;
    if (this.#listeners.hasAny) this.#listeners.notify(this.progress);
  }
}
