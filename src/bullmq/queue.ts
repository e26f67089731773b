import { Queue } from "bullmq";
import { fallbackLogger } from "../poller/subscribers.ts";
import { PollingError } from "../operation/errors.ts";
import type { PollLogger } from "../operation/operation.ts";
import { checkDuration, checkSignal } from "../validate.ts";
import type { CallOptions } from "../poller/poller.ts";
import type { Progress } from "../state/progress.ts";
import { WatchedHandle } from "./handle.ts";
import type { OperationHandle } from "./handle.ts";
import { firstStateMaker } from "../durable/first-state.ts";
import { keyOf } from "../durable/operation-key.ts";
import type { OperationSource } from "../durable/operation-key.ts";
import type { StepOptions } from "../durable/step-state.ts";
import { liftHold, readHolds } from "./holds.ts";
import type { QueueHold } from "./holds.ts";
import { parseLocation, reporterTo } from "./queue-options.ts";
import type { QueueLocation } from "./queue-options.ts";
import { closeQueue, redisTimeInMs } from "./redis-state.ts";
import { requeueJob } from "./requeue-job.ts";
import { unlessAborted } from "../abort.ts";
import { JobWatcher } from "./job-watcher.ts";

/** Options of a queue. Durations are in milliseconds. */
export interface OperationQueueOptions extends QueueLocation {
  /** How long results are kept. Default: a day, as DevCenter keeps an operation. */
  readonly keepResultsInMs?: number;
  /** The log of errors. Default: the console. */
  readonly logger?: PollLogger;
}

/** Options of a wait in a queue. If the queue already waits for the operation, the options of that wait hold. */
export interface AddOptions extends StepOptions {
  /** Maximum time to wait, from now; then `PollingTimeoutError`. Default: none, or what a resume token has left. */
  readonly timeoutInMs?: number;
}

/** The number of operations in each state of a job. */
export interface QueueCounts {
  /** Wait for the time of their next poll. */
  readonly delayed: number;
  /** Are due for a poll, and wait for a worker. */
  readonly waiting: number;
  /** A worker polls them. */
  readonly active: number;
  /** Are terminal, or polling has stopped: they have a result or an error. */
  readonly completed: number;
  /** No worker may poll them. */
  readonly rejected: number;
}

/**
 * A queue of operations that any number of workers poll. While Redis is unreachable, calls wait for it. After `close()`
 * pending and later calls reject with a `PollingError` whose code is `Disposed`.
 */
export interface OperationQueue extends AsyncDisposable {
  /**
   * Adds an operation, or finds the job that the queue already has for it. If polling has stopped (a timeout, an outage)
   * or a worker rejected the job, the wait continues from there with these options.
   *
   * @throws TypeError, RangeError or `ContractError` that names the argument that is wrong
   */
  add<P = unknown>(source: OperationSource<P>, options?: AddOptions): Promise<OperationHandle<P>>;
  /** Returns the handle of a job that any process has added. */
  handle<P = unknown>(jobId: string): OperationHandle<P>;
  /** Counts the operations in each state. */
  counts(): Promise<QueueCounts>;
  /** Removes a job and its result. Resolves with `false`, and removes nothing, while a worker polls it. */
  remove(jobId: string): Promise<boolean>;
  /** Returns the hosts that the workers do not poll now, or only so often. */
  holds(): Promise<readonly QueueHold[]>;
  /**
   * Lifts the hold of an origin: its operations are polled again within seconds, a `Retry-After` of their own aside.
   * Resolves with `false` if there is no hold.
   */
  lift(origin: string): Promise<boolean>;
  /** Closes the connections. The workers continue. */
  close(): Promise<void>;
}

/**
 * Opens a queue, from any process, without a client and without a credential.
 *
 * @throws TypeError or RangeError that names the option that is wrong
 */
export function createOperationQueue(options: OperationQueueOptions): OperationQueue {
  return new BullQueue(options);
}

class BullQueue implements OperationQueue {
  readonly #queue: Queue;
  readonly #watcher: JobWatcher;
  readonly #logger: PollLogger;
  readonly #keepInSeconds: number;
  readonly #closing = new AbortController();

