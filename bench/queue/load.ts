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
import { addSleepers } from "./sleepers.ts";

/** What is to be measured. */
export interface Load {
  readonly workers: number;
  /** Operations that are read all the time, or once a second. */
  readonly operations: number;
  readonly isSaturated: boolean;
  /** How long the service takes for an answer. */
  readonly answerAfterInMs: number;
  /** Operations that wait besides, for an hour. */
  readonly sleepers: number;
}

/** What was measured. */
export interface Figures {
  readonly readsPerSecond: number;
  /** How much later than the schedule said; of a saturated load it says nothing. */
  readonly latenessInMs: { readonly median: number; readonly p99: number };
  /** What clients send. */
  readonly roundTripsPerRead: number;
  /** With those that its scripts call, which cost Redis time but nobody a round trip. */
  readonly commandsPerRead: number;
  readonly redisCpuPerReadInMicros: number;
  readonly redisMegabytes: number;
}

const warmUpInMs = 4000;
const measuredInMs = 10_000;

export async function measure(load: Load): Promise<Figures> {
  const redis = await startRedis();
  const server = fork(new URL("server.ts", import.meta.url), [String(load.answerAfterInMs)]);
  const [port] = (await once(server, "message")) as [number];
  const endpoint = `http://127.0.0.1:${port}`;
  await addOperations(redis, endpoint, load);
  const more = { LOCK_IN_MS: "30000", STALLED_IN_MS: "30000" };
  const workers = await startWorkers(load.workers, redis, { endpoint }, () => more);
  const client = new Redis(redis.connection);
  const figures = await watch(server, client, delayOf(load));
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
  await addSleepers(connection, endpoint, load.sleepers);
  const queue = createOperationQueue({ connection });
  const [minDelayInMs, maxDelayInMs] = [delayOf(load), delayOf(load)];
  for (let index = 0; index < load.operations; index++) {
    const reference = { endpoint, projectName: "myProject", operationId: idOf(index) };
    await queue.add(reference, { minDelayInMs, maxDelayInMs });
  }
  await queue.close();
}

async function watch(server: ChildProcess, client: Redis, delayInMs: number): Promise<Figures> {
  await delay(warmUpInMs);
  await gapsSeenBy(server);
  const before = await lookAt(client);
  await delay(measuredInMs);
  const [gaps, after] = [await gapsSeenBy(server), await lookAt(client)];
  const reads = gaps.length;
  const late = gaps.map((gap) => gap - delayInMs).toSorted((a, b) => a - b);
  return {
    readsPerSecond: reads / (measuredInMs / 1000),
    latenessInMs: { median: late[Math.floor(reads / 2)] ?? NaN, p99: late[Math.floor(reads * 0.99)] ?? NaN },
    roundTripsPerRead: (after.sent - before.sent) / reads,
    commandsPerRead: (after.called - before.called) / reads,
    redisCpuPerReadInMicros: ((after.cpuInSeconds - before.cpuInSeconds) / reads) * 1e6,
    redisMegabytes: after.bytes / 1e6,
  };
}

async function gapsSeenBy(server: ChildProcess): Promise<number[]> {
  server.send("what was seen?");
  const [gaps] = (await once(server, "message")) as [number[]];
  return gaps;
}

/** What no script of BullMQ's calls. */
const sentByClients = /^(evalsha|eval|bzpopmin|client|info|script|xread|ping)/;

interface Look {
  /** Commands that came over connections. */
  readonly sent: number;
  /** With those that scripts called. */
  readonly called: number;
  readonly cpuInSeconds: number;
  readonly bytes: number;
}

async function lookAt(client: Redis): Promise<Look> {
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
