import type { PollLogger } from "../operation/operation.ts";
import { Listeners } from "../poller/listeners.ts";
import type { CallOptions } from "../poller/poller.ts";
import { Iteration, UntilDone, Waiters, iteratorOf, signalsOf } from "../poller/waiters.ts";
import type { Waiter } from "../poller/waiters.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";
import type { JobListener, JobWatcher } from "./job-watcher.ts";

/** One operation in a queue, seen from any process. Not a thenable. */
export interface OperationHandle<P = unknown> extends AsyncIterable<Progress<P>> {
  /** The id of the operation's job. */
  readonly jobId: string;
  /**
   * Waits until the operation ends, and resolves with its `properties`. Any number of callers may wait. The workers
   * continue without callers too.
   *
   * @throws the same errors as a poller's `pollUntilDone`. `PollingError` has the code `JobRejected` if no worker may
   * poll the operation, and `JobNotFound` if the job was removed or its result is no longer kept.
   */
  pollUntilDone(options?: CallOptions): Promise<P>;
  /**
   * Calls the listener after the responses that workers get, and soon with the latest progress. Returns a function that
   * unsubscribes.
   */
  onProgress(listener: (progress: Progress<P>) => unknown): () => void;
}

/**
 * Listens to its job while a caller waits, iterates or has a listener. The type of the result is the caller's claim:
 * the contract allows any.
 */
export class WatchedHandle<P> extends Waiters<P> implements OperationHandle<P>, JobListener {
  readonly jobId: string;
  readonly #watcher: JobWatcher;
  readonly #listeners: Listeners<Progress<P>>;
  #outcome: Outcome<P> | undefined;
  #latest: Progress<P> | undefined;
  #isWatched = false;

  constructor(jobId: string, watcher: JobWatcher, logger: PollLogger) {
    super();
    this.jobId = jobId;
    this.#watcher = watcher;
    this.#listeners = new Listeners(logger);
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<P> {
    const waiter = new UntilDone<P>(signalsOf(abortSignal));
    this.#join(waiter);
    return waiter.promise;
  }

  onProgress(listener: (progress: Progress<P>) => unknown): () => void {
    const unsubscribe = this.#listeners.add(listener, this.#latest);
    this.#watchIfNeeded();
    return () => {
      unsubscribe();
      this.#watchIfNeeded();
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<Progress<P>, void, undefined> {
    return iteratorOf(
      () => new Iteration<P>([], this.#latest),
      (waiter) => this.#join(waiter),
    );
  }

  onJobProgress(progress: Progress<P>): void {
    if (progress.pollCount <= (this.#latest?.pollCount ?? 0)) return;
    this.#latest = progress;
    for (const waiter of this.waiters()) waiter.onProgress(() => progress);
    this.#listeners.notify(progress);
  }

  onJobOutcome(outcome: Outcome<P>): void {
    if (this.#outcome) return;
    const waiters = this.takeWaiters();
    this.#outcome = outcome;
    this.#watchIfNeeded();
    for (const waiter of waiters) waiter.settle(outcome);
  }

  protected override onLastStopped(): void {
    this.#watchIfNeeded();
  }

  #join(waiter: Waiter<P>): void {
    if (this.#outcome) return waiter.onOutcome(this.#outcome);
    if (this.addWaiter(waiter)) this.#watchIfNeeded();
  }

  #watchIfNeeded(): void {
    const isNeeded = this.#outcome === undefined && (this.hasWaiters || this.#listeners.hasAny);
    if (isNeeded === this.#isWatched) return;
    this.#isWatched = isNeeded;
    if (isNeeded) this.#watcher.add(this);
    else this.#watcher.remove(this);
  }
}
