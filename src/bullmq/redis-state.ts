import type { Queue } from "bullmq";
import { ContractError } from "../operation/errors.ts";

/** So many reads in so long, by all workers together. */
export interface Limit {
  /** 0 where none was ever set. */
  readonly max: number;
  readonly durationInMs: number;
}

/** What Redis knows of a queue and its time. */
export interface RedisState {
  readonly timeInMs: number;
  /** Jobs that are due and wait for a worker. */
  readonly waiting: number;
  readonly workers: number;
  readonly limit: Limit;
}

const timeCommand = "lroPollerTime";

/** Redis's time, in milliseconds since 1970. BullMQ's clients have no command for it but by a script. */
export async function redisTimeInMs(queue: Queue): Promise<number> {
  const client = await queue.backend.client;
  client.defineCommand(timeCommand, { numberOfKeys: 0, lua: "return redis.call('TIME')" });
  const answer: unknown = await client.runCommand(timeCommand, []);
  const [seconds, microseconds] = Array.isArray(answer) ? answer.map(Number) : [];
  if (seconds === undefined || microseconds === undefined || !(seconds > 0)) {
    throw new ContractError("TIME", "seconds and microseconds", answer);
  }
  return seconds * 1000 + microseconds / 1000;
}

/** Four commands, however many jobs there are. */
export async function readRedisState(queue: Queue): Promise<RedisState> {
  const [timeInMs, waiting, workers, limit] = await Promise.all([
    redisTimeInMs(queue),
    queue.getWaitingCount(),
    queue.getWorkersCount(),
    queue.getGlobalRateLimit(),
  ]);
  const { max = 0, duration = 1000 } = limit ?? {};
  return { timeInMs, waiting, workers, limit: { max, durationInMs: duration } };
}

/** Whether Redis can be reached, as far as is known. */
export async function isConnected(queue: Queue): Promise<boolean> {
  // The client comes when it was connected once.
  const client = await Promise.race([queue.backend.client, Promise.resolve(undefined)]);
  return client?.status === "ready";
}

/** BullMQ takes leave of Redis, and would wait for it for ever where it is away. */
export async function closeQueue(queue: Queue): Promise<void> {
  if (await isConnected(queue)) await queue.close();
  else await queue.backend.close(true);
}
