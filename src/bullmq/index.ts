export type { OperationHandle } from "./handle.ts";
export type { OperationReference, OperationSource } from "../durable/operation-key.ts";
export type { StepOptions } from "../durable/step-state.ts";
export type { JobDescription, JobOutcome, JobState } from "./job-description.ts";
export { createOperationQueue, pollUntilDone } from "./queue.ts";
export type {
  AddOptions,
  ListOptions,
  OperationQueue,
  QueueCounts,
  QueuedPollOptions,
  RetryOptions,
} from "./queue.ts";
export type { QueueHold } from "./holds.ts";
export type { OperationQueueOptions, QueueLocation } from "./queue-options.ts";
export { createOperationWorker } from "./worker.ts";
export type { OperationWorker, OperationWorkerOptions } from "./worker.ts";
