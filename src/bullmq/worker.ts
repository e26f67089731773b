import { setTimeout as delay } from "node:timers/promises";
import { DelayedError, Queue, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Job, MetricsOptions, Telemetry, WorkerOptions } from "bullmq";
import { unlessAborted } from "../abort.ts";
import { newNoticesOf } from "../poller/notices.ts";
import { fallbackLogger } from "../poller/subscribers.ts";
import type { LroClient, ParsedResumeToken } from "../azure/lro-client.ts";
import { ContractError, PollingError, messageOf } from "../operation/errors.ts";
import type { Operation, PollLogger } from "../operation/operation.ts";
import type { OperationStatus } from "../operation/status.ts";
import { isObject, parseObject } from "../operation/json-fields.ts";
import { checkDuration, checkFunction, checkPositiveInteger } from "../validate.ts";
import { parseToken } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { ErrorLog } from "./error-log.ts";
import { pollJob } from "./poll-job.ts";
import type { JobResult } from "./job-output.ts";
import { parseJobData } from "./job-data.ts";
import type { JobData } from "./job-data.ts";
import { isOperation } from "./operation-identity.ts";
import { parseLocation, reporterTo } from "./queue-options.ts";
import type { QueueLocation, RedisLocation } from "./queue-options.ts";
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
  /** How long a job belongs to a worker that has stopped renewing its lock. Default 20 000. */
  readonly lockDurationInMs?: number;
  /**
   * How often a worker takes over jobs whose lock has expired. Default 10 000. The jobs of a killed worker are taken over
   * within `lockDurationInMs + stalledIntervalInMs`, if this is at most half of `lockDurationInMs`.
   */
  readonly stalledIntervalInMs?: number;
  /**
   * The log of errors, of unknown states that look terminal, and of polls and ends. Default: errors go to the console,
   * polls and ends to the log of the operation's client, as those of a poller do.
   */
  readonly logger?: PollLogger;
  /** BullMQ's own telemetry, such as that of `bullmq-otel`: a span for each job that it processes. Default: none. */
  readonly telemetry?: Telemetry;
  /** Lets BullMQ count the completed and failed jobs of each minute in Redis, as its `metrics` does. Default: off. */
  readonly metrics?: MetricsOptions;
}

/** A worker, which polls the operations of a queue until it is closed. */
export interface OperationWorker extends AsyncDisposable {
  /**
   * Resolves when the worker is connected and takes jobs. While Redis is unreachable or refuses commands, the worker
   * tries again. Rejects with a `PollingError`, code `Disposed`, if it is closed first.
   */
  readonly started: Promise<void>;
  /**
   * Takes no more jobs, aborts the polls under way, and hands their jobs back to the queue: other workers poll them at
   * once. A response that has come is saved. While Redis is unreachable nothing can be handed back; other workers take
   * over the jobs when their locks have expired.
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

/** How long the worker waits until it tries again to start, in milliseconds. */
const startRetryInMs = 1000;

/** What a worker holds open. */
interface Connections {
  readonly queue: Queue;
  readonly worker: Worker;
  readonly limiter: SharedLimiter;
}

type TokenResolver = (token: object) => Promise<ParsedResumeToken>;

class BullWorker implements OperationWorker {
  readonly started: Promise<void>;
  readonly #open: () => Connections;
  readonly #errors: ErrorLog;
  readonly #resolve: TokenResolver;
  readonly #logger: PollLogger;
  /** That of the options. Without one, the lines of waits go to the log of their operation, as those of a poller do. */
  readonly #waitLogger: PollLogger | undefined;
  readonly #closing = new AbortController();
  #connections: Connections;
  /** The notices that were logged. */
  readonly #logged = new Set<string>();

