import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker, pollUntilDone } from "lro-poller/bullmq";
import type { OperationWorkerOptions } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect, test } from "vitest";
import { startRedis } from "../../examples/redis-server.ts";
import { rejection } from "../support/rejections.ts";
import { redisTest } from "../support/redis.ts";
import { recordingLogger, silent } from "./loggers.ts";

/** An address where nothing listens. */
const unreachable = { host: "127.0.0.1", port: 1 };
const names = { projectName: "myProject", operationId: "fa067167-e49d-41bd-8dd8-de719b9de3b3" };
const reference = { endpoint: "https://elsewhere.example", ...names };
const stranger = new OperationStatusesClient(reference.endpoint);
const disposed = { name: "PollingError", code: "Disposed" };

test.each([
  [{ connection: undefined }, "connection: expected { host, port }, { url } or a client, got undefined"],
  [
    { connection: "redis://127.0.0.1" },
    "connection: expected { host, port }, { url } or a client, got string",
  ],
  [{ connection: { url: "" } }, "connection.url: expected a URL that begins with redis:// or rediss://"],
  [{ connection: { url: "http://:secret@127.0.0.1" } }, "connection.url: expected a URL that begins"],
  [{ clients: [] }, "clients: expected an array of at least one LroClient"],
  [{ clients: stranger }, "clients: expected an array of at least one LroClient"],
  [{ clients: [{}] }, "clients: expected an array of at least one LroClient"],
  [{ clients: undefined, resolveOperation: 5 }, "resolveOperation: expected a function, got number"],
  [{ concurrency: "4" }, 'concurrency: expected a positive integer, got "4"'],
])("a worker with %j is rejected with the name of the argument", (wrong, message) => {
  const options = { connection: unreachable, clients: [stranger], ...wrong };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const create = (): unknown => createOperationWorker(options as OperationWorkerOptions);
  expect(create).toThrow(message);
  expect(create).not.toThrow("secret");
});

test("a controller in place of its signal is rejected with the name of the argument", async () => {
  const controller: unknown = new AbortController();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const abortSignal = controller as AbortSignal;
  const message = "abortSignal: expected an AbortSignal, got object";
  const options = { connection: unreachable, logger: silent, abortSignal };
  expect(await rejection(pollUntilDone(reference, options))).toMatchObject({ message });
  await using queue = createOperationQueue(options);
  expect(() => queue.handle("x").pollUntilDone({ abortSignal })).toThrow(message);
});

test("a reference without an operation id is rejected with the name of the field", async () => {
  await using queue = createOperationQueue({ connection: unreachable, logger: silent });
  const { operationId: _, ...unnamed } = reference;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const source = unnamed as typeof reference;
  expect(await rejection(queue.add(source))).toMatchObject({
    message: "operationId: expected a string, got undefined",
  });
});

test("while Redis is unreachable, a signal aborts a wait, and closing a queue rejects every pending call", async () => {
  const controller = new AbortController();
  const options = { connection: unreachable, logger: silent, abortSignal: controller.signal };
  const waiting = rejection(pollUntilDone(reference, options));
  const reason = new Error("no longer wanted");
  controller.abort(reason);
  expect(await waiting).toBe(reason);

  const queue = createOperationQueue({ connection: unreachable, logger: silent });
  const calls = [queue.add(reference), queue.counts(), queue.remove("x"), queue.handle("x").pollUntilDone()];
  const rejected = Promise.all(calls.map((call) => rejection(call)));
  await queue.close();
  expect(await rejected).toMatchObject([disposed, disposed, disposed, disposed]);

  const worker = createOperationWorker({ connection: unreachable, logger: silent, clients: [stranger] });
  await worker.close();
});

redisTest("a queue and a worker can be closed after Redis has stopped", async () => {
  const redis = await startRedis();
  const { connection } = redis;
  const { logger, lines } = recordingLogger();
  const queue = createOperationQueue({ connection, logger });
  const worker = createOperationWorker({ connection, logger: silent, clients: [stranger] });
  await worker.started;
  await redis[Symbol.asyncDispose]();
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  const waiting = rejection(queue.handle("x").pollUntilDone());
  await queue.close();
  await worker.close();
  expect(await waiting).toMatchObject(disposed);
});

