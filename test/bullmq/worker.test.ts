import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { scriptedOperation, startOperationServer } from "lro-poller/testing";
import { expect, onTestFinished, vi } from "vitest";
import { redisTest } from "../support/redis.ts";
import { earlyPolls } from "./early-polls.ts";
import { recordingLogger, silent } from "./loggers.ts";

const quick = { minDelayInMs: 0, pollCostInMs: 1 };

redisTest(
  "polls without an interval notify progress one by one, and the worker can be closed",
  async ({ connection }) => {
    await using server = await startOperationServer({ requestsPerMinute: 10_000_000 });
    const { operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection });
    const worker = createOperationWorker({ connection, clients: [client] });
    const handle = await queue.add(client.operation("myProject", operationId), {
      minDelayInMs: 0,
      maxDelayInMs: 0,
    });
    const counts: number[] = [];
    for await (const { pollCount } of handle) {
      counts.push(pollCount);
      if (pollCount >= 3) break;
    }
    expect(counts.length).toBeGreaterThan(1);
    await worker.close();
    const polls = server.requests.length;
    expect(await queue.counts()).toMatchObject({ active: 0, completed: 0 });
    expect(server.requests).toHaveLength(polls);
  },
);

redisTest("a worker that is closed during a poll saves the response", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({
    timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }],
    retryAfter: 2,
    faults: { 1: { kind: "late", delayInMs: 500 } },
  });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  const first = createOperationWorker({ connection, clients: [client] });
  const handle = await queue.add(client.operation("myProject", operationId), quick);
  await expect.poll(() => server.requests.length).toBe(1);
  await first.close();
  expect(await queue.counts()).toMatchObject({ delayed: 1, active: 0 });

  await using second = createOperationWorker({ connection, clients: [client] });
  await second.started;
  await handle.pollUntilDone();
  expect(server.requests).toHaveLength(2);
  expect(earlyPolls(server.requests, () => 2000)).toEqual([]);
});

redisTest("a worker warns once of each unknown state that looks terminal", async ({ connection }) => {
  const endTime = "2025-01-01T00:00:00Z";
  const operation = scriptedOperation([
    { status: "Dequeued", endTime },
    { status: "Dequeued", endTime },
    { status: "Succeeded", properties: 7 },
  ]);
  const warnings: unknown[] = [];
  const logger = { ...silent, warning: (text: unknown) => warnings.push(text) };
  await using queue = createOperationQueue({ connection });
  await using _ = createOperationWorker({ connection, resolveOperation: () => operation, logger });
  expect(await (await queue.add(operation, quick)).pollUntilDone()).toBe(7);
  expect(warnings).toEqual([
    `Operation ${operation.id}: Dequeued came with an end time: if it is terminal, add it to terminalStates.`,
  ]);
});

redisTest("a worker that may not read the state of Redis still saves its polls", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({
    timeline: [{ status: "Running", polls: 2 }, { status: "Succeeded" }],
    retryAfter: 3,
  });
  const client = new OperationStatusesClient(server.endpoint);
  const { logger, lines } = recordingLogger();
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client], logger });
  await worker.started;
  const handle = await queue.add(client.operation("myProject", operationId), quick);
  const ended = handle.pollUntilDone();
  await expect.poll(() => server.requests.length).toBe(1);
  const redis = new Redis(connection);
  await redis.acl("SETUSER", "default", "-client|list", "-time");
  redis.disconnect();
  await ended;
  expect(lines).toContainEqual(expect.stringContaining("can't run this command"));
  expect(server.requests).toHaveLength(3);
  expect(earlyPolls(server.requests, () => 3000)).toEqual([]);
});

redisTest("an operation that is removed during a poll stays, and ends", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({
    timeline: [{ status: "Succeeded", properties: 42 }],
    faults: { 1: { kind: "late", delayInMs: 300 } },
  });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const handle = await queue.add(client.operation("myProject", operationId));
  await expect.poll(() => server.requests.length).toBe(1);
  expect(await queue.remove(handle.jobId)).toBe(false);
  expect(await handle.pollUntilDone()).toBe(42);
  expect(await queue.remove(handle.jobId)).toBe(true);
  const raw = new Queue("operations", { connection });
  expect(await raw.getJob(handle.jobId)).toBeUndefined();
  await raw.close();
});

redisTest("a worker gets Redis's time before it polls, however long it was idle", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  // As after hours without a job: the clock is a minute ahead of Redis's.
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + 60_000);
  onTestFinished(() => void vi.restoreAllMocks());
  const savedAt = Date.now();
  const operation = client.operation("myProject", operationId).toJSON();
  const token = { version: 1, operation, startedAt: savedAt, savedAt, pollCount: 1, failedPollCount: 0 };
  await queue.add(JSON.stringify({ ...token, notBefore: savedAt + 30_000 }));
  await expect.poll(() => queue.counts()).toMatchObject({ delayed: 1, active: 0, waiting: 0 });
  expect(server.requests).toEqual([]);
});
