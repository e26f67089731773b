export type { OperationHandle } from "./handle.ts";
export type { OperationReference, OperationSource } from "../durable/operation-key.ts";
export type { StepOptions } from "../durable/step-state.ts";
export { createOperationQueue, pollUntilDone } from "./queue.ts";
export type {
  AddOptions,
  OperationQueue,
  OperationQueueOptions,
  QueueCounts,
  QueuedPollOptions,
} from "./queue.ts";
export type { QueueHold } from "./holds.ts";
export type { QueueLocation } from "./queue-options.ts";
export { createOperationWorker } from "./worker.ts";
export type { OperationWorker, OperationWorkerOptions } from "./worker.ts";
