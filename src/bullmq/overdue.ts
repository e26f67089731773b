import type { Job } from "bullmq";
import { PollingTimeoutError } from "../operation/errors.ts";
import { parseToken } from "../state/resume-token.ts";
import { parseStepState } from "../durable/step-state.ts";

/** How long workers have after the deadline, for the last poll and to save its result. */
const graceInMs = 30_000;

/**
 * Returns the error of a job whose timeout is long over; `undefined` for other jobs. Usually a worker ends such a wait,
 * but there may be none, or a rate limit may stop them all. The job stays for workers that start later.
 */
export function timeoutIfOverdue(job: Job, now: number): PollingTimeoutError | undefined {
  const wait = parseWait(job);
  // A wait that is continued after its deadline gets one poll, too.
  const overAt = Math.max(wait?.token.deadline ?? Infinity, job.timestamp);
  if (wait === undefined || now < overAt + graceInMs) return undefined;
  const { token, responseCounts } = wait;
  const message =
    `The timeout of job ${job.id} is over, and no worker has saved a result. ` +
    "Check that a worker runs, or use the resume token.";
  const resumeToken = JSON.stringify({ ...token, deadline: undefined });
  return new PollingTimeoutError(message, "PollingTimeout", {
    pollCount: token.pollCount,
    responseCounts,
    resumeToken,
  });
}

function parseWait({ data }: Job) {
  try {
    const { token, responseCounts } = parseStepState(data, false).state;
    return { token: parseToken({ ...token }), responseCounts };
  } catch {
    // A worker will reject the job with the reason.
    return undefined;
  }
}
