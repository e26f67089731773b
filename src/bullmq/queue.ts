import { Queue } from "bullmq";
import { fallbackLogger } from "../poller/subscribers.ts";
import { PollingError } from "../operation/errors.ts";
import type { PollLogger } from "../operation/operation.ts";
import { checkDuration, checkSignal } from "../validate.ts";
import type { CallOptions } from "../poller/poller.ts";
import type { Progress } from "../state/progress.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { WatchedHandle } from "./handle.ts";
import type { OperationHandle } from "./handle.ts";
import { storedOptions } from "./job-data.ts";
import type { JobData, QueuedWaitOptions } from "./job-data.ts";
import { jobIdOf, tokenFor } from "./operation-identity.ts";
import type { QueueableOperation } from "./operation-identity.ts";
import { checkConnection, checkQueueName, defaultQueueName, reporterTo } from "./queue-options.ts";
import type { QueueLocation } from "./queue-options.ts";
import { closeQueue, redisTimeInMs } from "./redis-state.ts";
import { requeueJob } from "./requeue-job.ts";
import { unlessAborted } from "../abort.ts";
import { JobWatcher } from "./job-watcher.ts";

/** How a queue keeps operations. Durations are in milliseconds. */
export interface OperationQueueOptions extends QueueLocation {
  /** How long outcomes are kept. Default a day, as DevCenter keeps an operation. */
  readonly keepResultsInMs?: number;
  /** Default: errors go to the console. */
  readonly logger?: PollLogger;
}

/** How to wait for an operation in a queue. While a wait for it is under way there, the options of that one hold. */
export interface AddOptions extends QueuedWaitOptions {
  /** The whole wait, counted from now; then `PollingTimeoutError`. Default: none, or what a token has left. */
  readonly timeoutInMs?: number;
}

/** How many operations are where. */
export interface QueueCounts {
  /** Wait for the time of their next read. */
  readonly delayed: number;
  /** Are due, and wait for a worker. */
  readonly waiting: number;
  /** Are being read. */
  readonly active: number;
  /** Are over, or were given up: their outcome is to be had. */
  readonly completed: number;
  /** No worker may read them. */
  readonly rejected: number;
}

/**
 * Operations that any number of workers wait for. While Redis cannot be reached, all wait for it; `close()` lets them
 * go, who then reject with a `PollingError` whose code is `Disposed`, as whoever uses a closed queue does.
 */
export interface OperationQueue extends AsyncDisposable {
  /**
   * Adds an operation, or finds it where it is in the queue already. Where the wait for it was given up (a timeout, an
   * outage) or refused, it goes on from there, with these options.
   *
   * @throws TypeError, RangeError or `ContractError` that names the argument that is wrong
   */
  add<P = unknown>(source: QueueableOperation<P>, options?: AddOptions): Promise<OperationHandle<P>>;
  /** The handle of a job, which some process has added. */
  handle<P = unknown>(jobId: string): OperationHandle<P>;
  /** How many operations are where, now. */
  counts(): Promise<QueueCounts>;
  /** Forgets a job and its outcome. Resolves with whether it could: one that is being read stays. */
  remove(jobId: string): Promise<boolean>;
  /** Lets go of the connections. The workers go on. */
  close(): Promise<void>;
}

/**
 * Opens a queue, from any process; it needs no client and no credential.
 *
 * @throws RangeError that names the option that is wrong
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
    const { connection, queueName = defaultQueueName, prefix, logger = fallbackLogger } = options;
    const { keepResultsInMs = 86_400_000 } = options;
    checkDuration("keepResultsInMs", keepResultsInMs);
    checkConnection(connection);
    checkQueueName(queueName);
    const report = reporterTo(logger, "The queue");
    this.#logger = logger;
    this.#keepInSeconds = Math.ceil(keepResultsInMs / 1000);
    this.#queue = new Queue(queueName, { connection, ...(prefix !== undefined && { prefix }) });
    this.#queue.on("error", report);
    this.#watcher = new JobWatcher(this.#queue, { ...options, queueName }, report);
  }

  async add<P = unknown>(
    source: QueueableOperation<P>,
    { timeoutInMs, ...options }: AddOptions = {},
  ): Promise<OperationHandle<P>> {
    if (timeoutInMs !== undefined) {
      checkDuration("timeoutInMs", timeoutInMs, { positive: true, allowInfinity: true });
    }
    const kept = storedOptions(options);
    const tokenAt = tokenFor(source);
    const now = await this.#unlessClosed(() => redisTimeInMs(this.#queue));
    const token = tokenAt(now);
    const jobId = jobIdOf(token);
    const data: JobData = {
      version: 1,
      token: withDeadline(token, timeoutInMs, now),
      options: kept,
      responseCounts: {},
    };
    await this.#unlessClosed(() => this.#queue.add("operation", data, { jobId, ...this.#jobOptions() }));
    await this.#unlessClosed(() => requeueJob(this.#queue, jobId, data));
    return this.handle(jobId);
  }

  handle<P = unknown>(jobId: string): OperationHandle<P> {
    return new WatchedHandle<P>(jobId, this.#watcher, this.#logger);
  }

  async counts(): Promise<QueueCounts> {
    const states = ["delayed", "waiting", "active", "completed", "failed"] as const;
    const counts = await this.#unlessClosed(() => this.#queue.getJobCounts(...states));
    const { delayed = 0, waiting = 0, active = 0, completed = 0, failed = 0 } = counts;
    return { delayed, waiting, active, completed: completed, rejected: failed };
  }

  async remove(jobId: string): Promise<boolean> {
    return (await this.#unlessClosed(() => this.#queue.remove(jobId))) === 1;
  }

  async close(): Promise<void> {
    this.#closing.abort(new PollingError("The queue was closed.", "Disposed"));
    await this.#watcher.close();
    await closeQueue(this.#queue);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whoever asks BullMQ for what Redis has, and Redis was never reached, would wait for ever, even in a closed queue. */
  #unlessClosed<T>(ask: () => Promise<T>): Promise<T> {
    const { signal } = this.#closing;
    return unlessAborted(signal.aborted ? Promise.reject(signal.reason) : ask(), signal);
  }

  #jobOptions(): object {
    const kept = { age: this.#keepInSeconds };
    // What fails but a refusal is Redis, or a bug: neither ends a wait.
    const tries = {
      attempts: Number.MAX_SAFE_INTEGER,
      backoff: { type: "fixed", delay: 1000 },
      stackTraceLimit: 1,
    };
    return { ...tries, removeOnComplete: kept, removeOnFail: kept };
  }
}

function withDeadline(token: ResumeToken, timeoutInMs: number | undefined, now: number): ResumeToken {
  if (timeoutInMs === undefined) return token;
  const deadline = Math.min(Math.ceil(Math.max(now, token.startedAt) + timeoutInMs), Number.MAX_SAFE_INTEGER);
  return { ...token, deadline: timeoutInMs === Infinity ? undefined : deadline };
}

/** What to wait for in a queue, and how. */
export interface QueuedPollOptions<P = unknown> extends OperationQueueOptions, AddOptions, CallOptions {
  /** Called after the answered reads of the workers. What it throws is logged and never ends the wait. */
  readonly onProgress?: (progress: Progress<P>) => unknown;
}

/**
 * Waits for an operation by the workers of a queue: opens it, adds the operation, waits, and closes. The stand-in for
 * `pollUntilDone` of `lro-poller`.
 *
 * @throws as {@link OperationHandle.pollUntilDone} and {@link OperationQueue.add} do
 */
export async function pollUntilDone<P>(
  source: QueueableOperation<P>,
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