  constructor(options: OperationQueueOptions) {
    const { logger = fallbackLogger, keepResultsInMs = 86_400_000 } = options;
    checkDuration("keepResultsInMs", keepResultsInMs);
    const { queueName, location } = parseLocation(options);
    const report = reporterTo(logger, "The queue");
    this.#logger = logger;
    this.#keepInSeconds = Math.ceil(keepResultsInMs / 1000);
    this.#queue = new Queue(queueName, location);
    this.#queue.on("error", report);
    this.#watcher = new JobWatcher(this.#queue, location, report);
  }

  async add<P = unknown>(source: OperationSource<P>, options: AddOptions = {}): Promise<OperationHandle<P>> {
    const stateAt = firstStateMaker(source, options);
    const now = await this.#unlessClosed(() => redisTimeInMs(this.#queue));
    const state = stateAt(now);
    const jobId = keyOf(state.token);
    await this.#unlessClosed(() => this.#queue.add("operation", state, { jobId, ...this.#jobOptions() }));
    await this.#unlessClosed(() => requeueJob(this.#queue, jobId, state, now));
    return this.handle(jobId);
  }

  handle<P = unknown>(jobId: string): OperationHandle<P> {
    return new WatchedHandle<P>(jobId, this.#watcher, this.#logger);
  }

  async counts(): Promise<QueueCounts> {
    const states = ["delayed", "waiting", "active", "completed", "failed"] as const;
    const counts = await this.#unlessClosed(() => this.#queue.getJobCounts(...states));
    const { delayed = 0, waiting = 0, active = 0, completed = 0, failed = 0 } = counts;
    return { delayed, waiting, active, completed, rejected: failed };
  }

  async remove(jobId: string): Promise<boolean> {
    return (await this.#unlessClosed(() => this.#queue.remove(jobId))) === 1;
  }

  holds(): Promise<readonly QueueHold[]> {
    return this.#unlessClosed(() => readHolds(this.#queue));
  }

  lift(origin: string): Promise<boolean> {
    return this.#unlessClosed(() => liftHold(this.#queue, origin));
  }

  async close(): Promise<void> {
    this.#closing.abort(new PollingError("The queue was closed.", "Disposed"));
    await this.#watcher.close();
    await closeQueue(this.#queue);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A call of BullMQ that never reached Redis would stay pending for ever, even in a closed queue. */
  #unlessClosed<T>(call: () => Promise<T>): Promise<T> {
    const { signal } = this.#closing;
    return unlessAborted(signal.aborted ? Promise.reject(signal.reason) : call(), signal);
  }

  #jobOptions(): object {
    const retention = { age: this.#keepInSeconds };
    return {
      // Except for a rejection, a job fails because of Redis or a bug: neither ends a wait.
      attempts: Number.MAX_SAFE_INTEGER,
      backoff: { type: "fixed", delay: 1000 },
      stackTraceLimit: 1,
      removeOnComplete: retention,
      removeOnFail: retention,
    };
  }
}

/** Options of {@link pollUntilDone}: those of the queue, of the wait and of the call. */
export interface QueuedPollOptions<P = unknown> extends OperationQueueOptions, AddOptions, CallOptions {
  /** Called after the responses that workers get. An error that it throws is logged and never ends the wait. */
  readonly onProgress?: (progress: Progress<P>) => unknown;
}

/**
 * Waits until the workers of a queue have polled an operation to its end. It opens the queue, adds the operation, waits,
 * and closes the queue. It replaces `pollUntilDone` of `lro-poller`.
 *
 * @throws as {@link OperationHandle.pollUntilDone} and {@link OperationQueue.add} do
 */
export async function pollUntilDone<P>(
  source: OperationSource<P>,
  { abortSignal, onProgress, ...options }: QueuedPollOptions<P>,
): Promise<P> {
  checkSignal(abortSignal);
  abortSignal?.throwIfAborted();
  const queue = createOperationQueue(options);
  try {
    const added = queue.add<P>(source, options);
    const handle = await (abortSignal ? unlessAborted(added, abortSignal) : added);
    if (onProgress) handle.onProgress(onProgress);
    return await handle.pollUntilDone(abortSignal ? { abortSignal } : {});
  } finally {
    await queue.close();
  }
}
