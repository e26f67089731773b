import type { ConnectionOptions } from "bullmq";

/** Where a queue is. */
export interface QueueLocation {
  /** How BullMQ reaches Redis: `{ host, port }`, `{ url }`, or a client. */
  readonly connection: ConnectionOptions;
  /** Default `operations`. */
  readonly queueName?: string;
  /** What the keys in Redis begin with. Default: BullMQ's, `bull`. */
  readonly prefix?: string;
}

export const defaultQueueName = "operations";
