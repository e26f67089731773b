import { setTimeout as delay } from "node:timers/promises";
import { DelayedError, Queue, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Job, MetricsOptions, Telemetry, WorkerOptions } from "bullmq";
import { unlessAborted } from "../abort.ts";
import { fallbackLogger } from "../poller/subscribers.ts";
import type { StepResult } from "../durable/step.ts";
import { createStepper } from "../durable/stepper.ts";
import type { Stepper, StepperOptions } from "../durable/stepper.ts";
import { ContractError, PollingError, messageOf } from "../operation/errors.ts";
import type { PollLogger } from "../operation/operation.ts";
import { checkDuration, checkPositiveInteger } from "../validate.ts";
import { ErrorLog, reporterTo } from "./error-log.ts";
import { reportErrors } from "./lost-jobs.ts";
import { returnValueOf } from "./job-return-value.ts";
import type { JobReturnValue } from "./job-return-value.ts";
import { parseLocation } from "./queue-options.ts";
import type { QueueLocation, RedisLocation } from "./queue-options.ts";
import { RedisPace } from "./redis-pace.ts";
import { closeQueue, isConnected } from "./redis-state.ts";

/** Options of a worker. Durations are in milliseconds. */
export interface OperationWorkerOptions extends QueueLocation, Omit<StepperOptions, "clock" | "pace"> {
  /** Polls under way at the same time. Default 16. */
  readonly concurrency?: number;
  /** How long a job belongs to a worker that has stopped renewing its lock. Default 20 000. */
  readonly lockDurationInMs?: number;
  /**
   * How often a worker takes over jobs whose lock has expired. Default 10 000. The jobs of a killed worker are taken over
   * within `lockDurationInMs + stalledIntervalInMs`, if this is at most half of `lockDurationInMs`.
   */
  readonly stalledIntervalInMs?: number;
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

/** The connections of a worker. */
interface Connections {
  readonly queue: Queue;
  readonly worker: Worker;
  readonly pace: RedisPace;
  readonly stepper: Stepper;
}

class BullWorker implements OperationWorker {
  readonly started: Promise<void>;
  readonly #open: () => Connections;
  readonly #lockDurationInMs: number;
  readonly #errors: ErrorLog;
  readonly #logger: PollLogger;
  readonly #closing = new AbortController();
  #connections: Connections;

  constructor(options: OperationWorkerOptions) {
    const { concurrency = 16, lockDurationInMs = 20_000, stalledIntervalInMs = 10_000 } = options;
    checkPositiveInteger("concurrency", concurrency);
    this.#lockDurationInMs = lockDurationInMs;
    const { queueName, location } = parseLocation(options);
    checkDuration("lockDurationInMs", lockDurationInMs, { positive: true });
    checkDuration("stalledIntervalInMs", stalledIntervalInMs, { positive: true });
    const { logger = fallbackLogger, telemetry, metrics } = options;
    this.#logger = logger;
    this.#errors = new ErrorLog(logger, "The worker");
    this.#open = () =>
      this.#connect(options, queueName, {
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
    stepperOptions: StepperOptions,
    queueName: string,
    options: WorkerOptions & RedisLocation & { readonly concurrency: number },
  ): Connections {
    const { report } = this.#errors;
    const { connection, prefix, concurrency } = options;
    const queue = new Queue(queueName, { connection, prefix });
    const pace = new RedisPace(queue, concurrency, report);
    const stepper = createStepper({ ...stepperOptions, pace, clock: pace.clock });
    const worker = new Worker(queueName, (job, token, signal) => this.#process(job, token, signal), options);
    queue.on("error", report);
    reportErrors(worker, queue, report);
    // Whether the job was rejected or is tried again in a second: the operator of the worker should know.
    worker.on("failed", (job, error) => {
      const source = `Job ${job?.id}`;
      if (error instanceof UnrecoverableError) reporterTo(this.#logger, source)(error);
      else report(error, source);
    });
    return { queue, worker, pace, stepper };
  }

  async #start(): Promise<void> {
    await this.#untilDone(() => this.#untilConnected());
    await this.#untilDone(() => this.#connections.pace.start());
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
  async #process(job: Job, lock = "", jobSignal = this.#closing.signal): Promise<unknown> {
    try {
      return await this.#perform(job, lock, AbortSignal.any([this.#closing.signal, jobSignal]));
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

  async #perform(job: Job, lock: string, abortSignal: AbortSignal): Promise<JobReturnValue> {
    await unlessAborted(this.#connections.pace.refreshIfOld(), abortSignal);
    const result = await this.#step(job, lock, abortSignal);
    if (result?.type === "ended") return returnValueOf(result);
    await this.#moveToDelayed(job, lock, result);
    throw new DelayedError();
  }

  /** Returns `undefined` for the job of a newer version, which this one must neither poll nor reject. */
  async #step(job: Job, lock: string, abortSignal: AbortSignal): Promise<StepResult | undefined> {
    const beforePoll = (): Promise<void> => this.#keep(job, lock);
    try {
      return await this.#connections.stepper.step(job.data, {
        abortSignal,
        beforePoll,
        jobId: String(job.id),
      });
    } catch (error) {
      if (error instanceof PollingError && error.code === "NewerState") return undefined;
      const isTampered = error instanceof ContractError || error instanceof RangeError;
      throw isTampered ? new UnrecoverableError(messageOf(error)) : error;
    }
  }