redisTest("every call of a closed queue rejects", async ({ connection }) => {
  const { logger, lines } = recordingLogger();
  const queue = createOperationQueue({ connection, logger });
  const handle = await queue.add(reference);
  await queue.close();
  await queue.close();
  const calls = [queue.add(reference), queue.counts(), queue.remove(handle.jobId), handle.pollUntilDone()];
  expect(await Promise.all(calls.map((call) => rejection(call)))).toMatchObject([
    disposed,
    disposed,
    disposed,
    disposed,
  ]);
  expect(await rejection(handle[Symbol.asyncIterator]().next())).toMatchObject(disposed);
  expect(lines).toEqual([]);
});

redisTest(
  "a queue opens one connection for all handles, and closes it with the queue",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const client = new OperationStatusesClient(server.endpoint);
    const redis = new Redis(connection);
    const connections = async (): Promise<number> =>
      String(await redis.client("LIST"))
        .trim()
        .split("\n").length;
    const before = await connections();
    const { logger, lines } = recordingLogger();
    const queue = createOperationQueue({ connection, logger });
    const handles = await Promise.all(
      Array.from({ length: 100 }, () => {
        const { operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
        return queue.add(client.operation("myProject", operationId));
      }),
    );
    const [{ jobId } = { jobId: "" }] = handles;
    const waits = handles.map((handle) => rejection(handle.pollUntilDone()));
    await expect.poll(connections).toBe(before + 2);

    // A job that cannot be read is logged, and costs no connection.
    await redis.set(`bull:operations:${jobId}`, "not the hash of a job");
    for (let times = 1; times <= 3; times++) {
      waits.push(rejection(queue.handle(jobId).pollUntilDone()));
      await expect.poll(() => lines.length).toBe(times);
    }
    expect(await connections()).toBe(before + 2);
    await queue.close();
    await Promise.all(waits);
    await expect.poll(connections).toBe(before);
    redis.disconnect();
  },
);

redisTest("an error that a logger throws or rejects with is ignored", async ({ connection }) => {
  let calls = 0;
  // No mock: it would handle the rejection.
  const error = (): unknown => {
    calls++;
    if (calls === 1) return Promise.reject(new Error("the log is full"));
    throw new Error("the log is full");
  };
  const queue = createOperationQueue({ connection, logger: { ...silent, error } });
  const redis = new Redis(connection);
  await redis.set("bull:operations:broken", "not the hash of a job");
  redis.disconnect();
  const waits: Promise<unknown>[] = [];
  for (const expected of [1, 2]) {
    waits.push(rejection(queue.handle("broken").pollUntilDone()));
    await expect.poll(() => calls).toBe(expected);
  }
  await queue.close();
  expect(await Promise.all(waits)).toMatchObject([disposed, disposed]);
});

test("a queue name that is empty or has a colon is rejected", () => {
  for (const queueName of ["", "a:b"]) {
    const named = `queueName: expected a name without a colon, got "${queueName}"`;
    const options = { connection: unreachable, queueName, clients: [stranger] };
    expect(() => createOperationQueue(options)).toThrow(new RangeError(named));
    expect(() => createOperationWorker(options)).toThrow(new RangeError(named));
  }
});

redisTest("queues with the same name and different prefixes are independent", async ({ connection }) => {
  await using one = createOperationQueue({ connection, prefix: "one" });
  await using other = createOperationQueue({ connection, prefix: "other" });
  const handle = await one.add(reference);
  const notFound = { code: "JobNotFound" };
  expect(await rejection(other.handle(handle.jobId).pollUntilDone())).toMatchObject(notFound);
  expect((await one.counts()).waiting).toBe(1);
  expect((await other.counts()).waiting).toBe(0);
  const raw = new Queue("operations", { connection, prefix: "one" });
  expect(await raw.getJobState(handle.jobId)).toBe("waiting");
  await raw.close();
});
