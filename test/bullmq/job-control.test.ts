import { Queue } from "bullmq";
import { LroClient, OperationStatusesClient, PollingError } from "lro-poller";
import type { Operation } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { redisTest } from "../support/redis.ts";
import { rejection } from "../support/rejections.ts";
import { recordingLogger, silent } from "./loggers.ts";

const quick = { minDelayInMs: 0, pollCostInMs: 1 };
const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const notFound = { name: "PollingError", code: "JobNotFound" };

/** An operation whose poll responds when the test says so. */
function heldOperation(status: string): Operation & {
  readonly polled: Promise<void>;
  readonly respond: () => void;
  readonly aborted: Promise<void>;
} {
  const polled = Promise.withResolvers<void>();
  const response = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  return {
    id: "held",
    polled: polled.promise,
    respond: () => response.resolve(),
    aborted: aborted.promise,
    toJSON: () => ({ held: true }),
    async getStatus({ abortSignal }) {
      abortSignal.addEventListener("abort", () => aborted.resolve());
      polled.resolve();
      await response.promise;
      return { status: { id: "held", name: "held", status, properties: 42 } };
    },
  };
}

const takenJobs = [
  ["remove", "Running", "JobNotFound"],
  ["remove", "Succeeded", "JobNotFound"],
  ["stopPolling", "Running", "PollingStopped"],
  ["stopPolling", "Succeeded", "PollingStopped"],
] as const;

for (const [method, status, code] of takenJobs) {
  redisTest(
    `${method} takes a job from the worker that polls it, which drops its response ${status}`,
    async ({ connection }) => {
      const operation = heldOperation(status);
      const other = { ...heldOperation("Succeeded"), toJSON: () => ({ other: true }) };
      const { logger, lines } = recordingLogger();
      await using queue = createOperationQueue({ connection });
      const worker = createOperationWorker({
        connection,
        resolveOperation: (token) => ("other" in token.operation ? other : operation),
        concurrency: 1,
        logger,
      });
      await worker.started;
      const handle = await queue.add(operation);
      const waiting = rejection(handle.pollUntilDone());
      await operation.polled;
      expect(await queue[method](handle.jobId)).toBe(true);
      expect(await waiting).toMatchObject({ name: "PollingError", code });
      const description = await queue.get(handle.jobId);
      operation.respond();
      // The worker is free for another job.
      other.respond();
      const next = await queue.add(other);
      expect(await next.pollUntilDone()).toBe(42);
      await worker.close();
      expect(lines).toEqual([]);
      expect((await queue.get(handle.jobId))?.outcome).toEqual(description?.outcome);
      expect(description?.state).toBe(method === "remove" ? undefined : "completed");
      expect(await queue.counts()).toMatchObject({ delayed: 0, waiting: 0, active: 0, rejected: 0 });
    },
  );
}

redisTest("the poll of a removed job is aborted when its worker renews locks", async ({ connection }) => {
  const operation = heldOperation("Running");
  const { logger, lines } = recordingLogger();
  await using queue = createOperationQueue({ connection });
  const worker = createOperationWorker({
    connection,
    resolveOperation: () => operation,
    logger,
    lockDurationInMs: 200,
  });
  await worker.started;
  const { jobId } = await queue.add(operation);
  await operation.polled;
  await queue.remove(jobId);
  await operation.aborted;
  await worker.close();
  expect(lines).toEqual([]);
});

redisTest(
  "a delayed, a waiting and an ended job are removed, and an unknown one is not",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const running = server.addOperation({ timeline: [{ status: "Running" }], retryAfter: 3000 });
    const ended = server.addOperation({ timeline: [{ status: "Succeeded" }] });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection });
    const worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    const delayed = await queue.add(client.operation("myProject", running.operationId));
    const completed = await queue.add(client.operation("myProject", ended.operationId));
    await completed.pollUntilDone();
    await expect.poll(async () => (await queue.counts()).delayed).toBe(1);
    await worker.close();
    const waiting = await queue.add(client.operation("myProject", operationId));
    for (const { jobId } of [delayed, completed, waiting]) {
      expect(await queue.remove(jobId)).toBe(true);
      expect(await queue.remove(jobId)).toBe(false);
    }
    expect(await queue.remove("unknown")).toBe(false);
    for await (const job of queue.list()) expect(job).toBeUndefined();
  },
);

redisTest("a stopped wait continues from its last poll when it is retried", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationLocation } = server.addOperation({
    operationId,
    timeline: [
      { status: "Running", percentComplete: 40, polls: 1 },
      { status: "Succeeded", properties: 42 },
    ],
    retryAfter: 2,
  });
  const client = new LroClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  const worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const { jobId } = await queue.add(client.operationAt(operationLocation), quick);
  await expect.poll(async () => (await queue.get(jobId))?.pollCount).toBe(1);

  expect(await queue.stopPolling(jobId)).toBe(true);
  expect(await queue.stopPolling(jobId)).toBe(false);
  const error = await rejection(queue.handle(jobId).pollUntilDone(), PollingError);
  expect(error).toMatchObject({
    code: "PollingStopped",
    message:
      `Polling operation ${operationId} failed: job ${jobId} was stopped, and the operation continues. ` +
      "It was Running at 40 % at the last successful poll.",
    pollCount: 1,
    operation: { status: "Running", name: operationId },
    resumeToken: expect.any(String),
  });
  expect((await queue.get(jobId))?.outcome?.type).toBe("stopped");

  expect(await queue.retry(jobId)).toBe(true);
  expect(await queue.handle(jobId).pollUntilDone()).toBe(42);
  expect(server.requests).toHaveLength(2);
  const [first, second] = server.requests;
  expect((second?.receivedAt ?? 0) - (first?.receivedAt ?? 0)).toBeGreaterThanOrEqual(2000);
  await worker.close();
});

