import type { ChildProcess } from "node:child_process";
import { on } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import type { OperationPlan } from "lro-poller/testing";
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

redisTest("a worker that was suspended does not poll what another worker has polled since", async (redis) => {
  await using server = await startOperationServer();
  const add = (plan: OperationPlan): string => server.addOperation(plan).operationId;
  const first = add({ timeline: [{ status: "Succeeded" }] });
  const second = add({ timeline: [{ status: "Running" }], retryAfter: 3600 });
  const client = new OperationStatusesClient(server.endpoint);
  const { connection } = redis;
  await using queue = createOperationQueue({ connection });
  const goOnFile = join(mkdtempSync(join(tmpdir(), "takeover-")), "goOn");
  onTestFinished(() => rmSync(dirname(goOnFile), { recursive: true }));
  await using workers = await startWorkers(1, redis, server, () => ({ SUSPENDED_UNTIL_FILE: goOnFile }));
  const [suspended] = workers.processes;
  if (suspended === undefined) throw new Error("no process");

  // Its connection to the service is open from now on: without the check, the request would be sent at once.
  await (await queue.add(client.operation("myProject", first))).pollUntilDone();
  const hasSecond = untilTold(suspended, /^suspended$/);
  await queue.add(client.operation("myProject", second));
  await hasSecond;
  await using worker = createOperationWorker({
    connection,
    clients: [client],
    lockDurationInMs: 2000,
    stalledIntervalInMs: 1000,
  });
  await worker.started;
  await expect.poll(() => queue.counts(), { timeout: 60_000 }).toMatchObject({ active: 0, delayed: 1 });
  const hasLostJob = untilTold(suspended, /could not renew lock|Missing lock/);
  writeFileSync(goOnFile, "");
  await hasLostJob;
  expect(server.requests.map(({ operationId }) => operationId)).toEqual([first, second]);
});

/** Waits for a message of a process, whatever else it sends before. */
async function untilTold(child: ChildProcess, text: RegExp): Promise<void> {
  for await (const [message] of on(child, "message")) if (text.test(String(message))) return;
}

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