  /**
   * Renews the lock of a job that came a while ago: if this process was suspended, another worker may have polled since.
   *
   * @throws Error if the lock is lost
   */
  async #keep(job: Job, lock: string): Promise<void> {
    const heldInMs = Date.now() - (job.processedOn ?? 0);
    if (heldInMs >= 0 && heldInMs < this.#lockDurationInMs / 2) return;
    const renewed = await job.extendLock(lock, this.#lockDurationInMs);
    // BullMQ cannot save this error without the lock, and reports that in its place.
    if (renewed === 0) throw new Error(`The worker has lost the lock of job ${job.id}.`);
  }

  /**
   * Saves data, progress and delay in one command, which fails if the lock is lost: another worker may have polled since.
   */
  async #moveToDelayed(job: Job, lock: string, result: StepResult | undefined): Promise<void> {
    const isAgain = result?.type === "again";
    const progress = result?.progress && JSON.stringify(result.progress);
    // Sent together with the command, so it costs no round trip.
    const published = progress && this.#publish({ event: "progress", jobId: String(job.id), data: progress });
    const delayInMs = isAgain ? delayOf(result) : newerJobDelayInMs;
    await this.#connections.worker.backend.moveToDelayed(String(job.id), Date.now(), delayInMs, lock, {
      skipAttempt: true,
      ...(isAgain && {
        fieldsToUpdate: { data: JSON.stringify(result.state), ...(progress && { progress }) },
      }),
    });
    await published;
  }

  async #publish(event: Record<string, string>): Promise<void> {
    try {
      await this.#connections.worker.backend.publishEvent(event, maxEvents);
    } catch (error) {
      this.#errors.report(error);
    }
  }
}

/** BullMQ's own number of events that are kept. */
const maxEvents = 10_000;

/** How long a job of a newer version stays for newer workers, in milliseconds. */
const newerJobDelayInMs = 30_000;

/** A job that a worker holds while a hold is lifted may be missed: it comes back to see, after ten minutes. */
const maxHeldDelayInMs = 600_000;

function delayOf({ state, delayInMs }: StepResult & { readonly type: "again" }): number {
  return state.isReserved === true ? Math.min(delayInMs, maxHeldDelayInMs) : delayInMs;
}

async function close({ queue, worker }: Connections): Promise<void> {
  const isForced = !(await isConnected(queue));
  await worker.close(isForced);
  await closeQueue(queue);
}
