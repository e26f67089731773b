import { Queue } from "bullmq";
import {
  LroClient,
  OperationCanceledError,
  OperationFailedError,
  OperationStatusesClient,
  PollingTimeoutError,
} from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import type { JobDescription, JobState, ListOptions, OperationQueue } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import type { Timeline } from "lro-poller/testing";
import { expect, test } from "vitest";
import { redisTest } from "../support/redis.ts";
import { rejection } from "../support/rejections.ts";
import { silent } from "./loggers.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const quick = { minDelayInMs: 0, pollCostInMs: 1 };

async function untilPolled(queue: OperationQueue, jobId: string, polls: number): Promise<JobDescription> {
  let description: JobDescription | undefined;
  await expect
    .poll(async () => {
      description = await queue.get(jobId);
      return description?.state === "delayed" ? description.pollCount : undefined;
    })
    .toBe(polls);
  if (description === undefined) throw new Error(`no job ${jobId}`);
  return description;
}

async function listed(queue: OperationQueue, options?: ListOptions): Promise<JobDescription[]> {
  const jobs: JobDescription[] = [];
  for await (const job of queue.list(options)) jobs.push(job);
  return jobs;
}

redisTest("a job is described before its first poll, and an unknown one is not", async ({ connection }) => {
  const client = new OperationStatusesClient("https://elsewhere.example");
  await using queue = createOperationQueue({ connection });
  const before = Date.now();
  const { jobId } = await queue.add(client.operation("myProject", operationId), { timeoutInMs: 60_000 });
  const description = await queue.get(jobId);
  expect(description).toEqual({
    jobId,
    state: "waiting",
    operationId,
    url: `https://elsewhere.example/projects/myProject/operationstatuses/${operationId}`,
    pollCount: 0,
    failedPollCount: 0,
    createdAt: expect.any(Date),
    startedAt: expect.any(Date),
    deadline: expect.any(Date),
    attempts: 0,
  });
  expect(description?.createdAt.getTime()).toBeGreaterThanOrEqual(before);
  expect(description?.deadline?.getTime()).toBeGreaterThanOrEqual(before + 60_000);
  expect(await queue.get("unknown")).toBeUndefined();
});

redisTest("a delayed job has its progress, its failure and its next poll", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationLocation } = server.addOperation({
    operationId,
    timeline: [{ status: "Running", percentComplete: 42.5 }],
    retryAfter: 3000,
    faults: { 1: { kind: "status", status: 503, body: { error: { code: "Busy", message: "Not now." } } } },
  });
  const client = new LroClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const { jobId } = await queue.add(client.operationAt(`${operationLocation}&sig=secret`));
  const failed = await untilPolled(queue, jobId, 1);
  expect(failed).toMatchObject({
    operationId,
    status: undefined,
    failedPollCount: 1,
    lastFailure: { code: "Busy", statusCode: 503, message: expect.stringContaining("Not now.") },
    outcome: undefined,
  });
  expect(failed.url).not.toContain("secret");
  const polled = await untilPolled(queue, jobId, 2);
  expect(polled).toMatchObject({ status: "Running", percentComplete: 42.5, failedPollCount: 1 });
  expect(polled.lastFailure).toBeUndefined();
  const waitInMs = (polled.nextPollAt?.getTime() ?? 0) - Date.now();
  expect(waitInMs).toBeGreaterThan(2_900_000);
  expect(waitInMs).toBeLessThan(3_400_000);
});

const ends: readonly (readonly [type: string, timeline: Timeline, outcome: object])[] = [
  ["succeeded", [{ status: "Succeeded", properties: { uri: "x" } }], { result: { uri: "x" } }],
  [
    "failed",
    [{ status: "Failed", error: { code: "Quota", message: "No." } }],
    { error: expect.any(OperationFailedError) },
  ],
  ["canceled", [{ status: "Canceled" }], { error: expect.any(OperationCanceledError) }],
  ["stopped", [{ status: "Running" }], { error: expect.any(PollingTimeoutError) }],
];

redisTest("a completed job has its outcome", async ({ connection }) => {
  await using server = await startOperationServer();
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  for (const [type, timeline, outcome] of ends) {
    const { operationId: id } = server.addOperation({ timeline, retryAfter: 1 });
    const handle = await queue.add(client.operation("myProject", id), { ...quick, timeoutInMs: 500 });
    await handle.pollUntilDone().catch(() => {});
    expect(await queue.get(handle.jobId)).toMatchObject({
      state: "completed",
      operationId: id,
      status: timeline[0]?.status,
      finishedAt: expect.any(Date),
      nextPollAt: undefined,
      attempts: 1,
      outcome: { type, ...outcome },
    });
  }
});

