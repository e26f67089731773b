import type { ConnectionOptions } from "bullmq";
import { messageOf } from "../operation/errors.ts";
import type { PollLogger } from "../operation/operation.ts";

/** Where a queue is. */
export interface QueueLocation {
  /** How BullMQ reaches Redis: `{ host, port }`, `{ url }`, or a client. */
  readonly connection: ConnectionOptions;
  /** Default `operations`. Without a colon. */
  readonly queueName?: string;
  /** What the keys in Redis begin with. Default: BullMQ's, `bull`. */
  readonly prefix?: string;
}

export const defaultQueueName = "operations";

/** @throws RangeError that says what a name must be */
export function checkQueueName(name: string): void {
  if (name !== "" && !name.includes(":")) return;
  throw new RangeError(`queueName: expected a name without a colon, got ${JSON.stringify(name)}`);
}

/** @throws TypeError that says what a connection must be: BullMQ would take anything else for this machine's Redis */
export function checkConnection(connection: unknown): void {
  if (typeof connection !== "object" || connection === null)
    throw new TypeError(`connection: expected { host, port }, { url } or a client, got ${typeof connection}`);
  const url: unknown = "url" in connection ? connection.url : undefined;
  const isUrl = typeof url === "string" && URL.canParse(url) && /^rediss?:/.test(url);
  if (url === undefined || isUrl) return;
  // Not shown: it may hold a password.
  throw new TypeError(
    "connection.url: expected a URL that begins with redis:// or rediss://, got another value",
  );
}

/** Tells the log of what went wrong. A logger is others' code: what it throws must harm nobody. */
export function reporterTo(logger: PollLogger, whose: string): (error: unknown) => void {
  return (error) => {
    try {
      logger.error(`${whose}: ${messageOf(error)}`);
    } catch {
      // There is nobody left to tell.
    }
  };
}
