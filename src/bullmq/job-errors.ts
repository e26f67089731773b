import { PollingError } from "../operation/errors.ts";

/** Makes the error of a job that the queue does not have. */
export function jobNotFound(jobId: string): PollingError {
  const message =
    `The queue has no job ${jobId}: it was removed, its result is no longer kept, it is in another queue, or Redis ` +
    "has lost it in a restart (without appendonly yes). Add the operation again.";
  return new PollingError(message, "JobNotFound");
}
