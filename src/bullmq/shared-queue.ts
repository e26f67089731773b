import { isDeepStrictEqual } from "node:util";
import { isObject } from "../operation/json-fields.ts";
import type { OperationQueue, OperationQueueOptions } from "./queue.ts";

/** A queue that calls share while they wait. */
interface SharedQueue {
  readonly options: OperationQueueOptions;
  readonly queue: OperationQueue;
  /** How many calls use it. */
  callers: number;
}

/** The open queues. Few: most processes use one. */
const sharedQueues = new Set<SharedQueue>();

/**
 * Returns the queue that other calls with the same options use, or a new one. The last caller that releases it closes
 * it, so that it never holds the process open.
 */
export function sharedQueue(
  options: OperationQueueOptions,
  open: (options: OperationQueueOptions) => OperationQueue,
): { readonly queue: OperationQueue; readonly release: () => Promise<void> } {
  const shared = findOpen(options) ?? { options, queue: open(options), callers: 0 };
  sharedQueues.add(shared);
  shared.callers++;
  return {
    queue: shared.queue,
    async release() {
      shared.callers--;
      if (shared.callers > 0) return;
      sharedQueues.delete(shared);
      await shared.queue.close();
    },
  };
}

function findOpen(options: OperationQueueOptions): SharedQueue | undefined {
  return Array.from(sharedQueues).find((shared) => isSameQueue(shared.options, options));
}

function isSameQueue(a: OperationQueueOptions, b: OperationQueueOptions): boolean {
  return (
    a.queueName === b.queueName &&
    a.prefix === b.prefix &&
    a.keepResultsInMs === b.keepResultsInMs &&
    a.logger === b.logger &&
    a.telemetry === b.telemetry &&
    isSameConnection(a.connection, b.connection)
  );
}

/** Settings are compared by their values, but a client is only the same as itself. */
function isSameConnection(a: unknown, b: unknown): boolean {
  return a === b || (!isClient(a) && !isClient(b) && isDeepStrictEqual(a, b));
}

function isClient(connection: unknown): boolean {
  return isObject(connection) && typeof connection["duplicate"] === "function";
}
