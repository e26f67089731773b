import type { Job, Queue } from "bullmq";
import { parseObject } from "../operation/json-fields.ts";
import { momentOf, parseToken, parseTokenText } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { parseJobData } from "./job-data.ts";
import type { JobData } from "./job-data.ts";

/**
 * Queues a finished job again if its operation is not terminal: polling has stopped, or a worker rejected the job. The
 * new wait keeps the state of the old one, above all a Retry-After. Any other job stays as it is.
 */
export async function requeueJob(queue: Queue, jobId: string, data: JobData): Promise<void> {
  const state = await queue.getJobState(jobId);
  if (state !== "completed" && state !== "failed") return;
  const job: Job | undefined = await queue.getJob(jobId);
  if (job === undefined || isTerminal(job)) return;
  const { deadline } = data.token;
  await job.updateData({ ...data, token: { ...(lastTokenOf(job) ?? data.token), deadline } });
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
      : parseJobData(data).token;
    return parseToken(parseObject(token, "token"));
  } catch {
    return undefined;
  }
}

/** Returns a token with the deadline of a timeout that starts now; without a timeout it keeps its own. */
export function withDeadline(token: ResumeToken, timeoutInMs: number | undefined, now: number): ResumeToken {
  if (timeoutInMs === undefined) return token;
  const deadline = momentOf(Math.max(now, token.startedAt) + timeoutInMs);
  return { ...token, deadline: timeoutInMs === Infinity ? undefined : deadline };
}
