import type { Job, Queue } from "bullmq";
import { parseObject } from "../operation/json-fields.ts";
import { parseToken, parseTokenText } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { parseJobData } from "./job-data.ts";
import type { JobData } from "./job-data.ts";

/**
 * Lets the job of an operation that is added anew go on where its wait was given up or refused: what that knew counts,
 * above all a Retry-After. An operation that is over stays so, and a wait that goes on is left alone.
 */
export async function requeueJob(queue: Queue, jobId: string, data: JobData): Promise<void> {
  const state = await queue.getJobState(jobId);
  if (state !== "completed" && state !== "failed") return;
  const job: Job | undefined = await queue.getJob(jobId);
  if (job === undefined || isSettled(job)) return;
  const { deadline } = data.token;
  await job.updateData({ ...data, token: { ...(lastTokenOf(job) ?? data.token), deadline } });
  try {
    await job.retry(state);
  } catch (error) {
    // Another process may have done it in between.
    if ((await queue.getJobState(jobId)) === state) throw error;
  }
}

function isSettled({ returnvalue }: Job): boolean {
  return Boolean(returnvalue) && parseObject(returnvalue, "job.returnvalue")["reason"] === "terminal";
}

/** What the wait knew at its end, unless nobody can read it. */
function lastTokenOf({ data, returnvalue }: Job): ResumeToken | undefined {
  try {
    const token = returnvalue
      ? parseTokenText(parseObject(returnvalue, "job.returnvalue")["token"])
      : parseJobData(data).token;
    return parseToken(parseObject(token, "token"));
  } catch {
    return undefined;
  }
}