redisTest(
  "a job that no worker has a client for says so, and a damaged one has the worker's reason",
  async ({ connection }) => {
    const client = new OperationStatusesClient("https://elsewhere.example");
    await using queue = createOperationQueue({ connection });
    const worker = createOperationWorker({
      connection,
      clients: [new OperationStatusesClient("https://other.example")],
      logger: silent,
    });
    await worker.started;
    const { jobId } = await queue.add(client.operation("myProject", operationId));
    await expect.poll(async () => (await queue.get(jobId))?.unclaimedSince).toBeInstanceOf(Date);
    const raw = new Queue("operations", { connection });
    await raw.add("operation", { version: 1, token: { version: 1 } }, { jobId: "damaged" });
    await rejection(queue.handle("damaged").pollUntilDone());
    await raw.close();
    expect(await queue.get("damaged")).toMatchObject({
      state: "rejected",
      operationId: undefined,
      url: undefined,
      rejectionReason: expect.stringContaining("state."),
    });
    await worker.close();
  },
);

redisTest("jobs are listed once each, page by page, state by state", async ({ connection }) => {
  await using server = await startOperationServer();
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  const worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const add = async (timeline: Timeline, count: number): Promise<string[]> => {
    const { projectName } = server.addOperation({});
    const ids = Array.from({ length: count }, () => server.addOperation({ timeline, retryAfter: 3000 }));
    const handles = await Promise.all(
      ids.map(({ operationId: id }) => queue.add(client.operation(projectName, id))),
    );
    return handles.map(({ jobId }) => jobId);
  };
  const completed = await add([{ status: "Succeeded" }], 60);
  await Promise.all(completed.map((jobId) => queue.handle(jobId).pollUntilDone()));
  const delayed = await add([{ status: "Running" }], 60);
  await expect.poll(async () => (await queue.counts()).delayed).toBe(60);
  await worker.close();
  const waiting = await add([{ status: "Running" }], 60);

  const all = await listed(queue);
  const idsIn = (state: JobState): string[] =>
    all.filter((job) => job.state === state).map(({ jobId }) => jobId);
  expect(all.map(({ state }) => state)).toEqual([
    ...delayed.map(() => "delayed"),
    ...waiting.map(() => "waiting"),
    ...completed.map(() => "completed"),
  ]);
  expect(idsIn("delayed").toSorted()).toEqual(delayed.toSorted());
  expect(idsIn("waiting").toSorted()).toEqual(waiting.toSorted());
  expect(idsIn("completed").toSorted()).toEqual(completed.toSorted());
  const nextPolls = all.flatMap(({ nextPollAt }) => nextPollAt?.getTime() ?? []);
  expect(nextPolls).toHaveLength(60);
  expect(nextPolls.every((time, index) => time >= (nextPolls[index - 1] ?? 0) - 1)).toBe(true);
  const endTimes = all.flatMap(({ finishedAt }) => finishedAt?.getTime() ?? []);
  expect(endTimes.toSorted((a, b) => b - a)).toEqual(endTimes);

  expect(await listed(queue)).toEqual(all);
  expect(await listed(queue, { state: "completed" })).toEqual(all.slice(120));
  expect(await listed(queue, { state: "active" })).toEqual([]);
  expect(await listed(queue, { limit: 7 })).toEqual(all.slice(0, 7));
});

redisTest("jobs that end at the same time are listed once each", async ({ connection }) => {
  await using queue = createOperationQueue({ connection });
  const raw = new Queue("operations", { connection });
  const client = await raw.backend.client;
  client.defineCommand("endAll", {
    numberOfKeys: 1,
    lua: "for i = 1, 120 do redis.call('ZADD', KEYS[1], 5, 'job' .. i) end",
  });
  await raw.addBulk(
    Array.from({ length: 120 }, (_, index) => ({
      name: "operation",
      data: {},
      opts: { jobId: `job${index + 1}` },
    })),
  );
  await client.runCommand("endAll", [raw.toKey("failed")]);
  for (let index = 1; index <= 120; index++) await client.hset(raw.toKey(`job${index}`), { finishedOn: 5 });
  await raw.close();
  const ids = (await listed(queue, { state: "rejected" })).map(({ jobId }) => jobId);
  expect(ids.length).toBe(120);
  expect(new Set(ids).size).toBe(120);
});

test.each([
  [{ state: "failed" }, 'state: expected one of delayed, waiting, active, completed, rejected, got "failed"'],
  [{ limit: 0 }, "limit: expected a positive integer, got 0"],
])("a list with %j is rejected with the name of the option", async (options, message) => {
  await using queue = createOperationQueue({ connection: { host: "127.0.0.1", port: 1 }, logger: silent });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const wrong = options as { state: JobState };
  expect(() => queue.list(wrong)).toThrow(message);
});
