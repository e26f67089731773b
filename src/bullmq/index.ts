export type { OperationHandle } from "./handle.ts";
export type { QueuedWaitOptions } from "./job-data.ts";
export type { OperationReference, QueueableOperation } from "./operation-identity.ts";
export { createOperationQueue, pollUntilDone } from "./queue.ts";
export type { AddOptions, OperationQueue, QueueCounts, QueuedPollOptions } from "./queue.ts";
export type { OperationQueueOptions, QueueLocation } from "./queue-options.ts";
export { createOperationWorker } from "./worker.ts";
export type { OperationWorker, OperationWorkerOptions } from "./worker.ts";
