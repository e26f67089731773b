import type { PollLogger } from "../operation/operation.ts";
import { Listeners } from "../poller/listeners.ts";
import type { CallOptions } from "../poller/poller.ts";
import { fallbackLogger } from "../poller/subscribers.ts";
import { Iteration, UntilDone, Waiters, iteratorOf, signalsOf } from "../poller/waiters.ts";
import type { Waiter } from "../poller/waiters.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";
import type { JobListener, JobWatcher } from "./job-watcher.ts";

/** One operation in a queue, seen from any process. Not a thenable. */
export interface OperationHandle<P = unknown> extends AsyncIterable<Progress<P>> {
  /** The id of its job. */
  readonly jobId: string;
  /**
   * Waits until the operation ends, and resolves with its `properties`. Any number of callers may wait. The workers
   * continue without callers too.
   *
   * @throws the same errors as a poller's `pollUntilDone`, by the same classes; a `PollingError` whose code is
   * `JobRejected` if no worker may poll it, or `JobNotFound` if the job was removed or its result is no longer kept
   */
  pollUntilDone(options?: CallOptions): Promise<P>;
  /**
   * Calls the listener after the responses that workers get, and soon with the latest progress. Returns a function that
   * unsubscribes.
   */
  onProgress(listener: (progress: Progress<P>) => unknown): () => void;
}

/** Listens to its job while a caller waits, iterates or has a listener. */
export class WatchedHandle<P> extends Waiters<P> implements OperationHandle<P> {
  readonly jobId: string;
  readonly #watcher: JobWatcher;
  readonly #jobListener: JobListener;
  readonly #listeners: Listeners<Progress<P>>;
  #outcome: Outcome<P> | undefined;
  #latest: Progress<P> | undefined;
  #isWatched = false;

  constructor(jobId: string, watcher: JobWatcher, logger: PollLogger = fallbackLogger) {
    super();
    this.jobId = jobId;
    this.#watcher = watcher;
    this.#listeners = new Listeners(logger);
    this.#jobListener = {
      jobId,
      onProgress: (progress) => this.#onProgress(progress),
      onOutcome: (outcome) => this.#onOutcome(outcome),
    };
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<P> {
    const waiter = new UntilDone<P>(signalsOf(abortSignal));
    this.#join(waiter);
    return waiter.promise;
  }

  onProgress(listener: (progress: Progress<P>) => unknown): () => void {
    const unsubscribe = this.#listeners.add(listener, this.#latest);
    this.#watchOrNot();
    return () => {
      unsubscribe();
      this.#watchOrNot();
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<Progress<P>, void, undefined> {
    return iteratorOf(
      () => new Iteration<P>([], this.#latest),
      (waiter) => this.#join(waiter),
    );
  }

  protected override onLastLeft(): void {
    this.#watchOrNot();
  }

  #join(waiter: Waiter<P>): void {
    if (this.#outcome) return waiter.onOutcome(this.#outcome);
    if (this.addWaiter(waiter)) this.#watchOrNot();
  }

  #watchOrNot(): void {
    const isWanted = this.#outcome === undefined && (this.hasWaiters || this.#listeners.hasAny);
    if (isWanted === this.#isWatched) return;
    this.#isWatched = isWanted;
    if (isWanted) this.#watcher.add(this.#jobListener);
    else this.#watcher.remove(this.#jobListener);
  }

  #onProgress(progress: Progress): void {
    if (progress.pollCount <= (this.#latest?.pollCount ?? 0)) return;
    const latest = typedProgress<P>(progress);
    this.#latest = latest;
    for (const waiter of this.waiters()) waiter.onProgress(() => latest);
    this.#listeners.notify(latest);
  }

  #onOutcome(outcome: Outcome<unknown>): void {
    if (this.#outcome) return;
    const typed = typedOutcome<P>(outcome);
    const waiters = this.takeWaiters();
    this.#outcome = typed;
    this.#watchOrNot();
    for (const waiter of waiters) waiter.settle(typed);
  }
}

/** What the result is, only the caller knows: the contract says "anything". */
function typedProgress<P>(progress: Progress): Progress<P> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return progress as Progress<P>;
}

function typedOutcome<P>(outcome: Outcome<unknown>): Outcome<P> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return outcome as Outcome<P>;
}
