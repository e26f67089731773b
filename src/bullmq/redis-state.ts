import type { Queue } from "bullmq";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { ContractError } from "../operation/errors.ts";

/** The rate limit of a queue: at most `max` polls by all workers in each period. */
export interface QueueRateLimit {
  /** 0 if no limit was ever set. */
  readonly max: number;
  readonly periodInMs: number;
}

/** The state of a queue, with Redis's time. */
interface RedisState {
  readonly timeInMs: number;
  /** Jobs that are due and wait for a worker. */
  readonly waiting: number;
  /** `undefined` if Redis does not say: its access rules may forbid `CLIENT LIST`. */
  readonly workers: number | undefined;
  readonly limit: QueueRateLimit;
}

const timeCommand = "lroPollerTime";

/**
 * Returns Redis's time in milliseconds since 1970. BullMQ's clients have no command for it, so a script reads it. Its key
 * leads to the node of a cluster that has the queue: the clocks of the nodes differ.
 */
export async function redisTimeInMs(queue: Queue): Promise<number> {
  const client = await queue.backend.client;
  client.defineCommand(timeCommand, { numberOfKeys: 1, lua: "return redis.call('TIME')" });
  const reply: unknown = await client.runCommand(timeCommand, [queue.toKey("meta")]);
  const [seconds, microseconds] = Array.isArray(reply) ? reply.map(Number) : [];
  if (seconds === undefined || microseconds === undefined || !(seconds > 0)) {
    throw new ContractError("TIME", "seconds and microseconds", reply);
  }
  return seconds * 1000 + microseconds / 1000;
}

/**
 * A clock whose timestamps are Redis's: the clocks of machines differ, and are set while they run. Between two requests
 * to Redis it follows the platform's monotonic time.
 */
export class RedisClock implements Clock {
  #originInMs = Date.now() - systemClock.now();

  /** Learns Redis's time at some moment between two values of `now()`. */
  learn(timeInMs: number, sentAt: number, receivedAt: number): void {
    this.#originInMs = timeInMs - (sentAt + receivedAt) / 2;
  }

  now(): number {
    return systemClock.now();
  }

  timestamp(): number {
    return systemClock.now() + this.#originInMs;
  }

  setTimer(callback: () => void, delayInMs: number): () => void {
    return systemClock.setTimer(callback, delayInMs);
  }
}

/** Reads the state of a queue with four commands, regardless of the number of jobs. */
export async function readRedisState(queue: Queue, report: (error: unknown) => void): Promise<RedisState> {
  const [timeInMs, waiting, workers, limit] = await Promise.all([
    redisTimeInMs(queue),
    queue.getWaitingCount(),
    queue.getWorkersCount().catch(report),
    queue.getGlobalRateLimit(),
  ]);
  const { max = 0, duration: periodInMs = 1000 } = limit ?? {};
  return { timeInMs, waiting, workers: workers ?? undefined, limit: { max, periodInMs } };
}

/** Returns whether Redis was reachable when last used. */
export async function isConnected(queue: Queue): Promise<boolean> {
  // BullMQ's promise of the client is pending until the first connection.
  const client = await Promise.race([queue.backend.client, Promise.resolve(undefined)]);
  return client?.status === "ready";
}

/** Closes a queue. BullMQ's own `close` sends a command, and would wait for an unreachable Redis for ever. */
export async function closeQueue(queue: Queue): Promise<void> {
  if (await isConnected(queue)) await queue.close();
  else await queue.backend.close(true);
}
