import { Caller } from "../poller/waiters.ts";
import type { OperationPoller } from "../poller/operation-poller.ts";
import { Mailbox } from "../poller/async-queue.ts";
import type { Operation } from "../operation/operation.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";

/** An operation of a group that is over, or was given up. */
export interface FinishedOperation<P = unknown> {
  /** What was added to the group. */
  readonly operation: Operation<P>;
  /** What came of it, as `Promise.allSettled` would say. */
  readonly result: PromiseSettledResult<P>;
}

/** What a member belongs to. */
interface Home<P> {
  onChange(): void;
  onFinish(member: Member<P>): void;
}

const nobodysSignals: readonly AbortSignal[] = [];

/** One operation of a group: the caller that waits for it on the group's behalf. */
export class Member<P> extends Caller<P> implements FinishedOperation<P> {
  readonly poller: OperationPoller<P>;
  readonly #group: Home<P>;
  #result: PromiseSettledResult<P> | undefined;

  constructor(group: Home<P>, poller: OperationPoller<P>) {
    super(nobodysSignals);
    this.#group = group;
    this.poller = poller;
  }

  get operation(): Operation<P> {
    return this.poller.operation;
  }

  get isFinished(): boolean {
    return this.#result !== undefined;
  }

  /** What came of it; a member that is let go before its time is rejected. */
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
    this.#group.onChange();
  }

  override onOutcome(outcome: Outcome<P>): void {
    this.#finish(
      outcome.type === "succeeded"
        ? { status: "fulfilled", value: outcome.result }
        : { status: "rejected", reason: outcome.error },
    );
  }

  override onAbort(reason: unknown): void {
    this.#finish({ status: "rejected", reason });
  }

  /** Is let go, for this reason. */
  stop(reason: unknown): void {
    this.leave(reason);
    this.onAbort(reason);
  }

  /** Disposes of its poller; one that nobody has waited for is let go too. */
  async dispose(): Promise<void> {
    const gone = this.poller[Symbol.asyncDispose]();
    if (!this.isFinished) this.poller.join(this);
    await gone;
  }

  #finish(result: PromiseSettledResult<P>): void {
    this.#result = result;
    this.#group.onFinish(this);
  }
}

/** Hands over the members of a group as they finish. */
export class Arrivals<P> extends Caller<PromiseSettledResult<P>[]> {
  readonly mailbox: Mailbox<FinishedOperation<P>> = new Mailbox("each");

  add({ operation, result }: Member<P>): void {
    this.mailbox.put({ operation, result });
  }

  override onOutcome(): void {
    this.mailbox.close();
  }

  override onAbort(error: unknown): void {
    this.mailbox.close({ error });
  }
}
