import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { OperationNotFoundError, OperationStatusesClient, PollingTimeoutError } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { rejection } from "../support/rejections.ts";
import { redisTest } from "../support/redis.ts";
import { earlyPolls } from "./early-polls.ts";
import { recordingLogger, silent } from "./loggers.ts";

const quick = { minDelayInMs: 0, pollCostInMs: 1 };

redisTest(
  "an operation whose wait timed out continues when it is added again, and waits for the Retry-After",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const { operationId } = server.addOperation({
      timeline: [
        { status: "Running", polls: 1 },
        { status: "Succeeded", properties: 42 },
      ],
      retryAfter: 3,
    });
    const client = new OperationStatusesClient(server.endpoint);
    const operation = client.operation("myProject", operationId);
    await using here = createOperationQueue({ connection });
    await using elsewhere = createOperationQueue({ connection });
    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    const first = await here.add(operation, { ...quick, timeoutInMs: 1000 });
    expect(await rejection(first.pollUntilDone())).toBeInstanceOf(PollingTimeoutError);

    const [again, another] = await Promise.all([
      here.add(operation, { ...quick, timeoutInMs: 60_000 }),
      elsewhere.add(operation, { ...quick, timeoutInMs: 60_000 }),
    ]);
    expect([again.jobId, another.jobId]).toEqual([first.jobId, first.jobId]);
    const counts: number[] = [];
    for await (const { pollCount } of another) counts.push(pollCount);
    expect(counts).toEqual([1, 2]);
    expect(await again.pollUntilDone()).toBe(42);
    expect(server.requests).toHaveLength(2);
    expect(earlyPolls(server.requests, () => 3000)).toEqual([]);
    // A terminal operation is not polled again.
    expect(await (await here.add(operation)).pollUntilDone()).toBe(42);
    expect(server.requests).toHaveLength(2);
  },
);

redisTest(
  "an operation that was not found is polled again when it is added again",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const client = new OperationStatusesClient(server.endpoint);
    const operation = client.operation("myProject", "fa067167-e49d-41bd-8dd8-de719b9de3b3");
    await using queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    for (const polls of [1, 2]) {
      const handle = await queue.add(operation, { notFoundGraceInMs: 0 });
      expect(await rejection(handle.pollUntilDone())).toBeInstanceOf(OperationNotFoundError);
      expect(server.requests).toHaveLength(polls);
    }
  },
);

redisTest(
  "a worker that has no client for an operation leaves it to another, also if it is the first to get it",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 42 }] });
    const client = new OperationStatusesClient(server.endpoint);
    const operation = client.operation("myProject", operationId);
    await using queue = createOperationQueue({ connection });
    const { logger, lines } = recordingLogger();
    await using stranger = createOperationWorker({
      connection,
      clients: [new OperationStatusesClient("https://elsewhere.example")],
      logger,
    });
    await stranger.started;
    const handle = await queue.add(operation);
    await expect.poll(() => lines).toEqual([expect.stringContaining("No client of this process")]);

    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    expect(await handle.pollUntilDone()).toBe(42);
  },
);

redisTest(
  "an operation that no worker has a client for ends after its time, and continues when it is added again",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 42 }] });
    const client = new OperationStatusesClient(server.endpoint);
    const operation = client.operation("myProject", operationId);
    await using queue = createOperationQueue({ connection });
    const stranger = createOperationWorker({
      connection,
      clients: [new OperationStatusesClient("https://elsewhere.example")],
      unclaimedTimeoutInMs: 0,
      logger: silent,
    });
    await stranger.started;
    const ended = await queue.add(operation);
    expect(await rejection(ended.pollUntilDone())).toMatchObject({ code: "NoClient" });
    await stranger.close();

    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    expect(await (await queue.add(operation)).pollUntilDone()).toBe(42);
  },
);

redisTest(
  "a caller that waits for a job that was removed and added again gets the result of the new one",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 42 }] });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection });
    const handle = await queue.add(client.operation("myProject", operationId));
    const waiting = handle.pollUntilDone();
    // The event of the removal comes when the job has been added again.
    const redis = new Redis(connection);
    await redis.xadd("bull:operations:events", "*", "event", "removed", "jobId", handle.jobId);
    redis.disconnect();
    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    expect(await waiting).toBe(42);
  },
);

redisTest("a wait times out even if no worker runs", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 42 }] });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  const raw = new Queue("operations", { connection });
  const now = Date.now();
  const operation = client.operation("myProject", operationId);
  const started = {
    version: 1,
    startedAt: now - 90_000,
    savedAt: now - 90_000,
    pollCount: 7,
    failedPollCount: 0,
  };
  const token = { ...started, operation: operation.toJSON(), deadline: now - 60_000 };
  const due = { dueAt: now - 90_000, delayInMs: 0 };
  const data = { version: 1, token, options: {}, responseCounts: { Running: 7 }, ...due };
  await raw.add("operation", data, { jobId: "old", timestamp: now - 90_000 });
  const error = await rejection(queue.handle("old").pollUntilDone(), PollingTimeoutError);
  expect(error).toMatchObject({
    code: "PollingTimeout",
    message: expect.stringContaining("no worker has saved a result"),
    pollCount: 7,
    responseCounts: { Running: 7 },
  });
  // An operation that is added after its deadline gets one poll.
  const added = await queue.add(JSON.stringify(token));
  const waiting = added.pollUntilDone();
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  expect(await waiting).toBe(42);
  expect(await (await queue.add(error.resumeToken ?? "")).pollUntilDone()).toBe(42);
  await raw.close();
});
