import { Queue } from "bullmq";
import { fallbackLogger } from "../poller/subscribers.ts";
import { PollingError } from "../operation/errors.ts";
import type { PollLogger } from "../operation/operation.ts";
import { describeValue } from "../redaction.ts";
import { checkDuration, checkPositiveInteger, checkSignal } from "../validate.ts";
import type { CallOptions } from "../poller/poller.ts";
import type { Progress } from "../state/progress.ts";
import { WatchedHandle } from "./handle.ts";
import type { OperationHandle } from "./handle.ts";
import { checkTimeout, firstStateMaker } from "../durable/first-state.ts";
import { keyOf } from "../durable/operation-key.ts";
import type { OperationSource } from "../durable/operation-key.ts";
import type { StepOptions } from "../durable/step-state.ts";
import { nameOf } from "../durable/operation-name.ts";
import { removeJob, retryJob, stopJob } from "./job-control.ts";
import { describeJob } from "./job-description.ts";
import type { JobDescription, JobState } from "./job-description.ts";
import { describeJobs, jobStates } from "./job-pages.ts";
import { reporterTo } from "./error-log.ts";
import { liftHold, readHolds } from "./holds.ts";
import type { QueueHold } from "./holds.ts";
import { parseLocation } from "./queue-options.ts";
import type { OperationQueueOptions } from "./queue-options.ts";
import { closeQueue, redisTimeInMs } from "./redis-state.ts";
import { requeueJob } from "./requeue-job.ts";
import { unlessAborted } from "../abort.ts";
import { SharedQueues } from "./shared-queue.ts";
import { JobWatcher } from "./job-watcher.ts";

/** Options of a wait in a queue. If the queue already waits for the operation, the options of that wait hold. */
export interface AddOptions extends StepOptions {
  /** Maximum time to wait, from now; then `PollingTimeoutError`. Default: none, or what a resume token has left. */
  readonly timeoutInMs?: number;
}

/** Options of {@link OperationQueue.list}. */
export interface ListOptions {
  /** Only jobs in this state. Default: all, in the order delayed, waiting, active, completed, rejected. */
  readonly state?: JobState;
  /** The maximum number of jobs. Default: all. */
  readonly limit?: number;
}

/** Options of {@link OperationQueue.retry}. */
export interface RetryOptions {
  /** Maximum time to wait, from now. Default: what the job has left of its own, or none if that has passed. */
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
  /** Describes a job; `undefined` if the queue has none with this id. */
  get(jobId: string): Promise<JobDescription | undefined>;
  /**
   * Describes the jobs, each once. Reads some at a time, however long the queue is. Delayed jobs come in the order of
   * their next polls, all others latest first. A job that changes its state during the iteration may be left out.
   *
   * @throws TypeError or RangeError that names the option that is wrong
   */
  list(options?: ListOptions): AsyncIterable<JobDescription>;
  /**
   * Polls the operation of a job again, from its last poll, if polling has stopped or a worker has rejected the job. A
   * `Retry-After` still holds. Resolves with `false` if the job needs no retry, because workers poll it.
   *
   * @throws `PollingError`: its code is `OperationTerminal` if there is nothing left to poll, or `JobNotFound`
   */
  retry(jobId: string, options?: RetryOptions): Promise<boolean>;
  /**
   * Stops polling the operation of a job. The operation is not canceled: it continues at the service. Pending and later
   * calls of the job's handles reject with a `PollingError`, code `PollingStopped`. `retry` and `add` continue the wait.
   * Resolves with `false` if polling had stopped before.
   *
   * @throws `PollingError`, code `JobNotFound`
   */
  stopPolling(jobId: string): Promise<boolean>;
  /**
   * Removes a job and its result. A worker that polls it drops the response. The operation continues at the service.
   * Resolves with `false` if the queue has no such job.
   */
  remove(jobId: string): Promise<boolean>;
  /** Returns the hosts that the workers do not poll now, or only at an interval. */
  holds(): Promise<readonly QueueHold[]>;
  /**
   * Lifts the hold of an origin: its operations are polled again within seconds, also those that got the `Retry-After`.
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

/** The queues of the calls of `pollUntilDone` that wait now. */
const sharedQueues = new SharedQueues(createOperationQueue);

class BullQueue implements OperationQueue {
  readonly #queue: Queue;
  readonly #watcher: JobWatcher;
  readonly #logger: PollLogger;
  readonly #keepInSeconds: number;
  readonly #closing = new AbortController();

