import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { Queue } from "bullmq";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationStatusServer } from "lro-poller/testing";
import { expect } from "vitest";
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
