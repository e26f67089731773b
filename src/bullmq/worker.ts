import { DelayedError, Queue, UnrecoverableError, Worker } from "bullmq";
import type { Job } from "bullmq";
import { newNoticesOf } from "../poller/notices.ts";
import { fallbackLogger } from "../poller/subscribers.ts";
import type { LroClient, ParsedResumeToken } from "../azure/lro-client.ts";
import { ContractError, messageOf } from "../operation/errors.ts";
import type { Operation, PollLogger } from "../operation/operation.ts";
import type { OperationStatus } from "../operation/status.ts";
import { isObject, parseObject } from "../operation/json-fields.ts";
import { checkDuration, checkFunction, checkPositiveInteger } from "../validate.ts";
import { parseToken } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { pollJob } from "./poll-job.ts";
import type { JobResult } from "./job-output.ts";
import { parseJobData } from "./job-data.ts";
import type { JobData } from "./job-data.ts";
import { reportErrors } from "./lost-jobs.ts";
import { isOperation } from "./operation-identity.ts";
import { parseLocation, reporterTo } from "./queue-options.ts";
import type { QueueLocation } from "./queue-options.ts";
import { closeQueue, isConnected } from "./redis-state.ts";
import { SharedLimiter } from "./shared-limiter.ts";

/** Options of a worker. Durations are in milliseconds. */
export interface OperationWorkerOptions extends QueueLocation {
  /** The clients whose operations the worker polls. It rejects any other job for good. */
  readonly clients?: readonly LroClient[];
  /** In place of `clients`: returns the operation of a token, whose format is checked; throws to reject the job. */
  readonly resolveOperation?: (token: ResumeToken) => Operation | Promise<Operation>;
  /** Polls under way at the same time. Default 16. */
  readonly concurrency?: number;
  /** How long a job belongs to a worker that has stopped renewing its lock. Default 30 000. */
  readonly lockDurationInMs?: number;
  /** How often the worker takes over jobs whose lock has expired. Default 30 000. */
  readonly stalledIntervalInMs?: number;
  /** The log of errors, and of unknown states that look terminal. Default: errors go to the console. */
  readonly logger?: PollLogger;
}

/** A worker, which polls the operations of a queue until it is closed. */
export interface OperationWorker extends AsyncDisposable {
  /** Resolves when the worker is connected and takes jobs. */
  readonly started: Promise<void>;
  /**
   * Takes no more jobs, and waits for the polls under way. It does not wait for them while Redis is unreachable, because
   * nothing could be saved. Queued jobs stay for other workers.
   */
  close(): Promise<void>;
}

/**
 * Starts a worker. Any number of workers, in any number of processes, share a queue.
 *
 * @throws TypeError or RangeError that names the option that is wrong
 */
export function createOperationWorker(options: OperationWorkerOptions): OperationWorker {
  return new BullWorker(options);
}

type TokenResolver = (token: object) => Promise<ParsedResumeToken>;

class BullWorker implements OperationWorker {
  readonly started: Promise<void>;
  readonly #queue: Queue;
  readonly #limiter: SharedLimiter;
  readonly #worker: Worker;
  readonly #report: (error: unknown) => void;
  readonly #resolve: TokenResolver;
  readonly #logger: PollLogger;
  /** The notices that were logged. */
  readonly #logged = new Set<string>();

