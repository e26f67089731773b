import { fallbackLogger } from "../poller/subscribers.ts";
import { Iteration, UntilDone, iteratorOf, signalsOf } from "../poller/waiters.ts";
import type { Caller, WaitingRoom } from "../poller/waiters.ts";
import { Listeners } from "../poller/listeners.ts";
import type { PollLogger } from "../operation/operation.ts";
import type { Outcome } from "../state/outcome.ts";
import type { CallOptions } from "../poller/poller.ts";
import type { Progress } from "../state/progress.ts";
import type { Watch, Watcher } from "./job-watcher.ts";

/** One operation in a queue, seen from any process. Not a thenable. */
export interface OperationHandle<P = unknown> extends AsyncIterable<Progress<P>> {
  /** The id of its job. */
  readonly jobId: string;
  /**
   * Waits for the end of the operation and resolves with its `properties`. Any number of callers may wait; the
   * workers go on whether anybody does or not.
   *
   * @throws the same errors as a poller's `pollUntilDone`, by the same classes; a `PollingError` whose code is
   * `JobRefused`: no worker may read it; `JobNotFound`: the job was removed, or its outcome was kept no longer
   */
  pollUntilDone(options?: CallOptions): Promise<P>;
  /** Calls back after the answered reads of the workers, and soon with the latest progress. Returns the way out. */
  onProgress(listener: (progress: Progress<P>) => unknown): () => void;
}

/** Listens while somebody waits, iterates or has a listener. */
export class WatchedHandle<P> implements OperationHandle<P>, WaitingRoom {
  readonly jobId: string;
  readonly #watch: Watch;
  readonly #watcher: Watcher;
  readonly #listeners: Listeners<Progress<P>>;
  #outcome: Outcome<P> | undefined;
  #latest: Progress<P> | undefined;
  #callers: readonly Caller<P>[] = [];
  #isWatched = false;

  constructor(jobId: string, watch: Watch, logger: PollLogger = fallbackLogger) {
    this.jobId = jobId;
    this.#watch = watch;
    this.#listeners = new Listeners(logger);
    this.#watcher = {
      jobId,
      onProgress: (progress) => this.#onProgress(progress),
      onOutcome: (outcome) => this.#onOutcome(outcome),
    };
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<P> {
    const caller = new UntilDone<P>(signalsOf(abortSignal));
    this.#join(caller);
    return caller.promise;
  }

  onProgress(listener: (progress: Progress<P>) => unknown): () => void {
    const leave = this.#listeners.add(listener, this.#latest);
    this.#watchOrNot();
    return () => {
      leave();
      this.#watchOrNot();
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<Progress<P>, void, undefined> {
    return iteratorOf(
      () => new Iteration<P>([], this.#latest),
      (caller) => this.#join(caller),
    );
  }

  onLeave(caller: object): void {
    this.#callers = this.#callers.filter((other) => other !== caller);
    this.#watchOrNot();
  }

  #join(caller: Caller<P>): void {
    if (this.#outcome) return caller.onOutcome(this.#outcome);
    if (!caller.enter(this)) return;
    this.#callers = [...this.#callers, caller];
    this.#watchOrNot();
  }

  #watchOrNot(): void {
    const isWanted = this.#outcome === undefined && (this.#callers.length > 0 || this.#listeners.hasAny);
    if (isWanted === this.#isWatched) return;
    this.#isWatched = isWanted;
    if (isWanted) this.#watch.add(this.#watcher);
    else this.#watch.remove(this.#watcher);
  }

  #onProgress(progress: Progress): void {
    if (progress.pollCount <= (this.#latest?.pollCount ?? 0)) return;
    const latest = typedProgress<P>(progress);
    this.#latest = latest;
    for (const caller of this.#callers) caller.onProgress(() => latest);
    this.#listeners.notify(latest);
  }

  #onOutcome(outcome: Outcome<unknown>): void {
    if (this.#outcome) return;
    const typed = typedOutcome<P>(outcome);
    const callers = this.#callers;
    this.#outcome = typed;
    this.#callers = [];
    this.#watchOrNot();
    for (const caller of callers) caller.dismiss(typed);
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
