import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import type { OperationQueue } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer } from "lro-poller/testing";
import { startRedis } from "../../examples/redis-server.ts";

/** The memory of Redis, in bytes. */
export interface MemoryFigures {
  /** For an operation between its first poll and its second. */
  readonly perWaitingOperation: number;
  /** For each byte of a result, with the events that Redis keeps for a while. */
  readonly perByteOfResult: number;
  /** The same when later events have taken their place. */
  readonly perByteOfOldResult: number;
}

const waiting = 5000;
const results = 50;
const resultBytes = 100_000;
const hourInMs = 3_600_000;

/** Measures what Redis keeps for each operation, beside BullMQ's events. */
export async function measureMemory(): Promise<MemoryFigures> {
  const redis = await startRedis();
  const server = await startOperationServer({ requestsPerMinute: 1_000_000 });
  const { connection } = redis;
  const client = new Redis(connection);
  await once(client, "ready");
  const queue = createOperationQueue({ connection });
  const clients = [new OperationStatusesClient(server.endpoint)];
  const worker = createOperationWorker({ connection, clients });
  await worker.started;

  await poll(queue, server, 1, "Running");
  const before = await bytesWithoutEvents(client);
  await poll(queue, server, waiting, "Running");
  await until(async () => (await queue.counts()).delayed === waiting + 1);
  const polled = await bytesWithoutEvents(client);
  await poll(queue, server, results, "Succeeded");
  await until(async () => (await queue.counts()).completed === results);
  const ended = await usedBytes(client);
  const trimmed = await bytesWithoutEvents(client);
  client.disconnect();
  await Promise.all([worker.close(), queue.close(), server.close()]);
  await redis[Symbol.asyncDispose]();
  const total = results * resultBytes;
  return {
    perWaitingOperation: (polled - before) / waiting,
    perByteOfResult: (ended - polled) / total,
    perByteOfOldResult: (trimmed - polled) / total,
  };
}

async function poll(
  queue: OperationQueue,
  server: OperationServer,
  count: number,
  status: "Running" | "Succeeded",
): Promise<void> {
  for (let index = 0; index < count; index++) {
    const text = "x".repeat(resultBytes);
    const properties = status === "Succeeded" ? { text } : undefined;
    const { operationId } = server.addOperation({ timeline: [{ status, properties }] });
    const reference = { endpoint: server.endpoint, projectName: "myProject", operationId };
    await queue.add(reference, { minDelayInMs: hourInMs, maxDelayInMs: hourInMs });
  }
}

async function bytesWithoutEvents(client: Redis): Promise<number> {
  await client.xtrim("bull:operations:events", "MAXLEN", 0);
  return usedBytes(client);
}

async function usedBytes(client: Redis): Promise<number> {
  // Connections free their buffers a moment later.
  await delay(3000);
  return Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1]);
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  while (!(await isDone())) await delay(100);
}
