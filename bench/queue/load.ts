import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { createOperationQueue } from "lro-poller/bullmq";
import { startRedis } from "../../examples/redis-server.ts";
import type { RedisServer } from "../../examples/redis-server.ts";
import { startWorkers } from "../../test/bullmq/fleet.ts";
import { idOf } from "../many/operations.ts";
import { addDelayedJobs } from "./delayed-jobs.ts";

/** The load of one measurement. */
export interface Load {
  readonly workers: number;
  /** Operations that are polled without a pause, or once a second. */
  readonly operations: number;
  readonly isSaturated: boolean;
  /** How long the service takes to respond. */
  readonly responseTimeInMs: number;
  /** Further operations, which are not due for an hour. */
  readonly delayed: number;
}

/** The results of one measurement. */
export interface Figures {
  readonly pollsPerSecond: number;
  /** How much later than scheduled; meaningless for a saturated load. */
  readonly latenessInMs: { readonly median: number; readonly p99: number };
  /** Commands that clients send. */
  readonly roundTripsPerPoll: number;
  /** With the commands that scripts call, which cost Redis time but no round trip. */
  readonly commandsPerPoll: number;
  readonly redisCpuPerPollInMicros: number;
  readonly redisMegabytes: number;
}

const warmUpInMs = 4000;
const measuredInMs = 10_000;

export async function measure(load: Load): Promise<Figures> {
  const redis = await startRedis();
  const server = fork(new URL("server.ts", import.meta.url), [String(load.responseTimeInMs)]);
  const [port] = (await once(server, "message")) as [number];
  const endpoint = `http://127.0.0.1:${port}`;
  await addOperations(redis, endpoint, load);
  const env = { LOCK_IN_MS: "30000", STALLED_IN_MS: "30000" };
  const workers = await startWorkers(load.workers, redis, { endpoint }, () => env);
  const client = new Redis(redis.connection);
  const figures = await observe(server, client, delayOf(load));
  client.disconnect();
  await workers[Symbol.asyncDispose]();
  server.disconnect();
  await redis[Symbol.asyncDispose]();
  return figures;
}

function delayOf({ isSaturated }: Load): number {
  return isSaturated ? 0.001 : 1000;
}

async function addOperations({ connection }: RedisServer, endpoint: string, load: Load): Promise<void> {
  await addDelayedJobs(connection, endpoint, load.delayed);
  const queue = createOperationQueue({ connection });
  const [minDelayInMs, maxDelayInMs] = [delayOf(load), delayOf(load)];
  for (let index = 0; index < load.operations; index++) {
    const reference = { endpoint, projectName: "myProject", operationId: idOf(index) };
    await queue.add(reference, { minDelayInMs, maxDelayInMs });
  }
  await queue.close();
}

async function observe(server: ChildProcess, client: Redis, delayInMs: number): Promise<Figures> {
  await delay(warmUpInMs);
  await intervalsSeenBy(server);
  const before = await redisStats(client);
  await delay(measuredInMs);
  const [intervalsInMs, after] = [await intervalsSeenBy(server), await redisStats(client)];
  const polls = intervalsInMs.length;
  const late = intervalsInMs.map((intervalInMs) => intervalInMs - delayInMs).toSorted((a, b) => a - b);
  return {
    pollsPerSecond: polls / (measuredInMs / 1000),
    latenessInMs: { median: late[Math.floor(polls / 2)] ?? NaN, p99: late[Math.floor(polls * 0.99)] ?? NaN },
    roundTripsPerPoll: (after.sent - before.sent) / polls,
    commandsPerPoll: (after.called - before.called) / polls,
    redisCpuPerPollInMicros: ((after.cpuInSeconds - before.cpuInSeconds) / polls) * 1e6,
    redisMegabytes: after.bytes / 1e6,
  };
}

async function intervalsSeenBy(server: ChildProcess): Promise<number[]> {
  server.send("intervals");
  const [intervalsInMs] = (await once(server, "message")) as [number[]];
  return intervalsInMs;
}

/** Commands that no script of BullMQ calls. */
const sentByClients = /^(evalsha|eval|bzpopmin|client|info|script|xread|ping)/;

interface RedisStats {
  /** Commands that came over connections. */
  readonly sent: number;
  /** With the commands that scripts called. */
  readonly called: number;
  readonly cpuInSeconds: number;
  readonly bytes: number;
}

async function redisStats(client: Redis): Promise<RedisStats> {
  const text = await client.info("all");
  const number = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1]);
  const calls = [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  const sum = (of: typeof calls): number => of.reduce((total, [, , count]) => total + Number(count), 0);
  return {
    sent: sum(calls.filter(([, name = ""]) => sentByClients.test(name))),
    called: sum(calls),
    cpuInSeconds: number("used_cpu_user") + number("used_cpu_sys"),
    bytes: number("used_memory"),
  };
}
