import { sleep, systemClock } from "../clock.ts";
import { RequestLimiter } from "../limiter/request-limiter.ts";
import type { RequestLimiterOptions } from "../limiter/request-limiter.ts";
import { PollingError } from "../operation/errors.ts";
import type { Limiter } from "../operation/limiter.ts";
import type { Operation } from "../operation/operation.ts";
import { Listeners } from "../poller/listeners.ts";
import { resolveOptions } from "../poller/options.ts";
import type { PollOptions, PollSettings } from "../poller/options.ts";
import { OperationPoller } from "../poller/poller.ts";
import type { CallOptions, Poller } from "../poller/poller.ts";
import { fallbackLogger } from "../poller/subscribers.ts";
import { UntilDone, Waiters, iteratorOf, signalsOf } from "../poller/waiters.ts";
import type { Waiter } from "../poller/waiters.ts";
import type { Outcome } from "../state/outcome.ts";
import { checkOperation, checkOperations } from "./check-operation.ts";
import { GroupLimits } from "./group-limits.ts";
import { FinishedMembers, Member } from "./member.ts";
import type { FinishedOperation } from "./member.ts";
import { progressOfGroup } from "./progress.ts";
import type { GroupProgress } from "./progress.ts";

/** Options of a group. Durations are in milliseconds; `timeoutInMs` is each operation's. */
export interface PollerGroupOptions<P = unknown>
  extends Omit<PollOptions<P>, "onProgress" | "onFailedPoll">, RequestLimiterOptions {
  /** Called with the group's progress, five times a second at most. Errors that it throws are logged. */
  readonly onProgress?: (progress: GroupProgress) => unknown;
  /**
   * Whether the group keeps operations that are over. With `false`, for a group that lives long, it forgets each: only
   * an iteration under way and its own poller give the result, and `pollUntilDone` resolves with an empty list. The
   * progress still counts it. Added again, it is polled again. Default true.
   */
  readonly keepFinished?: boolean;
}

/** Options of {@link pollAll}. */
export interface PollAllOptions<P = unknown> extends Omit<PollerGroupOptions<P>, "keepFinished"> {
  /** Stops polling all others as soon as one has not succeeded. Default false. */
  readonly stopOnFailure?: boolean;
}

/**
 * Polls many operations, within the limits of the group and of each origin. Iterating gives them as they finish.
 *
 * While requests are short, an operation is polled again after its `maxDelayInMs`, times the factor by which all
 * intervals are stretched, and one poll of each of the others at the latest.
 */
export interface PollerGroup<P = unknown> extends AsyncIterable<FinishedOperation<P>> {
  /** The current progress of all. */
  readonly progress: GroupProgress;
  /**
   * Adds an operation and returns its poller. An operation that is there already is polled once, for both. Nothing is
   * sent until a caller waits for the group or iterates over it. The same is the same object, or one of the same URL or
   * names and of the same client.
   *
   * @throws TypeError if it is no operation, but a poller, a promise or a URL
   */
  add(operation: Operation<P>): Poller<P>;
  /** Polls until all are over, those that are added meanwhile included. Resolves in the order in which they were added. */
  pollUntilDone(options?: CallOptions): Promise<PromiseSettledResult<P>[]>;
  /** Calls the listener with the group's progress. Returns a function that unsubscribes. */
  onProgress(listener: (progress: GroupProgress) => unknown): () => void;
  /**
   * Disposes of all its pollers, and of those that are added later. Pending calls resolve with the group's results, in
   * which every operation that was not over is rejected with a {@link PollingError}, code `Disposed`.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a group.
 *
 * @example
 * ```ts
 * const group = createPollerGroup({ maxConcurrency: 16 });
 * for (const id of operationIds) group.add(client.operation("my-project", id));
 * for await (const { operation, result } of group) console.log(operation.id, result.status);
 * ```
 * @throws RangeError or TypeError that names the option that is wrong
 */
export function createPollerGroup<P>(options: PollerGroupOptions<P> = {}): PollerGroup<P> {
  return new OperationGroup(options);
}

/**
 * Polls all operations until they are over, and settles each in the order given, like `Promise.allSettled`.
 *
 * @example
 * ```ts
 * const results = await pollAll(operationIds.map((id) => client.operation("my-project", id)));
 * for (const { status } of results) console.log(status);
 * ```
 * @throws the reason of `abortSignal` if it fires; RangeError or TypeError that names the option or the operation that is
 * wrong, before anything is sent
 */
export async function pollAll<P>(
  operations: Iterable<Operation<P>>,
  options: PollAllOptions<P> = {},
): Promise<PromiseSettledResult<P>[]> {
  checkOperations(operations);
  const group = new OperationGroup(options);
  const members: Member<P>[] = [];
  for (const operation of operations) {
    checkOperation(`operations[${members.length}]`, operation);
    members.push(group.findOrAdd(operation));
    if (members.length % maxInATurn === 0) await sleep(options.clock ?? systemClock, 0, options.abortSignal);
  }
  await group.pollUntilDone();
  return members.map(({ result }) => result);
}

function isLimited({ maxConcurrency, requestsPerMinute }: RequestLimiterOptions): boolean {
  return maxConcurrency !== undefined || requestsPerMinute !== undefined;
}

const progressIntervalInMs = 200;
const maxInATurn = 500;

class OperationGroup<P> extends Waiters<PromiseSettledResult<P>[]> implements PollerGroup<P> {
  readonly #settings: PollSettings;
  readonly #abortSignal: AbortSignal | undefined;
  readonly #stopOnFailure: boolean;
  readonly #keepsFinished: boolean;
  #members: Member<P>[] = [];
  /** How many operations in each state are no longer among the members. */
  readonly #forgotten = new Map<string, number>();
  /** Those whose id may change: of a hundred thousand, each entry counts. */
  readonly #byOperation = new Map<Operation<P>, Member<P>>();
  readonly #byId = new Map<string, Member<P> | readonly Member<P>[]>();
  readonly #listeners = new Listeners<GroupProgress>(fallbackLogger);
  #unfinished = 0;
  /** The place of the first member of the next turn. */
  #nextToStart = 0;
  #isDisposed = false;
  /** Members that are stopped because of one that failed are no further reason. */
  #isStopping = false;
  #cancelNotice: (() => void) | undefined;
  #cancelTurn: (() => void) | undefined;

