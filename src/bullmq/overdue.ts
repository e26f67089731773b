import type { Job } from "bullmq";
import type { ResponseCounts } from "../operation/errors.ts";
import { PollingTimeoutError } from "../operation/errors.ts";
import { parseToken } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { parseJobData } from "./job-data.ts";

/** What workers get, once the time is over, for the last read and to tell of it. */
const graceInMs = 30_000;

/**
 * Why to wait no longer for a job whose timeout is long over: the workers, who else end its wait, are gone or held back.
 * The job stays for those that come.
 */
export function timeoutIfOverdue(job: Job, now: number): PollingTimeoutError | undefined {
  const wait = waitOf(job);
  // A wait that goes on after its time gets one read, too.
  const overAt = Math.max(wait?.token.deadline ?? Infinity, job.timestamp);
  if (wait === undefined || now < overAt + graceInMs) return undefined;
  const token = { ...wait.token, deadline: undefined };
  const message =
    "Stopped waiting: the timeout is over, and no worker has told of an end. Use the resume token to go on waiting.";
  const context = {
    pollCount: token.pollCount,
    responseCounts: wait.responseCounts,
    resumeToken: JSON.stringify(token),
  };
  return new PollingTimeoutError(message, "PollingTimeout", context);
}

function waitOf({
  data,
}: Job): { readonly token: ResumeToken; readonly responseCounts: ResponseCounts } | undefined {
  try {
    const { token, responseCounts } = parseJobData(data);
    return { token: parseToken({ ...token }), responseCounts };
  } catch {
    // A worker will say what is wrong with it.
    return undefined;
  }
}
