import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { Queue } from "bullmq";
import { OperationStatusesClient } from "lro-poller";
import type { RateLimit } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { SharedLimiter } from "../../src/bullmq/shared-limiter.ts";
import { redisTest } from "../support/redis.ts";

redisTest("a worker lifts the limit of a worker that has died", async ({ connection }) => {
  await using server = await startOperationServer({ requestsPerMinute: 1_000_000 });
  const client = new OperationStatusesClient(server.endpoint);
  const raw = new Queue("operations", { connection });
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  await raw.setGlobalRateLimit(1, 600);
  const { operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
  const often = { minDelayInMs: 10, maxDelayInMs: 10 };
  const handle = await queue.add(client.operation("myProject", operationId), often);
  let polls = 0;
  for await (const { pollCount } of handle) {
    polls = pollCount;
    if (((await raw.getGlobalRateLimit())?.max ?? 0) > 1) break;
  }
  expect(polls).toBeLessThan(10);
  await raw.close();
});

redisTest("a longer Retry-After that another worker got is not cut short", async ({ connection }) => {
  await using server = await startOperationServer();
  const raw = new Queue("operations", { connection });
  // While this response is under way, another worker gets a longer Retry-After.
  const pauseByAnother: PipelinePolicy = {
    name: "pauseByAnother",
    sendRequest: async (request, next) => {
      const response = await next(request);
      await raw.rateLimit(60_000);
      return response;
    },
  };
  const client = new OperationStatusesClient(server.endpoint, undefined, {
    additionalPolicies: [{ policy: pauseByAnother, position: "perCall" }],
  });
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const { operationId } = server.addOperation({
    faults: { 1: { kind: "status", status: 429, retryAfter: 1 } },
  });
  await queue.add(client.operation("myProject", operationId));
  const isDelayed = async (): Promise<boolean> => (await queue.counts()).delayed === 1;
  while (server.requests.length === 0 || !(await isDelayed())) await raw.getRateLimitTtl();
  expect(await raw.getRateLimitTtl(1_000_000_000)).toBeGreaterThan(50_000);
  await raw.close();
});

redisTest(
  "a 429 whose Retry-After is no duration pauses all polls for the backoff",
  async ({ connection }) => {
    const raw = new Queue("operations", { connection });
    for (const retryAfterInMs of [NaN, -1]) {
      const limiter = new SharedLimiter(raw, 1, (error) => expect.unreachable(String(error)));
      await limiter.start();
      await limiter.learn("", { isThrottled: true, retryAfterInMs, durationInMs: 1000 });
      expect(await raw.getRateLimitTtl(1_000_000_000)).toBeGreaterThan(0);
      await raw.removeRateLimitKey();
    }
    await raw.close();
  },
);

redisTest("the price of a poll includes the time that waiting jobs wait for it", async ({ connection }) => {
  const raw = new Queue("operations", { connection });
  /** Returns by what share waiting jobs raise the price of a poll: 0 if none waits. Intervals grow with its root. */
  const addedPriceAfter = async (limits: readonly RateLimit[], concurrency = 1): Promise<number> => {
    const limiter = new SharedLimiter(raw, concurrency, (error) => expect.unreachable(String(error)));
    await limiter.start();
    for (const rateLimit of limits) {
      await limiter.learn("", { isThrottled: false, rateLimit, durationInMs: 1000 });
    }
    const addedPrice = limiter.stretch("", 1000) ** 2 - 1;
    expect(limiter.stretch("", 10_000) ** 2 - 1).toBeCloseTo(addedPrice / 10);
    return addedPrice;
  };
  const add = (count: number): Promise<unknown> =>
    raw.addBulk(Array.from({ length: count }, () => ({ name: "operation", data: {} })));
  const plenty = [{ remaining: 1000, resetInMs: 60_000 }];
  const scarce = [...plenty, { remaining: 60, resetInMs: 60_000 }];
  expect(await addedPriceAfter(plenty)).toBe(0);
  expect(await addedPriceAfter(scarce)).toBe(0);
  await add(20);
  // A poll of 1 s counts as a twentieth of it: each of 20 jobs waits 50 ms, or 1 s if the service accepts one a second.
  expect(await addedPriceAfter(plenty)).toBeCloseTo(1);
  expect(await addedPriceAfter(plenty, 4)).toBeCloseTo(1 / 4);
  expect(await addedPriceAfter(scarce)).toBeCloseTo(20);
  await add(60);
  expect(await addedPriceAfter(plenty)).toBeCloseTo(4);
  expect(await addedPriceAfter(scarce)).toBeCloseTo(80);
  await raw.close();
});