  constructor(options: OperationWorkerOptions) {
    const { concurrency = 16, lockDurationInMs = 30_000, stalledIntervalInMs = 30_000 } = options;
    this.#resolve = resolverOf(options);
    checkPositiveInteger("concurrency", concurrency);
    const { queueName, location } = parseLocation(options);
    checkDuration("lockDurationInMs", lockDurationInMs, { positive: true });
    checkDuration("stalledIntervalInMs", stalledIntervalInMs, { positive: true });
    const { logger = fallbackLogger } = options;
    this.#logger = logger;
    this.#report = reporterTo(logger, "The worker");
    this.#queue = new Queue(queueName, location);
    this.#limiter = new SharedLimiter(this.#queue, concurrency, this.#report);
    this.#worker = new Worker(queueName, (job, token, signal) => this.#process(job, token, signal), {
      ...location,
      concurrency,
      autorun: false,
      lockDuration: lockDurationInMs,
      stalledInterval: stalledIntervalInMs,
      // A wait outlives any number of workers: BullMQ would fail a job when the second of its workers has died.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    this.#queue.on("error", this.#report);
    reportErrors(this.#worker, this.#queue, this.#report);
    // Whether the job was rejected or is tried again in a second: the operator of the worker should know.
    this.#worker.on("failed", (job, error) => reporterTo(logger, `Job ${job?.id}`)(error));
    this.started = this.#start();
    // The log has the error even if the user does not await `started`.
    this.started.catch(this.#report);
  }

  async close(): Promise<void> {
    const isForced = !(await isConnected(this.#queue));
    await this.#worker.close(isForced);
    await closeQueue(this.#queue);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    await this.#worker.waitUntilReady();
    await this.#limiter.start();
    this.#worker.run().catch(this.#report);
  }

  /** BullMQ tries a job again after any error but {@link UnrecoverableError}: Redis has failed, not the wait. */
  async #process(job: Job, lock = "", signal = new AbortController().signal): Promise<unknown> {
    try {
      return await this.#perform(job, lock, signal);
    } catch (error) {
      // A bug, such as a result that is no JSON: each retry would poll once more, and fail in the same way.
      throw error instanceof TypeError ? new UnrecoverableError(error.message) : error;
    }
  }

  async #perform(job: Job, lock: string, signal: AbortSignal): Promise<JobResult> {
    const { data, operation } = await this.#parse(job);
    await this.#limiter.refreshIfOld();
    const result = await pollJob(data, operation, this.#limiter, signal);
    if (result.progress) {
      this.#logNotices(operation.id, result.progress.operation);
      await job.updateProgress(result.progress);
    }
    if (result.type === "completed") return result.result;
    await this.#moveToDelayed(job, lock, result.data, result.delayInMs);
    throw new DelayedError();
  }

  #logNotices(operationId: string, status: OperationStatus): void {
    for (const { level, message } of newNoticesOf(status, () => this.#logged)) {
      try {
        this.#logger[level](`Operation ${operationId}: ${message}`);
      } catch {
        // The logger is the user's code: its error must not cost the response.
      }
    }
  }

  /** Saves data and delay in one command, which fails if the lock is lost: another worker may have polled since. */
  async #moveToDelayed(job: Job, lock: string, data: JobData, delayInMs: number): Promise<void> {
    await this.#worker.backend.moveToDelayed(String(job.id), Date.now(), Math.ceil(delayInMs), lock, {
      skipAttempt: true,
      fieldsToUpdate: { data: JSON.stringify(data) },
    });
  }

  async #parse(job: Job): Promise<{ readonly data: JobData; readonly operation: Operation }> {
    try {
      const data = parseJobData(job.data);
      const { token, operation } = await this.#resolve(data.token);
      return { data: { ...data, token }, operation };
    } catch (error) {
      throw new UnrecoverableError(messageOf(error));
    }
  }
}

function resolverOf({ clients, resolveOperation }: OperationWorkerOptions): TokenResolver {
  if ((clients === undefined) === (resolveOperation === undefined)) {
    throw new TypeError("clients: expected either clients or resolveOperation, got both or neither");
  }
  if (resolveOperation === undefined) {
    checkClients(clients);
    return async (token) => resolveBy(clients, token);
  }
  checkFunction("resolveOperation", resolveOperation);
  return async (value) => {
    const token = parseToken(parseObject(value, "token"));
    const operation: unknown = await resolveOperation(token);
    if (isOperation(operation)) return { token, operation };
    throw new TypeError("resolveOperation: expected an operation with getStatus and toJSON, got none");
  };
}

function checkClients(clients: unknown): asserts clients is readonly LroClient[] {
  const isClient = (client: unknown): boolean =>
    isObject(client) && typeof client["parseResumeToken"] === "function";
  if (Array.isArray(clients) && clients.length > 0 && clients.every(isClient)) return;
  throw new TypeError("clients: expected an array of at least one LroClient, got something else");
}

/** Finds the client of an operation: the others throw RangeError. */
function resolveBy(clients: readonly LroClient[], token: object): ParsedResumeToken {
  const errors: unknown[] = [];
  for (const client of clients) {
    try {
      return client.parseResumeToken(token);
    } catch (error) {
      if (error instanceof ContractError) throw error;
      errors.push(error);
    }
  }
  throw errors[0];
}
