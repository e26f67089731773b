import type { ConnectionOptions, Telemetry } from "bullmq";
import { isObject } from "../operation/json-fields.ts";
import type { PollLogger } from "../operation/operation.ts";

/** The place of a queue. */
export interface QueueLocation {
  /** The connection to Redis: `{ host, port }`, `{ url }`, or a client. For a Redis Cluster, the `Cluster` of ioredis. */
  readonly connection: ConnectionOptions;
  /** The queue's name, without a colon. Default `operations`. */
  readonly queueName?: string;
  /**
   * The prefix of the queue's keys in Redis. Default: BullMQ's, `bull`; for a Redis Cluster `{bull}`, because all keys of
   * a queue must be on one node.
   */
  readonly prefix?: string;
}

/** Options of a queue. Durations are in milliseconds. */
export interface OperationQueueOptions extends QueueLocation {
  /** How long results are kept. Default: a day, as DevCenter keeps an operation. */
  readonly keepResultsInMs?: number;
  /** The log of errors. Default: the console. */
  readonly logger?: PollLogger;
  /** BullMQ's own telemetry, such as that of `bullmq-otel`: a span for each of its calls. Default: none. */
  readonly telemetry?: Telemetry;
}

/** The options of BullMQ that say where a queue is, beside its name. */
export type RedisLocation = Required<Pick<QueueLocation, "connection" | "prefix">>;

/**
 * Checks where a queue is.
 *
 * @throws TypeError or RangeError that names the option
 */
export function parseLocation({
  connection,
  queueName = "operations",
  prefix = defaultPrefix(connection),
}: QueueLocation): {
  readonly queueName: string;
  readonly location: RedisLocation;
} {
  checkConnection(connection);
  if (queueName === "" || queueName.includes(":")) {
    throw new RangeError(`queueName: expected a name without a colon, got ${JSON.stringify(queueName)}`);
  }
  if (isCluster(connection) && !hasHashTag(`${prefix}:${queueName}`)) {
    throw new RangeError(`prefix: expected a hash tag, such as "{bull}", for a cluster, got "${prefix}"`);
  }
  return { queueName, location: { connection, prefix } };
}

/** Without a hash tag, the keys of a queue would be on several nodes of a cluster. */
function defaultPrefix(connection: unknown): string {
  return isCluster(connection) ? "{bull}" : "bull";
}

function isCluster(connection: unknown): boolean {
  return isObject(connection) && connection["isCluster"] === true;
}

function hasHashTag(key: string): boolean {
  return /\{[^}]+\}/.test(key);
}

/** BullMQ would connect to the Redis of this machine instead of rejecting another value. */
function checkConnection(connection: unknown): void {
  if (typeof connection !== "object" || connection === null)
    throw new TypeError(`connection: expected { host, port }, { url } or a client, got ${typeof connection}`);
  const url: unknown = "url" in connection ? connection.url : undefined;
  const isUrl = typeof url === "string" && URL.canParse(url) && /^rediss?:/.test(url);
  if (url === undefined || isUrl) return;
  // The value is not shown: it may hold a password.
  throw new TypeError(
    "connection.url: expected a URL that begins with redis:// or rediss://, got another value",
  );
}
