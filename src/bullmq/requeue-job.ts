import type { Job, Queue } from "bullmq";
import { parseObject } from "../operation/json-fields.ts";
import { isolate } from "../poller/isolate.ts";
import { parseToken, parseTokenText } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { dueIn, firstDelayOf } from "../durable/first-state.ts";
import { parseStepState } from "../durable/step-state.ts";
import type { StepState } from "../durable/step-state.ts";

/**
 * Queues a finished job again if its operation is not terminal: polling has stopped, or a worker rejected the job. The
 * new wait keeps the state of the old one, above all a Retry-After. Any other job stays as it is.
 */
export async function requeueJob(queue: Queue, jobId: string, first: StepState, now: number): Promise<void> {
  const state = await queue.getJobState(jobId);
  if (state !== "completed" && state !== "failed") return;
  const job: Job | undefined = await queue.getJob(jobId);
  if (job === undefined || isTerminal(job)) return;
  const token = { ...(lastTokenOf(job) ?? first.token), deadline: first.token.deadline };
  const next = { ...first, token, ...dueIn(firstDelayOf(token, now), now) };
  await job.updateData(isolate(() => parseStepState(job.data, true).withNewerFields(next)) ?? next);
  try {
    await job.retry(state);
  } catch (error) {
    // Another process may have queued it in between.
    if ((await queue.getJobState(jobId)) === state) throw error;
  }
}

/** Returns whether the operation of a finished job is terminal. */
export function isTerminal({ returnvalue }: Job): boolean {
  return Boolean(returnvalue) && parseObject(returnvalue, "job.returnvalue")["reason"] === "terminal";
}

/** Returns the latest token of a finished job, if it can be read. */
export function lastTokenOf({ data, returnvalue }: Job): ResumeToken | undefined {
  try {
    const token = returnvalue
      ? parseTokenText(parseObject(returnvalue, "job.returnvalue")["token"])
      : parseStepState(data, false).state.token;
    return parseToken(parseObject(token, "token"));
  } catch {
    return undefined;
  }
}
