import { Redis } from "ioredis";
import { OperationFailedError, OperationStatusesClient, PollingError } from "lro-poller";
import type { OperationState, Progress } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { redisTest } from "../support/redis.ts";

redisTest("a worker polls, and the handle gets the result and the progress", async ({ connection }) => {
  await using server = await startOperationServer();
  const { projectName, operationId } = server.addOperation({
    timeline: [
      { status: "NotStarted", polls: 1 },
      { status: "Running", polls: 1, percentComplete: 40 },
      { status: "Succeeded", properties: { uri: "x" } },
    ],
  });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const handle = await queue.add(client.operation(projectName, operationId), {
    minDelayInMs: 0,
    pollCostInMs: 1,
  });
  const statuses: OperationState[] = [];
  const listened: Progress[] = [];
  handle.onProgress((progress) => listened.push(progress));
  const iterated = (async () => {
    for await (const { status } of handle) statuses.push(status);
  })();
  expect(await handle.pollUntilDone()).toEqual({ uri: "x" });
  await iterated;
  expect(statuses).toEqual(["NotStarted", "Running", "Succeeded"]);
  expect(listened.at(-1)).toMatchObject({
    pollCount: 3,
    percentComplete: 40,
    operation: { name: operationId },
  });
  expect(server.requests).toHaveLength(3);
});

redisTest("a result is in its job once, and once in BullMQ's event", async ({ connection }) => {
  await using server = await startOperationServer();
  const properties = { text: "x".repeat(100_000) };
  const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded", properties }] });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const handle = await queue.add(client.operation("myProject", operationId));
  const progress: Progress[] = [];
  for await (const one of handle) progress.push(one);
  expect(await handle.pollUntilDone()).toEqual(properties);
  expect(progress).toMatchObject([{ status: "Succeeded", changed: true, operation: { properties } }]);

  const redis = new Redis(connection);
  const copies = (stored: unknown): number => JSON.stringify(stored).split(properties.text).length - 1;
  expect(copies(await redis.hgetall(`bull:operations:${handle.jobId}`))).toBe(1);
  expect(copies(await redis.xrange("bull:operations:events", "-", "+"))).toBe(1);
  redis.disconnect();
  // A handle that comes later gets the progress from the result.
  for await (const { operation } of queue.handle(handle.jobId))
    expect(operation).toMatchObject({ properties });
});

redisTest("the error of the service comes through Redis without a loss", async ({ connection }) => {
  await using server = await startOperationServer();
  const policy = { type: "PolicyViolation", info: { policyDefinitionName: "no-public-ip" } };
  const cause = { code: "ZonalAllocationFailed", message: "Full." };
  const error = {
    code: "InvalidTemplateDeployment",
    message: "Not valid.",
    details: [{ code: "Conflict", message: JSON.stringify({ error: cause }), retryable: false }],
    additionalInfo: [policy],
    raw: "field of the service",
    httpStatus: 409,
  };
  const failed = server.addOperation({ timeline: [{ status: "Failed", error }] });
  const rejected = server.addOperation({
    faults: { 1: { kind: "status", status: 403, body: { error } } },
  });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  for (const { projectName, operationId } of [failed, rejected]) {
    const handle = await queue.add(client.operation(projectName, operationId));
    const thrown = await handle.pollUntilDone().catch((reason: unknown) => reason);
    if (!(thrown instanceof OperationFailedError || thrown instanceof PollingError)) throw thrown;
    expect(thrown).toMatchObject({ error, additionalInfo: [policy], details: [{ details: [cause] }] });
    expect(thrown.hasCode("zonalAllocationFailed")).toBe(true);
    expect(thrown.message).toContain("ZonalAllocationFailed: Full. (in InvalidTemplateDeployment)");
  }
});

redisTest("a failed operation rejects with the same error as in a poller", async ({ connection }) => {
  await using server = await startOperationServer();
  const error = {
    code: "DeploymentFailed",
    message: "No.",
    target: "my-dev-box",
    details: [{ code: "QuotaExceeded", message: "8 cores needed" }],
    innererror: { code: "ComputeQuota", innererror: { code: "CoresInRegion" } },
  };
  const { projectName, operationId } = server.addOperation({ timeline: [{ status: "Failed", error }] });
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const handle = await queue.add(client.operation(projectName, operationId));
  const thrown = await handle.pollUntilDone().catch((reason: unknown) => reason);
  expect(thrown).toBeInstanceOf(OperationFailedError);
  expect(thrown).toMatchObject({
    ...error,
    message: expect.stringContaining("CoresInRegion"),
    requestId: expect.any(String),
    pollCount: 1,
    responseCounts: { Failed: 1 },
    resumeToken: expect.any(String),
  });
});