  constructor({
    abortSignal,
    stopOnFailure = false,
    keepFinished = true,
    onProgress,
    ...options
  }: PollAllOptions<P> & PollerGroupOptions<P>) {
    super();
    const settings = resolveOptions(options);
    const { clock } = settings;
    const ownLimiter = new RequestLimiter(clock, { maxConcurrency: options.maxConcurrency ?? 64 });
    const limits = isLimited(options) ? new GroupLimits(clock, options) : undefined;
    const limiterFor = (operation: Pick<Operation, "limiterFor">): Limiter => {
      const limiter = operation.limiterFor?.(clock) ?? ownLimiter;
      return limits?.limit(limiter) ?? limiter;
    };
    this.#settings = { ...settings, limiterFor };
    this.#abortSignal = abortSignal;
    this.#stopOnFailure = stopOnFailure;
    this.#keepsFinished = keepFinished;
    if (onProgress) this.onProgress(onProgress);
  }

  get progress(): GroupProgress {
    return progressOfGroup(this.#members, this.#forgotten);
  }

  add(operation: Operation<P>): Poller<P> {
    checkOperation("operation", operation);
    return this.findOrAdd(operation).poller;
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<PromiseSettledResult<P>[]> {
    const waiter = new UntilDone<PromiseSettledResult<P>[]>(signalsOf(this.#abortSignal, abortSignal));
    this.#join(waiter);
    return waiter.promise;
  }

  onProgress(listener: (progress: GroupProgress) => unknown): () => void {
    return this.#listeners.add(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<FinishedOperation<P>, void, undefined> {
    return iteratorOf(
      () => this.#finishedMembers(),
      (waiter) => this.#join(waiter),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#cancelTurn?.();
    this.#cancelTurn = undefined;
    await Promise.all(this.#members.map((member) => member.dispose()));
  }

  /** Finds the member for an operation, or makes it. */
  findOrAdd(operation: Operation<P>): Member<P> {
    const known = this.#byOperation.get(operation);
    if (known) return known;
    const namesakes = [this.#byId.get(operation.id) ?? []].flat();
    return (
      namesakes.find((member) => member.operation === operation || operation.isSameAs?.(member.operation)) ??
      this.#addMember(operation, namesakes)
    );
  }

  protected override onLastStopped(reason: unknown): void {
    this.#cancelTurn?.();
    this.#cancelNotice?.();
    this.#cancelTurn = this.#cancelNotice = undefined;
    for (const member of this.#members) if (!this.hasWaiters) member.stop(reason);
  }

  /** Notifies listeners of a member's change soon, and not for each of thousands. */
  onChange(): void {
    if (!this.#listeners.hasAny) return;
    this.#cancelNotice ??= this.#settings.clock.setTimer(() => this.#notify(), progressIntervalInMs);
  }

  onFinish(member: Member<P>): void {
    this.#unfinished--;
    for (const waiter of this.waiters()) if (waiter instanceof FinishedMembers) waiter.push(member);
    if (!this.#keepsFinished) this.#forget(member);
    if (this.#stopOnFailure && member.result.status === "rejected") this.#stopBecauseOf(member);
    if (this.#unfinished === 0 && !this.#isStopping) this.#finish();
  }

  #forget(member: Member<P>): void {
    const { operation, firstId } = member;
    this.#byOperation.delete(operation);
    const namesakes = [this.#byId.get(firstId) ?? []].flat().filter((other) => other !== member);
    if (namesakes.length === 0) this.#byId.delete(firstId);
    else this.#byId.set(firstId, namesakes);
    // Not for each of thousands.
    if (this.#members.length > 2 * this.#unfinished) this.#dropFinished();
  }

  #dropFinished(): void {
    for (const { isFinished, status } of this.#members) {
      if (isFinished) this.#forgotten.set(status, (this.#forgotten.get(status) ?? 0) + 1);
    }
    const unfinished = (members: readonly Member<P>[]): Member<P>[] =>
      members.filter(({ isFinished }) => !isFinished);
    this.#nextToStart = unfinished(this.#members.slice(0, this.#nextToStart)).length;
    this.#members = unfinished(this.#members);
  }

  #finish(): void {
    this.#cancelNotice?.();
    this.#notify();
    // A listener may have added more.
    if (this.#unfinished > 0) return;
    for (const waiter of this.takeWaiters()) waiter.settle(this.#outcome());
  }

  #addMember(operation: Operation<P>, namesakes: readonly Member<P>[]): Member<P> {
    const member = new Member(this, new OperationPoller(operation, this.#settings));
    if (Object.getOwnPropertyDescriptor(operation, "id")?.writable !== false)
      this.#byOperation.set(operation, member);
    this.#byId.set(member.firstId, namesakes.length === 0 ? member : [...namesakes, member]);
    this.#members.push(member);
    this.#unfinished++;
    if (this.#isDisposed) void member.dispose();
    else if (!this.#cancelTurn) this.#start(member);
    return member;
  }

  #join(waiter: Waiter<PromiseSettledResult<P>[]>): void {
    if (this.#unfinished === 0) return waiter.onOutcome(this.#outcome());
    const isFirst = !this.hasWaiters;
    if (!this.addWaiter(waiter) || !isFirst) return;
    this.#nextToStart = 0;
    this.#startTurn();
  }

  /** The members whose results the group still gives. */
  get #kept(): readonly Member<P>[] {
    return this.#keepsFinished ? this.#members : [];
  }

  /** Makes an iteration's waiter, with the members that have finished already. */
  #finishedMembers(): FinishedMembers<P> {
    const waiter = new FinishedMembers<P>(signalsOf(this.#abortSignal));
    for (const member of this.#kept) if (member.isFinished) waiter.push(member);
    return waiter;
  }

  /** Starts the members in turns, so that a hundred thousand do not block the event loop. */
  #startTurn(): void {
    this.#cancelTurn = undefined;
    const first = this.#nextToStart;
    this.#nextToStart += maxInATurn;
    for (const member of this.#members.slice(first, this.#nextToStart)) this.#start(member);
    if (this.#nextToStart >= this.#members.length || !this.hasWaiters) return;
    this.#cancelTurn ??= this.#settings.clock.setTimer(() => this.#startTurn(), 0);
  }

  /** Each once, while a caller waits: an operation's first poll is the user's code, and may abort, join and add. */
  #start(member: Member<P>): void {
    const isWanted = this.hasWaiters && !member.isFinished && !member.isWaiting;
    if (isWanted) member.poller.waitUntilDone(member);
  }

  #outcome(): Outcome<PromiseSettledResult<P>[]> {
    return { type: "succeeded", result: this.#kept.map(({ result }) => result) };
  }

  #stopBecauseOf(failed: Member<P>): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const why = `Stopped polling, because operation ${failed.operation.id} has not succeeded.`;
    for (const member of this.#members) {
      if (!member.isFinished) member.abort(new PollingError(why, "StoppedOnFailure"));
    }
    this.#isStopping = false;
  }

  #notify(): void {
    this.#cancelNotice = undefined;
    if (this.#listeners.hasAny) this.#listeners.notify(this.progress);
  }
}
