import { Queue } from "bullmq";
import { OperationNotFoundError, OperationStatusesClient, RequestError } from "lro-poller";
import type { Operation } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { rejection } from "../support/rejections.ts";
import { redisTest } from "../support/redis.ts";
import { recordingLogger, silent } from "./loggers.ts";

/** The options of a queue's jobs: BullMQ retries a job that fails. */
const retried = { attempts: Number.MAX_SAFE_INTEGER, backoff: { type: "fixed", delay: 1000 } };

redisTest(
  "a job whose options were tampered with is rejected, not retried for ever",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const { operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
    const client = new OperationStatusesClient(server.endpoint);
    const { logger, lines } = recordingLogger();
    await using queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({ connection, clients: [client], logger });
    await worker.started;
    const raw = new Queue("operations", { connection });
    const operation = client.operation("myProject", operationId).toJSON();
    const token = { version: 1, operation, startedAt: 1, savedAt: 1, pollCount: 0, failedPollCount: 0 };
    const logged: string[] = [];
    for (const [options, named] of [
      [{ pollCostInMs: 0 }, "pollCostInMs: expected a positive"],
      [{ minDelayInMs: 2, maxDelayInMs: 1 }, "minDelayInMs (2) must not be above maxDelayInMs (1)"],
      [{ minDelayInMs: null }, "minDelayInMs: expected"],
      [{ pastDurationsInMs: [0] }, "pastDurationsInMs: expected"],
    ] as const) {
      const { id = "" } = await raw.add(
        "operation",
        { version: 1, token, options, responseCounts: {}, dueAt: 0, delayInMs: 0 },
        retried,
      );
      expect(await rejection(queue.handle(id).pollUntilDone())).toMatchObject({
        code: "JobRejected",
        message: expect.stringContaining(named),
      });
      logged.push(expect.stringContaining(`Job ${id}: ${named}`));
    }
    await raw.close();
    // Redis may tell the queue that a job has failed before it tells the worker, which then logs it.
    await worker.close();
    expect(lines).toEqual(logged);
    expect(server.requests).toEqual([]);
  },
);

/** An operation of another service, which succeeds at the first poll. */
function ownOperation(properties: unknown): Operation & { readonly polls: number } {
  let polls = 0;
  return {
    id: "own",
    get polls() {
      return polls;
    },
    toJSON: () => ({ own: true }),
    getStatus: () => {
      polls++;
      return Promise.resolve({ status: { id: "own", name: "own", status: "Succeeded", properties } });
    },
  };
}

redisTest(
  "an operation whose result is no JSON is polled once, and its job is rejected",
  async ({ connection }) => {
    const operation = ownOperation({ count: 10n });
    await using queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({
      connection,
      resolveOperation: () => operation,
      logger: silent,
    });
    await worker.started;
    const handle = await queue.add(operation);
    expect(await rejection(handle.pollUntilDone())).toMatchObject({
      code: "JobRejected",
      message: expect.stringContaining("BigInt"),
    });
    expect(operation.polls).toBe(1);
  },
);

redisTest(
  "an operation that ends its wait with an error of its own is polled once",
  async ({ connection }) => {
    const operation = ownOperation(1);
    let polls = 0;
    const ended = {
      ...operation,
      getStatus: () => {
        polls++;
        const cause = new RequestError("404", {
          kind: "notFound",
          error: { code: "Old", message: "A day." },
        });
        return Promise.reject(new OperationNotFoundError("It has expired.", "Expired", { cause }));
      },
    };
    await using queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({ connection, resolveOperation: () => ended });
    await worker.started;
    const handle = await queue.add(ended, { outageToleranceInMs: 1 });
    expect(await rejection(handle.pollUntilDone())).toMatchObject({
      name: "PollingError",
      code: "Expired",
      message: expect.stringContaining("It has expired."),
      cause: { kind: "permanent" },
    });
    expect(polls).toBe(1);
  },
);

redisTest("a result arrives as its JSON, whatever its length", async ({ connection }) => {
  const text = "x".repeat(31 * 2 ** 20);
  const operation = ownOperation({ text, missing: undefined, none: NaN, date: new Date(0) });
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, resolveOperation: () => operation });
  await worker.started;
  const result = await (await queue.add(operation)).pollUntilDone();
  // Not by toEqual: its report of a difference would be as long as the result.
  const expected = JSON.stringify({ text, none: null, date: "1970-01-01T00:00:00.000Z" });
  expect(JSON.stringify(result) === expected).toBe(true);
});

redisTest(
  "a worker rejects a job whose token resolves to no operation once its time is over",
  async ({ connection }) => {
    await using queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({
      connection,
      logger: silent,
      unclaimedTimeoutInMs: 0,
      resolveOperation: () => undefined,
    });
    await worker.started;
    const handle = await queue.add(ownOperation(1));
    expect(await rejection(handle.pollUntilDone())).toMatchObject({
      code: "NoClient",
      message: expect.stringContaining("no process had a client for it"),
    });
  },
);

redisTest("a result after a failed attempt reaches later callers, too", async ({ connection }) => {
  const { logger, lines } = recordingLogger();
  const operation = ownOperation(42);
  let attempts = 0;
  const failsOnce = {
    ...operation,
    toJSON: () => {
      if (attempts++ === 0) throw new Error("not now");
      return { own: true };
    },
  };
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, resolveOperation: () => failsOnce, logger });
  await worker.started;
  const { jobId } = await queue.add(operation);
  expect(await queue.handle(jobId).pollUntilDone()).toBe(42);
  expect(lines).toEqual([`Job ${jobId}: not now`]);
  expect(await queue.handle(jobId).pollUntilDone()).toBe(42);
});
