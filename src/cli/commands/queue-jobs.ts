import type { JobDescription, JobState, OperationQueue } from "../../bullmq/index.ts";
import { PollingError, systemClock } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { combinedExitCode, exitCodes } from "../output/exit-codes.ts";
import { jobData, jobTable, jobText } from "../output/job-text.ts";
import { writeError } from "../output/error-line.ts";
import { columnsOf } from "../output/terminal.ts";
import { printable, toJson } from "../output/text.ts";
import { withQueue } from "./queue-connection.ts";
import type { QueueOptions } from "./queue-connection.ts";

/** The options of `lro queue get`. */
export interface QueueGetOptions extends QueueOptions {
  readonly output?: "text" | "json";
}

/** The options of `lro queue list`. */
export interface QueueListOptions extends QueueGetOptions {
  readonly state?: JobState;
  readonly limit?: number;
}

/** The options of `lro queue retry`. The timeout is in milliseconds. */
export interface QueueRetryOptions extends QueueOptions {
  readonly timeout?: number;
}

/**
 * Prints what a queue knows of jobs.
 *
 * @returns the exit code: 0 for any state
 */
export async function queueGet(
  jobIds: readonly string[],
  options: QueueGetOptions,
  context: CliContext,
): Promise<number> {
  return forEachJob(jobIds, options, context, async (queue, jobId) => {
    const job = await queue.get(jobId);
    if (job === undefined)
      throw new PollingError(`The queue has no job ${jobId}. ${unknownJobAdvice}`, "JobNotFound");
    return options.output === "json" ? toJson(jobData(job)) : jobText(job, systemClock.timestamp());
  });
}

const unknownJobAdvice =
  "Check the id, --queue and --prefix: the job may have been removed, or its result is no longer kept.";

const defaultLimit = 100;

/**
 * Prints the jobs of a queue.
 *
 * @returns the exit code
 */
export async function queueList(options: QueueListOptions, context: CliContext): Promise<number> {
  const { state, limit = defaultLimit, output } = options;
  const { stdout, stderr } = context;
  return withQueue(options, context, async (queue, reach) => {
    const filter = state === undefined ? {} : { state };
    const jobs = queue.list({ ...filter, limit: limit + 1 })[Symbol.asyncIterator]();
    const listed: JobDescription[] = [];
    let next = await reach(jobs.next());
    for (; next.done !== true && listed.length < limit; next = await reach(jobs.next()))
      listed.push(next.value);
    if (output === "json") for (const job of listed) stdout.write(`${toJson(jobData(job))}\n`);
    else
      stdout.write(
        jobTable(listed, systemClock.timestamp(), stdout.isTTY === true ? columnsOf(stdout) : Infinity),
      );
    if (next.done !== true) stderr.write(`There are more than ${limit} jobs; --limit prints more of them.\n`);
    return exitCodes.succeeded;
  });
}

/**
 * Queues jobs again that polling has stopped for, or that a worker has rejected.
 *
 * @returns the exit code
 */
export async function queueRetry(
  jobIds: readonly string[],
  options: QueueRetryOptions,
  context: CliContext,
): Promise<number> {
  const { timeout } = options;
  const retryOptions = timeout === undefined ? {} : { timeoutInMs: timeout };
  return forEachJob(jobIds, options, context, async (queue, jobId) =>
    (await queue.retry(jobId, retryOptions))
      ? `Queued job ${jobId} again.`
      : `Job ${jobId} needs no retry: it is in the queue.`,
  );
}

/**
 * Stops polling for jobs. Their operations continue.
 *
 * @returns the exit code
 */
export async function queueStop(
  jobIds: readonly string[],
  options: QueueOptions,
  context: CliContext,
): Promise<number> {
  return forEachJob(jobIds, options, context, async (queue, jobId) =>
    (await queue.stopPolling(jobId))
      ? `Stopped polling for job ${jobId}. Its operation continues; lro queue retry polls it again.`
      : `Polling for job ${jobId} had stopped before.`,
  );
}

/**
 * Removes jobs and their results. Their operations continue.
 *
 * @returns the exit code
 */
export async function queueRemove(
  jobIds: readonly string[],
  options: QueueOptions,
  context: CliContext,
): Promise<number> {
  return forEachJob(jobIds, options, context, async (queue, jobId) => {
    if (await queue.remove(jobId)) return `Removed job ${jobId}.`;
    throw new PollingError(`The queue has no job ${jobId}. ${unknownJobAdvice}`, "JobNotFound");
  });
}

/** Prints a text for each job, or why there is none. The others follow nevertheless. */
async function forEachJob(
  jobIds: readonly string[],
  options: QueueOptions,
  context: CliContext,
  textFor: (queue: OperationQueue, jobId: string) => Promise<string>,
): Promise<number> {
  return withQueue(options, context, async (queue, reach) => {
    const codes: number[] = [];
    for (const jobId of new Set(jobIds)) {
      try {
        context.stdout.write(`${await reach(textFor(queue, jobId))}\n`);
        codes.push(exitCodes.succeeded);
      } catch (error) {
        if (!(error instanceof PollingError)) throw error;
        writeError(context, printable(error.message));
        codes.push(exitCodes.pollingFailed);
      }
    }
    return combinedExitCode(codes);
  });
}
