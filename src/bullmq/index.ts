export type { OperationHandle } from "./handle.ts";
export type { QueuedWaitOptions } from "./job-data.ts";
export type { JobDescription, JobOutcome, JobState } from "./job-description.ts";
export type { OperationReference, QueueableOperation } from "./operation-identity.ts";
export { createOperationQueue, pollUntilDone } from "./queue.ts";
export type {
  AddOptions,
  ListOptions,
  OperationQueue,
  OperationQueueOptions,
  QueueCounts,
  QueuedPollOptions,
  RetryOptions,
} from "./queue.ts";
export type { QueueLocation } from "./queue-options.ts";
export { createOperationWorker } from "./worker.ts";
export type { OperationWorker, OperationWorkerOptions } from "./worker.ts";
