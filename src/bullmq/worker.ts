import { DelayedError, Queue, UnrecoverableError, Worker } from "bullmq";
import type { Job } from "bullmq";
import { fallbackLogger } from "../poller/subscribers.ts";
import type { OperationStatusesClient, ParsedResumeToken } from "../azure/operation-statuses-client.ts";
import { ContractError, messageOf } from "../operation/errors.ts";
import type { Operation, PollLogger } from "../operation/operation.ts";
import { isObject, parseObject } from "../operation/json-fields.ts";
import { checkDuration } from "../validate.ts";
import { parseToken } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { pollJob } from "./poll-job.ts";
import type { JobResult } from "./job-result.ts";
import { parseJobData } from "./job-data.ts";
import type { JobData } from "./job-data.ts";
import { isOperation } from "./operation-identity.ts";
import { checkConnection, checkQueueName, defaultQueueName, reporterTo } from "./queue-options.ts";
import type { QueueLocation } from "./queue-options.ts";
import { closeQueue, isConnected } from "./redis-state.ts";
import { SharedLimiter } from "./shared-limiter.ts";

/** How a worker works. Durations are in milliseconds. */
export interface OperationWorkerOptions extends QueueLocation {
  /** The clients whose operations it reads. A job of any other is refused, for good. */
  readonly clients?: readonly OperationStatusesClient[];
  /** In place of `clients`: gives the operation that a token, whose form is checked, is of; throws to refuse it. */
  readonly resolveOperation?: (token: ResumeToken) => Operation | Promise<Operation>;
  /** Reads under way at once. Default 16. */
  readonly concurrency?: number;
  /** For how long a worker that is silent is taken for alive. Default 30 000. */
  readonly lockDurationInMs?: number;
  /** How often the jobs of those that are not are looked for. Default 30 000. */
  readonly stalledIntervalInMs?: number;
  /** Default: errors go to the console. */
  readonly logger?: PollLogger;
}

/** Reads the operations of a queue until it is closed. */
export interface OperationWorker extends AsyncDisposable {
  /** Resolves when it is connected and works. */
  readonly started: Promise<void>;
  /**
   * Takes no more jobs, and waits for the reads under way, but where Redis is away and nothing could be saved. What is
   * queued stays for other workers.
   */
  close(): Promise<void>;
}

/**
 * Starts a worker. Any number of them, in any number of processes, share a queue.
 *
 * @throws TypeError or RangeError that names the option that is wrong
 */
export function createOperationWorker(options: OperationWorkerOptions): OperationWorker {
  checkOptions(options);
  return new BullWorker(options);
}

function checkOptions({
  connection,
  queueName = defaultQueueName,
  clients,
  resolveOperation,
  concurrency = 1,
  lockDurationInMs = 1,
  stalledIntervalInMs = 1,
}: OperationWorkerOptions): void {
  if ((clients === undefined) === (resolveOperation === undefined)) {
    throw new TypeError("clients: expected either clients or resolveOperation, got both or neither");
  }
  if (clients !== undefined && !isListOfClients(clients)) {
    throw new TypeError(
      "clients: expected an array of at least one OperationStatusesClient, got something else",
    );
  }
  if (resolveOperation !== undefined && typeof resolveOperation !== "function") {
    throw new TypeError(`resolveOperation: expected a function, got ${typeof resolveOperation}`);
  }
  if (!(Number.isInteger(concurrency) && concurrency > 0)) {
    throw new RangeError(`concurrency: expected a positive integer, got ${JSON.stringify(concurrency)}`);
  }
  checkConnection(connection);
  checkQueueName(queueName);
  checkDuration("lockDurationInMs", lockDurationInMs, { positive: true });
  checkDuration("stalledIntervalInMs", stalledIntervalInMs, { positive: true });
}

function isListOfClients(clients: unknown): boolean {
  if (!Array.isArray(clients) || clients.length === 0) return false;
  return clients.every(
    (client: unknown) => isObject(client) && typeof client["parseResumeToken"] === "function",
  );
}

class BullWorker implements OperationWorker {
  readonly started: Promise<void>;
  readonly #queue: Queue;
  readonly #limiter: SharedLimiter;
  readonly #worker: Worker;
  readonly #report: (error: unknown) => void;
  readonly #resolve: (token: object) => Promise<ParsedResumeToken>;

  constructor(options: OperationWorkerOptions) {
    const { connection, queueName = defaultQueueName, prefix, logger = fallbackLogger } = options;
    const { concurrency = 16, lockDurationInMs = 30_000, stalledIntervalInMs = 30_000 } = options;
    const location = { connection, ...(prefix !== undefined && { prefix }) };
    this.#report = reporterTo(logger, "The worker");
    this.#resolve = resolverOf(options);
    this.#queue = new Queue(queueName, location);
    this.#limiter = new SharedLimiter(this.#queue, concurrency, this.#report);
    this.#worker = new Worker(queueName, (job, token, signal) => this.#process(job, token, signal), {
      ...location,
      concurrency,
      autorun: false,
      lockDuration: lockDurationInMs,
      stalledInterval: stalledIntervalInMs,
      // A wait outlives any number of workers: BullMQ would give a job up when the second of its workers has died.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    this.#queue.on("error", this.#report);
    this.#worker.on("error", this.#report);
    // Refused for good, or tried again in a second: either is for whoever runs the worker to know.
    this.#worker.on("failed", (job, error) => reporterTo(logger, `Job ${job?.id}`)(error));
    this.started = this.#start();
    // Whoever does not ask is told by the log.
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

  /** What is thrown here but for {@link UnrecoverableError} lets the job be tried again: Redis failed, not the wait. */
  async #process(job: Job, lock = "", signal = new AbortController().signal): Promise<unknown> {
    try {
      return await this.#perform(job, lock, signal);
    } catch (error) {
      // No outage, but a bug, such as a result that is no JSON: each try would be one more read, and fail alike.
      throw error instanceof TypeError ? new UnrecoverableError(error.message) : error;
    }
  }

  async #perform(job: Job, lock: string, signal: AbortSignal): Promise<JobResult> {
    const { data, operation } = await this.#parse(job);
    await this.#limiter.refreshIfOld();
    const result = await pollJob(data, operation, this.#limiter, signal);
    if (result.progress) await job.updateProgress(result.progress);
    if (result.type === "ended") return result.result;
    await this.#handBack(job, lock, result.data, result.delayInMs);
    throw new DelayedError();
  }

  /** State and delay in one command, for the owner of the lock only: who has lost it must not undo what came after. */
  async #handBack(job: Job, lock: string, data: JobData, delayInMs: number): Promise<void> {
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

function resolverOf(options: OperationWorkerOptions): (token: object) => Promise<ParsedResumeToken> {
  const { clients = [], resolveOperation } = options;
  if (resolveOperation === undefined) return async (token) => resolveBy(clients, token);
  return async (value) => {
    const token = parseToken(parseObject(value, "token"));
    const operation: unknown = await resolveOperation(token);
    if (isOperation(operation)) return { token, operation };
    throw new TypeError("resolveOperation: expected an operation with getStatus and toJSON, got none");
  };
}

/** The client that knows the operation: a token of any other's is out of its range. */
function resolveBy(clients: readonly OperationStatusesClient[], token: object): ParsedResumeToken {
  const refusals: unknown[] = [];
  for (const client of clients) {
    try {
      return client.parseResumeToken(token);
    } catch (error) {
      if (error instanceof ContractError) throw error;
      refusals.push(error);
    }
  }
  throw refusals[0] ?? new RangeError("clients: expected one whose operation this is, got none");
}
