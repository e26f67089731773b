import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { OperationStatusesClient } from "lro-poller";
import type { Operation } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { scriptedOperation, startOperationServer } from "lro-poller/testing";
import { expect, vi } from "vitest";
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

redisTest(
  "a worker that is closed aborts its polls, and another worker polls their operations at once",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const operations = Array.from({ length: 5 }, () =>
      server.addOperation({
        timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }],
        faults: { 1: { kind: "hang" }, 2: { kind: "status", status: 500 } },
      }),
    );
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection });
    const first = createOperationWorker({ connection, clients: [client] });
    const handles = await Promise.all(
      operations.map(({ operationId }) => queue.add(client.operation("myProject", operationId), quick)),
    );
    await expect.poll(() => server.requests.length).toBe(5);
    const raw = new Queue("operations", { connection });
    const dataOf = async (): Promise<unknown[]> =>
      Promise.all(handles.map(async ({ jobId }): Promise<unknown> => (await raw.getJob(jobId))?.data));
    const data = await dataOf();
    const closedAt = performance.now();
    await first.close();
    const closingInMs = performance.now() - closedAt;
    expect(await queue.counts()).toMatchObject({ waiting: 5, active: 0, delayed: 0, rejected: 0 });
    expect(await dataOf()).toEqual(data);
    await raw.close();

    await using second = createOperationWorker({ connection, clients: [client] });
    await second.started;
    await expect.poll(() => server.requests.length).toBeGreaterThanOrEqual(10);
    const takenUpInMs = performance.now() - closedAt;
    await Promise.all(handles.map((handle) => handle.pollUntilDone()));
    expect(closingInMs).toBeLessThan(2000);
    expect(takenUpInMs).toBeLessThan(5000);
  },
);

redisTest(
  "a worker that is closed while it resolves an operation hands the job back",
  async ({ connection }) => {
    await using queue = createOperationQueue({ connection });
    const { promise: isResolving, resolve } = Promise.withResolvers<void>();
    const worker = createOperationWorker({
      connection,
      resolveOperation: () => {
        resolve();
        return new Promise(() => {});
      },
    });
    await queue.add(scriptedOperation(["Running"]));
    await isResolving;
    await worker.close();
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0 });
  },
);

redisTest("a response that came before its worker is closed is saved", async ({ connection }) => {
  const scripted = scriptedOperation(["Running", { status: "Succeeded" }]);
  let close = (): void => {};
  const operation: Operation = {
    ...scripted,
    async getStatus(options) {
      const response = await scripted.getStatus(options);
      close();
      return response;
    },
  };
  await using queue = createOperationQueue({ connection });
  const worker = createOperationWorker({ connection, resolveOperation: () => operation });
  await worker.started;
  const { promise, resolve } = Promise.withResolvers<void>();
  // After the worker has taken the response, and before it has saved it.
  close = () => setImmediate(() => resolve(worker.close()));
  await queue.add(operation, { maxDelayInMs: 60_000, minDelayInMs: 60_000 });
  await promise;
  expect(await queue.counts()).toMatchObject({ delayed: 1, waiting: 0, active: 0 });
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
  const savedAt = Date.now();
  const operation = client.operation("myProject", operationId).toJSON();
  const token = { version: 1, operation, startedAt: savedAt, savedAt, pollCount: 1, failedPollCount: 0 };
  await queue.add(JSON.stringify({ ...token, notBefore: savedAt + 30_000 }));
  await expect.poll(() => queue.counts()).toMatchObject({ delayed: 1, active: 0, waiting: 0 });
  expect(server.requests).toEqual([]);
});
