import { DelayedError, Queue, UnrecoverableError, Worker } from "bullmq";
import type { Job } from "bullmq";
import { fallbackLogger } from "../poller/subscribers.ts";
import type { StepResult } from "../durable/step.ts";
import { createStepper } from "../durable/stepper.ts";
import type { Stepper, StepperOptions } from "../durable/stepper.ts";
import { ContractError, PollingError, messageOf } from "../operation/errors.ts";
import { checkDuration, checkPositiveInteger } from "../validate.ts";
import { jobOutcomeOf } from "./job-outcome.ts";
import type { JobOutcome } from "./job-outcome.ts";
import { parseLocation, reporterTo } from "./queue-options.ts";
import type { QueueLocation } from "./queue-options.ts";
import { RedisPace } from "./redis-pace.ts";
import { closeQueue, isConnected } from "./redis-state.ts";

/** Options of a worker. Durations are in milliseconds. */
export interface OperationWorkerOptions extends QueueLocation, Omit<StepperOptions, "clock" | "pace"> {
  /** Polls under way at the same time. Default 16. */
  readonly concurrency?: number;
  /** How long a job belongs to a worker that has stopped renewing its lock. Default 30 000. */
  readonly lockDurationInMs?: number;
  /** How often the worker takes over jobs whose lock has expired. Default 30 000. */
  readonly stalledIntervalInMs?: number;
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

class BullWorker implements OperationWorker {
  readonly started: Promise<void>;
  readonly #queue: Queue;
  readonly #pace: RedisPace;
  readonly #worker: Worker;
  readonly #report: (error: unknown) => void;
  readonly #stepper: Stepper;

  constructor(options: OperationWorkerOptions) {
    const { concurrency = 16, lockDurationInMs = 30_000, stalledIntervalInMs = 30_000 } = options;
    checkPositiveInteger("concurrency", concurrency);
    const { queueName, location } = parseLocation(options);
    checkDuration("lockDurationInMs", lockDurationInMs, { positive: true });
    checkDuration("stalledIntervalInMs", stalledIntervalInMs, { positive: true });
    const { logger = fallbackLogger } = options;
    this.#report = reporterTo(logger, "The worker");
    this.#queue = new Queue(queueName, location);
    this.#pace = new RedisPace(this.#queue, concurrency, this.#report);
    this.#stepper = createStepper({ ...options, logger, pace: this.#pace, clock: this.#pace.clock });
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
    this.#worker.on("error", this.#report);
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
    await this.#pace.start();
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

  async #perform(job: Job, lock: string, abortSignal: AbortSignal): Promise<JobOutcome> {
    await this.#pace.refreshIfOld();
    const result = await this.#step(job, abortSignal);
    if (result?.type === "ended") return jobOutcomeOf(result);
    await this.#moveToDelayed(job, lock, result);
    throw new DelayedError();
  }

  /** Returns `undefined` for the job of a newer version, which this one must neither poll nor reject. */
  async #step(job: Job, abortSignal: AbortSignal): Promise<StepResult | undefined> {
    try {
      return await this.#stepper.step(job.data, { abortSignal });
    } catch (error) {
      if (error instanceof PollingError && error.code === "NewerState") return undefined;
      const isTampered = error instanceof ContractError || error instanceof RangeError;
      throw isTampered ? new UnrecoverableError(messageOf(error)) : error;
    }
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
    await this.#worker.backend.moveToDelayed(String(job.id), Date.now(), delayInMs, lock, {
      skipAttempt: true,
      ...(isAgain && {
        fieldsToUpdate: { data: JSON.stringify(result.state), ...(progress && { progress }) },
      }),
    });
    await published;
  }

  async #publish(event: Record<string, string>): Promise<void> {
    try {
      await this.#worker.backend.publishEvent(event, maxEvents);
    } catch (error) {
      this.#report(error);
    }
  }
}

/** BullMQ's own number of events that are kept. */
const maxEvents = 10_000;

/** How long a job of a newer version stays for newer workers. */
const newerJobDelayInMs = 30_000;

/** A job that a worker holds while a hold is lifted may be missed: it comes back to see. */
const maxHeldDelayInMs = 600_000;

function delayOf({ state, delayInMs }: StepResult & { readonly type: "again" }): number {
  return state.isReserved === true ? Math.min(delayInMs, maxHeldDelayInMs) : delayInMs;
}