  constructor(options: OperationQueueOptions) {
    const { logger = fallbackLogger, keepResultsInMs = 86_400_000, telemetry } = options;
    checkDuration("keepResultsInMs", keepResultsInMs);
    const { queueName, location } = parseLocation(options);
    const report = reporterTo(logger, "The queue");
    this.#logger = logger;
    this.#keepInSeconds = Math.ceil(keepResultsInMs / 1000);
    this.#queue = new Queue(queueName, { ...location, ...(telemetry && { telemetry }) });
    this.#queue.on("error", report);
    this.#watcher = new JobWatcher(this.#queue, location, report);
  }

  async add<P = unknown>(source: OperationSource<P>, options: AddOptions = {}): Promise<OperationHandle<P>> {
    const stateAt = firstStateMaker(source, options);
    const now = await this.#unlessClosed(() => redisTimeInMs(this.#queue));
    const state = stateAt(now);
    const jobId = keyOf(state.token);
    await this.#unlessClosed(() =>
      this.#queue.add(nameOf(state.token), state, { jobId, ...this.#jobOptions() }),
    );
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

  get(jobId: string): Promise<JobDescription | undefined> {
    return this.#unlessClosed(() => describeJob(this.#queue, jobId));
  }

  list({ state, limit = Infinity }: ListOptions = {}): AsyncIterable<JobDescription> {
    if (state !== undefined && !jobStates.includes(state))
      throw new RangeError(`state: expected one of ${jobStates.join(", ")}, got ${describeValue(state)}`);
    if (limit !== Infinity) checkPositiveInteger("limit", limit);
    return this.#list(describeJobs(this.#queue, state), limit);
  }

  async *#list(
    jobs: AsyncIterator<JobDescription, void, undefined>,
    limit: number,
  ): AsyncGenerator<JobDescription, void, undefined> {
    for (let count = 0; count < limit; count++) {
      const { value } = await this.#unlessClosed(() => jobs.next());
      if (value === undefined) return;
      yield value;
    }
  }

  async retry(jobId: string, { timeoutInMs }: RetryOptions = {}): Promise<boolean> {
    checkTimeout(timeoutInMs);
    return this.#unlessClosed(() => retryJob(this.#queue, jobId, timeoutInMs));
  }

  stopPolling(jobId: string): Promise<boolean> {
    return this.#unlessClosed(() => stopJob(this.#queue, jobId));
  }

  remove(jobId: string): Promise<boolean> {
    return this.#unlessClosed(() => removeJob(this.#queue, jobId));
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
 * and closes the queue. Calls at the same time with the same options of the queue share its connections. It replaces
 * `pollUntilDone` of `lro-poller`.
 *
 * @throws as {@link OperationHandle.pollUntilDone} and {@link OperationQueue.add} do
 */
export async function pollUntilDone<P>(
  source: OperationSource<P>,
  { abortSignal, onProgress, ...options }: QueuedPollOptions<P>,
): Promise<P> {
  checkSignal(abortSignal);
  abortSignal?.throwIfAborted();
  const { queue, release } = sharedQueues.open(options);
  let unsubscribe: (() => void) | undefined;
  try {
    const handle = await unlessAborted(queue.add<P>(source, options), abortSignal);
    if (onProgress) unsubscribe = handle.onProgress(onProgress);
    return await handle.pollUntilDone({ abortSignal });
  } finally {
    unsubscribe?.();
    await release();
  }
}
