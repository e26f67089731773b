import type { Queue } from "bullmq";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { ContractError } from "../operation/errors.ts";

/** A script that Redis runs as one command. */
export interface RedisScript {
  readonly name: string;
  readonly numberOfKeys: number;
  readonly lua: string;
}

/** Runs a script on a queue's connection. */
export async function runScript(
  queue: Queue,
  { name, numberOfKeys, lua }: RedisScript,
  args: readonly (string | number)[],
): Promise<unknown> {
  const client = await queue.backend.client;
  client.defineCommand(name, { numberOfKeys, lua });
  return client.runCommand(name, [...args]);
}

const timeScript = { name: "lroPollerTime", numberOfKeys: 1, lua: "return redis.call('TIME')" };

/**
 * Returns Redis's time in milliseconds since 1970. BullMQ's clients have no command for it, so a script reads it. Its key
 * leads to the node of a cluster that has the queue: the clocks of the nodes differ.
 */
export async function redisTimeInMs(queue: Queue): Promise<number> {
  return parseTime(await runScript(queue, timeScript, [queue.toKey("meta")]));
}

/** Returns the reply of `TIME` in milliseconds since 1970. */
export function parseTime(reply: unknown): number {
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