  constructor(options: OperationWorkerOptions) {
    const { concurrency = 16, lockDurationInMs = 20_000, stalledIntervalInMs = 10_000 } = options;
    this.#resolve = resolverOf(options);
    checkPositiveInteger("concurrency", concurrency);
    const { queueName, location } = parseLocation(options);
    checkDuration("lockDurationInMs", lockDurationInMs, { positive: true });
    checkDuration("stalledIntervalInMs", stalledIntervalInMs, { positive: true });
    const { logger = fallbackLogger, telemetry, metrics } = options;
    this.#logger = logger;
    this.#waitLogger = options.logger;
    this.#errors = new ErrorLog(logger, "The worker");
    this.#open = () =>
      this.#connect(queueName, {
        ...location,
        concurrency,
        autorun: false,
        lockDuration: lockDurationInMs,
        stalledInterval: stalledIntervalInMs,
        // A wait outlives any number of workers: BullMQ would fail a job when the second of its workers has died.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        ...(telemetry && { telemetry }),
        ...(metrics && { metrics }),
      });
    this.#connections = this.#open();
    this.started = this.#start();
    // The log has the causes even if the user does not await `started`.
    this.started.catch(() => {});
  }

  async close(): Promise<void> {
    this.#closing.abort(new PollingError("The worker was closed before it had started.", "Disposed"));
    await close(this.#connections);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #connect(
    queueName: string,
    options: WorkerOptions & RedisLocation & { readonly concurrency: number },
  ): Connections {
    const { report } = this.#errors;
    const { connection, prefix, concurrency } = options;
    const queue = new Queue(queueName, { connection, prefix });
    const limiter = new SharedLimiter(queue, concurrency, report);
    const worker = new Worker(queueName, (job, token) => this.#process(job, token), options);
    queue.on("error", report);
    worker.on("error", report);
    // Whether the job was rejected or is tried again in a second: the operator of the worker should know.
    worker.on("failed", (job, error) => {
      const source = `Job ${job?.id}`;
      if (error instanceof UnrecoverableError) reporterTo(this.#logger, source)(error);
      else report(error, source);
    });
    return { queue, worker, limiter };
  }

  async #start(): Promise<void> {
    await this.#untilDone(() => this.#untilConnected());
    await this.#untilDone(() => this.#connections.limiter.start());
    const { worker } = this.#connections;
    worker.backend.on("ready", () => this.#errors.forget());
    worker.run().catch(this.#errors.report);
  }

  /** BullMQ's connections never recover from a refusal of their first commands, so others take their place. */
  async #untilConnected(): Promise<void> {
    const connections = this.#connections;
    try {
      await Promise.all([connections.worker.waitUntilReady(), connections.queue.waitUntilReady()]);
    } catch (error) {
      if (this.#closing.signal.aborted) throw error;
      this.#connections = this.#open();
      close(connections).catch(this.#errors.report);
      throw error;
    }
  }

  /**
   * Tries until it succeeds.
   *
   * @throws PollingError if the worker is closed first
   */
  async #untilDone(attempt: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      try {
        return await unlessAborted(attempt(), signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#errors.report(error);
      }
      await unlessAborted(delay(startRetryInMs, undefined, { signal }), signal);
    }
  }

  /** BullMQ tries a job again after any error but {@link UnrecoverableError}: Redis has failed, not the wait. */
  async #process(job: Job, lock = ""): Promise<unknown> {
    try {
      return await this.#perform(job, lock);
    } catch (error) {
      if (this.#isClosing(error)) {
        await job.moveToWait(lock);
        throw new WaitingError();
      }
      // A bug, such as a result that is no JSON: each retry would poll once more, and fail in the same way.
      throw error instanceof TypeError ? new UnrecoverableError(error.message) : error;
    }
  }

  /** Whether the poll was aborted. Its job goes back as it came, and another worker polls. */
  #isClosing(error: unknown): boolean {
    const { signal } = this.#closing;
    return signal.aborted && error === signal.reason;
  }

  async #perform(job: Job, lock: string): Promise<JobResult> {
    const { limiter } = this.#connections;
    const { signal } = this.#closing;
    const { data, operation } = await unlessAborted(this.#parse(job), signal);
    await unlessAborted(limiter.refreshIfOld(), signal);
    const result = await pollJob(data, operation, limiter, signal, {
      jobId: String(job.id),
      logger: this.#waitLogger,
    });
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
    await this.#connections.worker.backend.moveToDelayed(
      String(job.id),
      Date.now(),
      Math.ceil(delayInMs),
      lock,
      {
        skipAttempt: true,
        fieldsToUpdate: { data: JSON.stringify(data) },
      },
    );
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

async function close({ queue, worker }: Connections): Promise<void> {
  const isForced = !(await isConnected(queue));
  await worker.close(isForced);
  await closeQueue(queue);
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
