import type { Operation } from "../operation/operation.ts";
import { AsyncQueue } from "../poller/async-queue.ts";
import type { OperationPoller } from "../poller/poller.ts";
import { Waiter } from "../poller/waiters.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";

/** An operation of a group that is over, or is no longer polled. */
export interface FinishedOperation<P = unknown> {
  /** The operation that was added to the group. */
  readonly operation: Operation<P>;
  /** Its result, in the shape of `Promise.allSettled`. */
  readonly result: PromiseSettledResult<P>;
}

/** Observes the members of a group. */
interface MemberObserver<P> {
  onChange(): void;
  onFinish(member: Member<P>): void;
}

const noSignals: readonly AbortSignal[] = [];

/** One operation of a group: the waiter that waits for it on the group's behalf. */
export class Member<P> extends Waiter<P> implements FinishedOperation<P> {
  readonly poller: OperationPoller<P>;
  /** The operation's id when it was added: it may change with the responses. */
  readonly firstId: string;
  readonly #observer: MemberObserver<P>;
  #result: PromiseSettledResult<P> | undefined;

  constructor(observer: MemberObserver<P>, poller: OperationPoller<P>) {
    super(noSignals);
    this.#observer = observer;
    this.poller = poller;
    this.firstId = poller.operation.id;
  }

  get operation(): Operation<P> {
    return this.poller.operation;
  }

  get isFinished(): boolean {
    return this.#result !== undefined;
  }

  /** Whether it is finished, or a `poll()` has learned that the operation is over. */
  get isOver(): boolean {
    return this.isFinished || this.poller.isDone;
  }

  /** Rejected where the operation is not over yet. */
  get result(): PromiseSettledResult<P> {
    return (
      this.#result ?? { status: "rejected", reason: new Error(`Operation ${this.operation.id} is not over.`) }
    );
  }

  get status(): string {
    return this.poller.status ?? "Unknown";
  }

  get progress(): Progress<P> | undefined {
    return this.poller.latestProgress();
  }

  override onProgress(): void {
    this.#observer.onChange();
  }

  override onOutcome(outcome: Outcome<P>): void {
    this.finish(
      outcome.type === "succeeded"
        ? { status: "fulfilled", value: outcome.result }
        : { status: "rejected", reason: outcome.error },
    );
  }

  override onAbort(reason: unknown): void {
    this.finish({ status: "rejected", reason });
  }

  /** Disposes of its poller; a member that was never waited for is finished too. */
  async dispose(): Promise<void> {
    const gone = this.poller[Symbol.asyncDispose]();
    if (!this.isFinished) this.poller.waitUntilDone(this);
    await gone;
  }

  private finish(result: PromiseSettledResult<P>): void {
    if (this.isFinished) return;
    this.#result = result;
    this.#observer.onFinish(this);
  }
}

/** Queues the members of a group as they finish. */
export class FinishedMembers<P> extends Waiter<PromiseSettledResult<P>[]> {
  readonly queue: AsyncQueue<FinishedOperation<P>> = new AsyncQueue("each");

  push({ operation, result }: Member<P>): void {
    this.queue.push({ operation, result });
  }

  override onOutcome(): void {
    this.queue.close();
  }

  override onAbort(error: unknown): void {
    this.queue.close({ error });
  }
}
