import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { Queue } from "bullmq";
import { OperationStatusesClient } from "lro-poller";
import type { RateLimit } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationStatusServer } from "lro-poller/testing";
import { expect } from "vitest";
import { SharedLimiter } from "../../src/bullmq/shared-limiter.ts";
import { redisTest } from "../support/redis.ts";

redisTest("a limit that a worker set before it died is lifted by another", async ({ connection }) => {
  await using server = await startOperationStatusServer({ requestsPerMinute: 1_000_000 });
  const client = new OperationStatusesClient(server.endpoint);
  const raw = new Queue("operations", { connection });
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  await raw.setGlobalRateLimit(1, 600);
  const { operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
  const often = { minDelayInMs: 10, maxDelayInMs: 10 };
  const handle = await queue.add(client.operation("myProject", operationId), often);
  let reads = 0;
  for await (const { pollCount } of handle) {
    reads = pollCount;
    if (((await raw.getGlobalRateLimit())?.max ?? 0) > 1) break;
  }
  expect(reads).toBeLessThan(10);
  await raw.close();
});

redisTest("a longer silence that another worker was told of is not cut short", async ({ connection }) => {
  await using server = await startOperationStatusServer();
  const raw = new Queue("operations", { connection });
  // While this answer is under way, another worker is told.
  const tellAnother: PipelinePolicy = {
    name: "tellAnother",
    sendRequest: async (request, next) => {
      const response = await next(request);
      await raw.rateLimit(60_000);
      return response;
    },
  };
  const client = new OperationStatusesClient(server.endpoint, undefined, {
    additionalPolicies: [{ policy: tellAnother, position: "perCall" }],
  });
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const { operationId } = server.addOperation({
    faults: { 1: { kind: "status", status: 429, retryAfter: 1 } },
  });
  await queue.add(client.operation("myProject", operationId));
  const isBack = async (): Promise<boolean> => (await queue.counts()).delayed === 1;
  while (server.requests.length === 0 || !(await isBack())) await raw.getRateLimitTtl();
  expect(await raw.getRateLimitTtl(1_000_000_000)).toBeGreaterThan(50_000);
  await raw.close();
});

redisTest("a read is priced at what it makes those wait that are due", async ({ connection }) => {
  const raw = new Queue("operations", { connection });
  /** What the reads of others add to the price of a read, and waits grow with the root of: 0 when nobody waits. */
  const priceAfter = async (limits: readonly RateLimit[], concurrency = 1): Promise<number> => {
    const pace = new SharedLimiter(raw, concurrency, (error) => expect.unreachable(String(error)));
    await pace.start();
    for (const rateLimit of limits) {
      const response = { status: { id: "x", name: "x", status: "Running" }, rateLimit };
      await pace.onPoll({ type: "response", atInMs: 0, response }, 1000);
    }
    const price = pace.stretchAt(1000) ** 2 - 1;
    expect(pace.stretchAt(10_000) ** 2 - 1).toBeCloseTo(price / 10);
    return price;
  };
  const add = (count: number): Promise<unknown> =>
    raw.addBulk(Array.from({ length: count }, () => ({ name: "operation", data: {} })));
  const plenty = [{ remaining: 1000, resetInMs: 60_000 }];
  const scarce = [...plenty, { remaining: 60, resetInMs: 60_000 }];
  expect(await priceAfter(plenty)).toBe(0);
  expect(await priceAfter(scarce)).toBe(0);
  await add(20);
  // One read of a second counts for a twentieth of it: 20 wait 50 ms each, or a second where the service takes no more.
  expect(await priceAfter(plenty)).toBeCloseTo(1);
  expect(await priceAfter(plenty, 4)).toBeCloseTo(1 / 4);
  expect(await priceAfter(scarce)).toBeCloseTo(20);
  await add(60);
  expect(await priceAfter(plenty)).toBeCloseTo(4);
  expect(await priceAfter(scarce)).toBeCloseTo(80);
  await raw.close();
});
