import { once } from "node:events";
import type { OperationQueue, QueueLocation } from "../../bullmq/index.ts";
import { systemClock } from "../../index.ts";
import type { PollLogger } from "../../index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodes } from "../output/exit-codes.ts";
import { writeError } from "../output/error-line.ts";
import { writeWarning } from "../output/terminal.ts";
import { exitCodeOfError, withCommandOptions } from "../output/wait-outcome.ts";

/** The options that locate a queue. */
export interface QueueOptions {
  readonly redis?: string;
  readonly queue?: string;
  readonly prefix?: string;
}

/** Waits for a call of a queue, but not longer than Redis usually needs to respond. */
type Reach = <T>(call: Promise<T>) => Promise<T>;

/** Redis could not be reached, or refused a command. The message says what to do. */
class QueueError extends Error {
  override readonly name = "QueueError" as const;
}

/**
 * Uses a queue until it is interrupted. Calls inside `reach` end with an error if Redis does not respond: BullMQ would
 * wait for it forever.
 *
 * @returns the exit code
 */
export async function withQueue(
  options: QueueOptions,
  context: CliContext,
  use: (queue: OperationQueue, reach: Reach) => Promise<number>,
): Promise<number> {
  const { createOperationQueue } = await loadQueue();
  const location = locationOf(options, context);
  const queue = createOperationQueue({ ...location, logger: loggerOf(context) });
  const { interruption } = context;
  const interrupted = once(interruption, "abort").then(() => exitCodeOfError(interruption.reason));
  try {
    return await Promise.race([use(queue, reachWithin(context, redisOf(options, context))), interrupted]);
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    writeError(context, error.message);
    return exitCodes.pollingFailed;
  } finally {
    // Otherwise its attempts to reach Redis would keep the process alive.
    await queue.close();
  }
}

function reachWithin({ redisTimeoutInMs = 5000 }: CliContext, redis: URL): Reach {
  const place = `${redis.protocol}//${redis.host}${redis.pathname}`;
  return async (call) => {
    const { promise: timedOut, reject } = Promise.withResolvers<never>();
    const cancel = systemClock.setTimer(() => {
      const message = `Redis at ${place} could not be used within ${redisTimeoutInMs / 1000} s. Check that it runs, and the URL, user and password in --redis or REDIS_URL.`;
      reject(new QueueError(message));
    }, redisTimeoutInMs);
    try {
      return await Promise.race([call, timedOut]);
    } catch (error) {
      // Redis responded, for example that its memory is full.
      if (!(error instanceof Error && error.name === "ReplyError")) throw error;
      const message = `Redis at ${place} refused a command: ${error.message}. Check its memory and its settings.`;
      throw new QueueError(message, { cause: error });
    } finally {
      cancel();
    }
  };
}

type QueueModule = typeof import("../../bullmq/index.ts");

/** Loads the queue only when it is needed: few install BullMQ. */
export async function loadQueue(): Promise<QueueModule> {
  try {
    // BullMQ imports it only when it connects.
    await import("ioredis");
    return await import("../../bullmq/index.ts");
  } catch (cause) {
    throw new UsageError("queue: expected bullmq and ioredis to be installed (npm install bullmq ioredis)", {
      cause,
    });
  }
}

const localRedis = "redis://127.0.0.1:6379";

/** @throws UsageError that names the option */
export function locationOf(options: QueueOptions, context: CliContext): QueueLocation {
  const { queue, prefix } = options;
  return {
    connection: { url: redisOf(options, context).href },
    ...(queue !== undefined && { queueName: queue }),
    ...(prefix !== undefined && { prefix }),
  };
}

function redisOf({ redis }: QueueOptions, { env }: CliContext): URL {
  const url = redis ?? env["REDIS_URL"] ?? localRedis;
  if (/^rediss?:/.test(url) && URL.canParse(url)) return new URL(url);
  throw new UsageError("--redis: expected a URL that starts with redis:// or rediss://, got another text");
}

/** Prints each message once: while Redis is away, every attempt logs the same. */
export function loggerOf(context: CliContext): PollLogger {
  const printed = new Set<string>();
  const eachOnce =
    (print: (line: string) => void) =>
    (...message: unknown[]): void => {
      const line = message.map(String).join(" ");
      if (!printed.has(line)) print(line);
      printed.add(line);
    };
  const warn = (line: string): void => writeWarning(context, withCommandOptions(line));
  const fail = (line: string): void => writeError(context, line);
  const disabled = Object.assign(() => {}, { enabled: false });
  return { verbose: disabled, info: disabled, warning: eachOnce(warn), error: eachOnce(fail) };
}
