import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import type { OperationHandle, OperationQueue, OperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import type { RedisServer } from "../../examples/redis-server.ts";
import { redisTest } from "../support/redis.ts";

const often = { minDelayInMs: 5, maxDelayInMs: 5 };

interface Fleet extends AsyncDisposable {
  readonly queue: OperationQueue;
  readonly held: OperationServer;
  readonly other: OperationServer;
  startWorker(): Promise<OperationWorker>;
  /** Adds an operation that ends with its third poll. */
  add(server: OperationServer): Promise<OperationHandle>;
}

/** Starts two services and a queue. The first one answers its first poll with 503 and an hour's Retry-After. */
async function startFleet({ connection }: RedisServer): Promise<Fleet> {
  const [held, other] = [await startOperationServer(), await startOperationServer()];
  const clients = [held, other].map(({ endpoint }) => new OperationStatusesClient(endpoint));
  const queue = createOperationQueue({ connection });
  const workers: OperationWorker[] = [];
  const fleet: Fleet = {
    queue,
    held,
    other,
    startWorker: async () => {
      const worker = createOperationWorker({ connection, clients });
      workers.push(worker);
      await worker.started;
      return worker;
    },
    add: (server) => {
      const { operationId } = server.addOperation({
        timeline: [{ status: "Running", polls: 2 }, { status: "Succeeded" }],
        ...(server === held &&
          held.requests.length === 0 && {
            faults: { 1: { kind: "status", status: 503, retryAfter: 3600 } },
          }),
      });
      return queue.add({ endpoint: server.endpoint, projectName: "myProject", operationId }, often);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.close()));
      await queue.close();
      await Promise.all([held.close(), other.close()]);
    },
  };
  await fleet.add(held);
  return fleet;
}

/** Waits until so many jobs are delayed, and no other waits for a worker or is polled. */
function untilDelayed(queue: OperationQueue, delayed: number): Promise<void> {
  return expect
    .poll(() => queue.counts())
    .toMatchObject({
      delayed,
      waiting: 0,
      active: 0,
    });
}

redisTest("an hour's Retry-After of one host holds its operations, and no other's", async (redis) => {
  await using fleet = await startFleet(redis);
  const { queue, held, other } = fleet;
  await fleet.startWorker();
  await untilDelayed(queue, 1);
  await fleet.add(held);
  const handles = await Promise.all(Array.from({ length: 20 }, () => fleet.add(other)));
  await Promise.all(handles.map((handle) => handle.pollUntilDone()));
  await untilDelayed(queue, 2);

  expect(other.requests).toHaveLength(60);
  expect(held.requests).toHaveLength(1);
  const [hold, ...others] = await queue.holds();
  expect(others).toEqual([]);
  expect(hold).toMatchObject({ origin: new URL(held.endpoint).origin, statusCode: 503, intervalInMs: 0 });
  const leftInMs = (hold?.until?.getTime() ?? 0) - Date.now();
  expect(leftInMs).toBeGreaterThan(3_500_000);
  expect(leftInMs).toBeLessThan(3_601_000);
});

redisTest(
  "a worker that starts after the one that was told to wait has stopped holds the host too",
  async (redis) => {
    await using fleet = await startFleet(redis);
    const { queue, held, other } = fleet;
    const first = await fleet.startWorker();
    await untilDelayed(queue, 1);
    await first.close();
    await fleet.startWorker();
    await fleet.add(held);
    const handle = await fleet.add(other);
    await handle.pollUntilDone();
    await untilDelayed(queue, 2);
    expect(held.requests).toHaveLength(1);
  },
);

redisTest(
  "lifting a hold lets every worker poll the operations that waited for their turn",
  async (redis) => {
    await using fleet = await startFleet(redis);
    const { queue, held } = fleet;
    const { origin } = new URL(held.endpoint);
    await fleet.startWorker();
    await untilDelayed(queue, 1);
    await fleet.startWorker();
    const handles = await Promise.all(Array.from({ length: 40 }, () => fleet.add(held)));
    await untilDelayed(queue, 41);
    expect(held.requests).toHaveLength(1);

    expect(await queue.lift("https://elsewhere.example")).toBe(false);
    expect(await queue.lift(origin)).toBe(true);
    await Promise.all(handles.map((handle) => handle.pollUntilDone()));
    expect(await queue.holds()).toEqual([]);
    expect(await queue.lift(origin)).toBe(false);
    // So is the operation that got the response, before its own Retry-After is over.
    await expect.poll(() => queue.counts()).toMatchObject({ completed: 41, delayed: 0 });
  },
);
