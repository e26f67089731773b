import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect, onTestFinished } from "vitest";
import { startRedis } from "../../examples/redis-server.ts";
import { redisTest } from "../support/redis.ts";
import { rejection } from "../support/rejections.ts";
import { startWorkers } from "./fleet.ts";

redisTest(
  "the jobs of a killed worker are taken over within the lock's duration and one interval",
  async (redis) => {
    // As by default, but a tenth as long.
    const lockDurationInMs = 2000;
    const stalledIntervalInMs = 1000;
    await using server = await startOperationServer();
    const { operationId } = server.addOperation({
      timeline: [{ status: "Succeeded", properties: 42 }],
      faults: { 1: { kind: "hang" } },
    });
    const client = new OperationStatusesClient(server.endpoint);
    const { connection } = redis;
    await using queue = createOperationQueue({ connection });
    await using killed = await startWorkers(1, redis, server, () => ({
      LOCK_IN_MS: String(lockDurationInMs),
      STALLED_IN_MS: String(stalledIntervalInMs),
    }));
    const handle = await queue.add(client.operation("myProject", operationId));
    await expect.poll(() => server.requests.length).toBe(1);
    await using worker = createOperationWorker({
      connection,
      clients: [client],
      lockDurationInMs,
      stalledIntervalInMs,
    });
    await worker.started;
    await killed.killOne(() => 0);
    const [killedAt = 0] = killed.killedAt.values();
    expect(await handle.pollUntilDone()).toBe(42);
    // A second for the poll and its result on a busy machine.
    expect(performance.now() - killedAt).toBeLessThan(lockDurationInMs + stalledIntervalInMs + 1000);
  },
);

redisTest("a job that Redis has lost in a restart is not found, and the error says so", async () => {
  const redis = await startRedis(["--appendonly", "no"]);
  onTestFinished(() => redis[Symbol.asyncDispose]());
  const { connection } = redis;
  const client = new OperationStatusesClient("https://elsewhere.example");
  const operation = client.operation("myProject", "fa067167-e49d-41bd-8dd8-de719b9de3b3");
  let jobId: string;
  {
    await using queue = createOperationQueue({ connection });
    ({ jobId } = await queue.add(operation));
  }
  await redis.restart("SIGTERM");
  await using queue = createOperationQueue({ connection });
  expect(await rejection(queue.handle(jobId).pollUntilDone())).toMatchObject({
    code: "JobNotFound",
    message: expect.stringContaining("Redis has lost it in a restart (without appendonly yes)"),
  });
});
