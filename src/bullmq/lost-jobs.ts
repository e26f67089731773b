import type { Job, Queue, Worker } from "bullmq";
import { messageOf } from "../operation/errors.ts";

/** BullMQ's errors of a job that has gone, or that another has locked. They have no field for the job. */
const lostJob =
  /\b(?:Missing (?:key|lock) for job|Lock mismatch for job|could not renew lock for job|Job) ([^\s.]+)/;

/**
 * Reports the errors of a worker, but not that a job was taken from it because it was removed or stopped. A poll whose
 * job was taken is aborted when the worker would renew the lock.
 */
export function reportErrors(worker: Worker, queue: Queue, report: (error: unknown) => void): void {
  worker.on("error", (error) => void reportUnlessEnded(error));
  worker.on("lockRenewalFailed", (jobIds) => {
    for (const jobId of jobIds) worker.cancelJob(jobId);
  });

  async function reportUnlessEnded(error: unknown): Promise<void> {
    const [, jobId] = lostJob.exec(messageOf(error)) ?? [];
    if (jobId === undefined || !(await hasEnded(queue, jobId))) report(error);
  }
}

async function hasEnded(queue: Queue, jobId: string): Promise<boolean> {
  try {
    const job: Job | undefined = await queue.getJob(jobId);
    return job === undefined || job.finishedOn !== undefined;
  } catch {
    return false;
  }
}