redisTest("waiting and delayed jobs are stopped without a worker", async ({ connection }) => {
  const client = new OperationStatusesClient("https://elsewhere.example");
  await using queue = createOperationQueue({ connection });
  const waiting = await queue.add(client.operation("myProject", operationId));
  expect(await queue.stopPolling(waiting.jobId)).toBe(true);
  const raw = new Queue("operations", { connection });
  const { data } = (await raw.getJob(waiting.jobId)) ?? {};
  await raw.add("operation", data, { jobId: "later", delay: 1e6 });
  await raw.close();
  expect(await queue.get("later")).toMatchObject({ state: "delayed" });
  expect(await queue.stopPolling("later")).toBe(true);
  expect((await queue.counts()).completed).toBe(2);
  expect(await rejection(waiting.pollUntilDone())).toMatchObject({ code: "PollingStopped", pollCount: 0 });
  expect(await rejection(queue.stopPolling("unknown"))).toMatchObject(notFound);
});

redisTest("a job that no worker had a client for is retried by one that has", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId: id } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 42 }] });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  const stranger = createOperationWorker({
    connection,
    clients: [new OperationStatusesClient("https://elsewhere.example")],
    unclaimedTimeoutInMs: 0,
    logger: silent,
  });
  await stranger.started;
  const handle = await queue.add(client.operation("myProject", id));
  expect(await rejection(handle.pollUntilDone())).toMatchObject({ code: "NoClient" });
  await stranger.close();
  expect(await queue.retry(handle.jobId)).toBe(true);
  expect(await queue.retry(handle.jobId)).toBe(false);
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  expect(await queue.handle(handle.jobId).pollUntilDone()).toBe(42);
});

redisTest("an operation that is terminal is not retried, nor is an unknown job", async ({ connection }) => {
  await using server = await startOperationServer();
  const error = { code: "Quota", message: "No." };
  const { operationId: id } = server.addOperation({ timeline: [{ status: "Failed", error }] });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const handle = await queue.add(client.operation("myProject", id));
  await rejection(handle.pollUntilDone());
  expect(await rejection(queue.retry(handle.jobId), PollingError)).toMatchObject({
    code: "OperationTerminal",
    message: `Operation ${id} of job ${handle.jobId} has failed: there is nothing left to poll. Read its outcome, or remove the job.`,
  });
  expect(await queue.stopPolling(handle.jobId)).toBe(false);
  expect(await rejection(queue.retry("unknown"))).toMatchObject(notFound);
  expect(server.requests).toHaveLength(1);
});

redisTest("a retried job keeps its deadline unless that has passed", async ({ connection }) => {
  const client = new OperationStatusesClient("https://elsewhere.example");
  await using queue = createOperationQueue({ connection });
  const { jobId } = await queue.add(client.operation("myProject", operationId), { timeoutInMs: 1e6 });
  const deadline = (await queue.get(jobId))?.deadline;
  await queue.stopPolling(jobId);
  await queue.retry(jobId);
  expect((await queue.get(jobId))?.deadline).toEqual(deadline);
  await queue.stopPolling(jobId);
  await queue.retry(jobId, { timeoutInMs: 2e6 });
  const later = (await queue.get(jobId))?.deadline?.getTime() ?? 0;
  expect(later).toBeGreaterThan((deadline?.getTime() ?? 0) + 900_000);
  await queue.stopPolling(jobId);
  await queue.retry(jobId, { timeoutInMs: 1 });
  await queue.stopPolling(jobId);
  await queue.retry(jobId);
  expect(await queue.get(jobId)).toMatchObject({ state: "waiting", deadline: undefined });
  expect(await rejection(queue.retry(jobId, { timeoutInMs: 0 }))).toMatchObject({
    message: expect.stringContaining("timeoutInMs: expected"),
  });
});

redisTest("a job whose data cannot be read is not stopped, and stays where it is", async ({ connection }) => {
  await using queue = createOperationQueue({ connection });
  const raw = new Queue("operations", { connection });
  await raw.add("operation", { version: 2 }, { jobId: "newer" });
  await expect(queue.stopPolling("newer")).rejects.toThrow("state.version: expected 1");
  expect(await raw.getJobState("newer")).toBe("waiting");
  await raw.close();
});

redisTest("a retried job keeps the fields of a newer version", async ({ connection }) => {
  const client = new LroClient("https://management.azure.com");
  await using queue = createOperationQueue({ connection });
  const { jobId } = await queue.add(client.operationAt("/subscriptions/s/operations/1"));
  const raw = new Queue("operations", { connection });
  const job = await raw.getJob(jobId);
  await job?.updateData({ ...job.data, region: "west" });
  await queue.stopPolling(jobId);
  expect(await queue.retry(jobId)).toBe(true);
  expect((await raw.getJob(jobId))?.data).toMatchObject({ region: "west" });
  await raw.close();
});
