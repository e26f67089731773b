import { randomUUID } from "node:crypto";
import type { Job, Queue } from "bullmq";
import { PollingError, RequestError } from "../operation/errors.ts";
import { isolate } from "../poller/isolate.ts";
import { initialState } from "../state/state-machine.ts";
import { parseToken } from "../state/resume-token.ts";
import { dueIn, withDeadline } from "../durable/first-state.ts";
import { stepOutcomeOf, parseProgress } from "../durable/step-outcome.ts";
import type { StepOutcome } from "../durable/step-outcome.ts";
import { parseStepState } from "../durable/step-state.ts";
import { descriptionOf } from "./job-description.ts";
import type { JobDescription } from "./job-description.ts";
import { jobNotFound } from "./job-errors.ts";
import { redisTimeInMs, runScript } from "./redis-state.ts";
import type { RedisScript } from "./redis-state.ts";
import { isTerminal, lastTokenOf, requeueJob } from "./requeue-job.ts";

/** Removes a job. Returns whether there was one. */
export async function removeJob(queue: Queue, jobId: string): Promise<boolean> {
  const client = await queue.backend.client;
  if ((await client.hexists(queue.toKey(jobId), "timestamp")) === 0) return false;
  do {
    // BullMQ removes no job that a worker has locked. Without its lock, the worker can save nothing.
    await client.del(queue.toKey(`${jobId}:lock`));
  } while ((await queue.remove(jobId)) !== 1);
  return true;
}

/**
 * Queues a job again that polling has stopped for, or that a worker has rejected. Returns whether it did: workers poll
 * any other job anyway.
 *
 * @throws {@link PollingError} if there is no such job, or its operation is terminal
 */
export async function retryJob(
  queue: Queue,
  jobId: string,
  timeoutInMs: number | undefined,
): Promise<boolean> {
  const job = await existingJob(queue, jobId);
  if (job.finishedOn === undefined) return false;
  if (isTerminal(job)) throw nothingToPoll(descriptionOf(job, "waiting"));
  const { token: firstToken, options, responseCounts } = parseStepState(job.data, false).state;
  const token = lastTokenOf(job) ?? parseToken({ ...firstToken });
  const now = await redisTimeInMs(queue);
  const { deadline = Infinity } = token;
  const continued = withDeadline(token, timeoutInMs ?? (deadline <= now ? Infinity : undefined), now);
  const state = { version: 1 as const, token: continued, options, responseCounts, ...dueIn(0, now) };
  await requeueJob(queue, jobId, state, now);
  return true;
}

function nothingToPoll({ jobId, operationId, outcome }: JobDescription): PollingError {
  const message =
    `Operation ${operationId ?? ""} of job ${jobId} has ${wordOf(outcome)}: there is nothing left to poll. ` +
    "Read its outcome, or remove the job.";
  return new PollingError(message, "OperationTerminal");
}

function wordOf(outcome: JobDescription["outcome"]): string {
  return outcome?.type === "canceled" ? "been canceled" : (outcome?.type ?? "ended");
}

/**
 * Stops polling for a job, which keeps that as its outcome. Returns whether it did: polling may have stopped before.
 *
 * @throws {@link PollingError} if there is no such job, {@link ContractError} if its data is damaged or of a newer version
 */
export async function stopJob(queue: Queue, jobId: string): Promise<boolean> {
  // Before the job is taken: one whose data cannot be read stays with the workers.
  stoppedResultOf(await existingJob(queue, jobId), 0);
  const lock = randomUUID();
  if (!(await takeJob(queue, jobId, lock))) return false;
  // No worker can save a poll any more, so this is the last state.
  const job = await existingJob(queue, jobId);
  await job.moveToCompleted(stoppedResultOf(job, await redisTimeInMs(queue)), lock, false);
  return true;
}

async function existingJob(queue: Queue, jobId: string): Promise<Job> {
  const job: Job | undefined = await queue.getJob(jobId);
  if (job === undefined) throw jobNotFound(jobId);
  return job;
}

/** Long enough to complete a job. If this process dies before that, workers poll the job again. */
const lockDurationInMs = 30_000;

/**
 * Makes a job that has not ended active and locks it, as a worker does, also if a worker has locked it. BullMQ has no
 * command for one certain job.
 */
const takeScript: RedisScript = {
  name: "lroPollerTakeJob",
  numberOfKeys: 5,
  lua: `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 and redis.call('LREM', KEYS[2], 1, ARGV[1]) == 0
  and redis.call('LREM', KEYS[3], 1, ARGV[1]) == 0 and redis.call('LREM', KEYS[4], 1, ARGV[1]) == 0 then
  return 0
end
redis.call('LPUSH', KEYS[4], ARGV[1])
redis.call('SET', KEYS[5], ARGV[2], 'PX', ARGV[3])
return 1
`,
};

async function takeJob(queue: Queue, jobId: string, lock: string): Promise<boolean> {
  const keys = ["delayed", "wait", "paused", "active", `${jobId}:lock`].map((key) => queue.toKey(key));
  return (await runScript(queue, takeScript, [...keys, jobId, lock, lockDurationInMs])) === 1;
}

/** The result has the form of any other end of polling, so that every version of a handle knows it. */
function stoppedResultOf(job: Job, now: number): StepOutcome {
  const { responseCounts, ...data } = parseStepState(job.data, false).state;
  const token = parseToken({ ...data.token });
  const {
    operationId = "",
    lastFailure,
    status,
    percentComplete,
    pollCount = 0,
    failedPollCount = 0,
  } = descriptionOf(job, "active");
  const last = lastFailure === undefined ? "" : `; its last poll failed: ${lastFailure.message}`;
  const failure = new RequestError(`job ${job.id} was stopped, and the operation continues${last}`, {
    kind: "permanent",
    code: "PollingStopped",
  });
  const latest = isolate(() => (job.progress === 0 ? undefined : parseProgress(job.progress).operation));
  return stepOutcomeOf({
    reason: "pollingFailed",
    operationId,
    elapsedInMs: Math.max(0, now - token.startedAt),
    resumeToken: () => JSON.stringify(token),
    state: {
      ...initialState,
      latest,
      status,
      percentComplete,
      pollCount,
      failedPollCount,
      responseCounts,
      changedAtInMs: data.changedAtInMs,
      failure,
    },
  });
}
