import type { Queue } from "bullmq";
import { ContractError } from "../errors.ts";

/** What Redis knows of a queue and its time. */
export interface Look {
  readonly timeInMs: number;
  /** Jobs that are due and wait for a worker. */
  readonly waiting: number;
  readonly workers: number;
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

/** Three commands, however many jobs there are. */
export async function lookAt(queue: Queue): Promise<Look> {
  const [timeInMs, waiting, workers] = await Promise.all([
    redisTimeInMs(queue),
    queue.getWaitingCount(),
    queue.getWorkersCount(),
  ]);
  return { timeInMs, waiting, workers };
}
