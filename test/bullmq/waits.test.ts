import { Queue } from "bullmq";
import {
  OperationNotFoundError,
  OperationStatusesClient,
  PollingError,
  PollingTimeoutError,
  createPoller,
} from "lro-poller";
import { createOperationQueue, createOperationWorker, pollUntilDone } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import type { OperationPlan } from "lro-poller/testing";
import { expect, onTestFinished } from "vitest";
import { CountingCredential } from "../support/credential.ts";
import { rejection } from "../support/rejections.ts";
import { redisTest } from "../support/redis.ts";
import { silent } from "./loggers.ts";
import { createCertificate, trust } from "../support/tls.ts";

const quick = { minDelayInMs: 0, pollCostInMs: 1 };

redisTest(
  "adding an operation that is in the queue returns the handle of its job",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const { projectName, operationId } = server.addOperation({
      timeline: [
        { status: "Running", polls: 2 },
        { status: "Succeeded", properties: 42 },
      ],
    });
    const { endpoint } = server;
    const client = new OperationStatusesClient(endpoint);
    const operation = client.operation(projectName, operationId);
    await using here = createOperationQueue({ connection });
    await using elsewhere = createOperationQueue({ connection });
    const handles = [
      await here.add(operation, quick),
      await elsewhere.add(operation),
      await elsewhere.add(client.operation(projectName, operationId.toUpperCase())),
      await elsewhere.add({ endpoint, projectName, operationId }),
      await elsewhere.add(createPoller(operation)),
      await elsewhere.add(JSON.stringify(createPoller(operation))),
    ];
    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    expect(new Set(handles.map(({ jobId }) => jobId)).size).toBe(1);
    const results = await Promise.all(handles.map((handle) => handle.pollUntilDone()));
    expect(results).toEqual([42, 42, 42, 42, 42, 42]);
    expect(server.requests).toHaveLength(3);
    // Also after the end, and in a process that has only the id.
    expect(await here.handle(handles[0]?.jobId ?? "").pollUntilDone()).toBe(42);
    expect(await (await elsewhere.add(operation)).pollUntilDone()).toBe(42);
    expect(server.requests).toHaveLength(3);
  },
);

redisTest("a wait of a poller continues in the queue, with its counts", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationLocation } = server.addOperation({
    timeline: [{ status: "Running", polls: 2, percentComplete: 30 }, { status: "Succeeded" }],
  });
  const client = new OperationStatusesClient(server.endpoint);
  const poller = createPoller(client.operationAt(operationLocation));
  await poller.poll();
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const handle = await queue.add(JSON.stringify(poller), quick);
  const counts: number[] = [];
  for await (const { pollCount } of handle) counts.push(pollCount);
  expect(counts).toEqual([2, 3]);
});

redisTest(
  "a timeout, an outage and a missing operation end a wait as in a poller",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    const running = server.addOperation({ timeline: [{ status: "Running", percentComplete: 40 }] });
    const down = server.addOperation({
      faults: Object.fromEntries(
        Array.from({ length: 99 }, (_, index) => [index + 1, { kind: "status", status: 503 }]),
      ),
    });
    const add = (id: string, options: object) =>
      queue.add(client.operation("myProject", id), { ...quick, ...options });
    const late = await add(running.operationId, { timeoutInMs: 1500 });
    const unreadable = await add(down.operationId, { outageToleranceInMs: 1500, maxRetryDelayInMs: 300 });
    const missing = await add("fa067167-e49d-41bd-8dd8-de719b9de3b3", { notFoundGraceInMs: 0 });

    const timeout = await rejection(late.pollUntilDone());
    expect(timeout).toBeInstanceOf(PollingTimeoutError);
    expect(timeout).toMatchObject({
      message: expect.stringContaining("still Running at 40 %"),
      operation: { status: "Running" },
    });
    const outage = await rejection(unreadable.pollUntilDone());
    expect(outage).toBeInstanceOf(PollingError);
    expect(outage).toMatchObject({
      statusCode: 503,
      message: expect.stringMatching(/\d+ failed polls in \d/),
    });
    expect(await rejection(missing.pollUntilDone())).toBeInstanceOf(OperationNotFoundError);

    // The wait that timed out can continue.
    server.setStatus(running.operationId, { status: "Succeeded", properties: "at last" });
    const { resumeToken = "" } = timeout instanceof PollingTimeoutError ? timeout : {};
    expect(await queue.remove(late.jobId)).toBe(true);
    expect(await (await queue.add(resumeToken)).pollUntilDone()).toBe("at last");
  },
);

redisTest(
  "a signal aborts one wait, closing the queue rejects all; the workers continue",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const { operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
    const client = new OperationStatusesClient(server.endpoint);
    const queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    const handle = await queue.add(client.operation("myProject", operationId), quick);
    const controller = new AbortController();
    const aborted = rejection(handle.pollUntilDone({ abortSignal: controller.signal }));
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    const pending = rejection(handle.pollUntilDone());
    await queue.close();
    expect(await pending).toMatchObject({ name: "PollingError", code: "Disposed" });

    server.setStatus(operationId, "Succeeded");
    await using again = createOperationQueue({ connection });
    expect(await again.handle(handle.jobId).pollUntilDone()).toBeUndefined();
  },
);

redisTest("a 429 throttles the polls of all operations of its host", async ({ connection }) => {
  await using server = await startOperationServer();
  const client = new OperationStatusesClient(server.endpoint);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client], concurrency: 1 });
  await worker.started;
  server.failNext({ kind: "status", status: 429, retryAfter: 2 });
  const handles = await Promise.all(
    Array.from({ length: 8 }, () => {
      const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded" }] });
      return queue.add(client.operation("myProject", operationId), quick);
    }),
  );
  await Promise.all(handles.map((handle) => handle.pollUntilDone()));
  const throttledAt = server.requests.findIndex(({ responseStatus }) => responseStatus === 429);
  const later = server.requests.slice(throttledAt + 1);
  const after = later.map(({ receivedAt }) => receivedAt - (server.requests[throttledAt]?.receivedAt ?? 0));
  expect(after).toHaveLength(8);
  expect(Math.min(...after)).toBeGreaterThanOrEqual(2000);
});

redisTest(
  "a result at another URL is requested, and an outage of these requests alone ends the wait",
  async ({ connection }) => {
    const failing = Object.fromEntries(
      Array.from({ length: 99 }, (_, index) => [index + 1, { kind: "status", status: 500 } as const]),
    );
    const plans: OperationPlan[] = [
      { timeline: [{ status: "Succeeded" }], resourceFaults: { 1: { kind: "status", status: 500 } } },
      { timeline: [{ status: "Succeeded" }], resourceFaults: failing },
    ];
    await using server = await startOperationServer({ onInitialRequest: () => plans.shift() });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({ connection, clients: [client] });
    await worker.started;
    const add = async (name: string) => {
      const poller = client.createDevBox("myProject", "me", name, { poolName: "myPool" });
      await poller.started;
      return queue.add(poller, { ...quick, outageToleranceInMs: 2000, maxRetryDelayInMs: 500 });
    };
    const fine = await add("fine");
    const broken = await add("broken");
    expect(await fine.pollUntilDone()).toMatchObject({ name: "fine", provisioningState: "Succeeded" });
    expect(await rejection(broken.pollUntilDone())).toMatchObject({
      name: "PollingError",
      statusCode: 500,
      message: expect.stringMatching(/succeeded, but the request for its result failed \(\d+ failed polls/),
    });
  },
);

redisTest("Redis never gets a credential", async ({ connection }) => {
  const certificate = await createCertificate();
  onTestFinished(trust(certificate));
  const credential = new CountingCredential();
  await using server = await startOperationServer({
    tls: certificate,
    requireAuthorization: (token) => credential.isValid(token),
  });
  const { operationId } = server.addOperation({
    timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }],
  });
  const client = new OperationStatusesClient(server.endpoint, credential);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  await (await queue.add(client.operation("myProject", operationId), quick)).pollUntilDone();

  expect(credential.calls.length).toBeGreaterThan(0);
  const all = await everythingIn(connection);
  expect(all).toContain(operationId);
  expect(all).not.toContain("token-1");
  expect(all.toLowerCase()).not.toContain("bearer");
});

redisTest(
  "a job of another origin or of a wrong format ends before anything is sent",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection });
    await using worker = createOperationWorker({
      connection,
      clients: [client],
      unclaimedTimeoutInMs: 0,
      logger: silent,
    });
    await worker.started;
    const names = { projectName: "myProject", operationId: "fa067167-e49d-41bd-8dd8-de719b9de3b3" };
    const foreign = await queue.add({ endpoint: "https://elsewhere.example", ...names });
    expect(await rejection(foreign.pollUntilDone())).toMatchObject({
      code: "NoClient",
      message: expect.stringContaining("token.operation.endpoint"),
    });
    const raw = new Queue("operations", { connection });
    for (const [data, named] of [
      [{}, "state.version"],
      [{ version: 1, token: {}, options: {}, responseCounts: {} }, "state.dueAt"],
      [
        { version: 1, token: {}, options: { maxDelayInMs: "soon" }, responseCounts: {} },
        "state.options.maxDelayInMs",
      ],
    ] as const) {
      const { id = "" } = await raw.add("operation", data);
      expect(await rejection(queue.handle(id).pollUntilDone())).toMatchObject({
        code: "JobRejected",
        message: expect.stringContaining(named),
      });
    }
    await raw.close();
    expect(server.requests.filter(({ operationId }) => operationId === undefined)).toEqual([]);
  },
);

redisTest("pollUntilDone opens the queue, waits, and closes the queue", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({
    timeline: [
      { status: "Running", polls: 1 },
      { status: "Succeeded", properties: { value: 42 } },
    ],
  });
  const client = new OperationStatusesClient(server.endpoint);
  await using worker = createOperationWorker({ connection, clients: [client] });
  await worker.started;
  const listened: string[] = [];
  const onProgress = ({ status }: { readonly status: string }): unknown => listened.push(status);
  const operation = client.operation("myProject", operationId);
  expect(await pollUntilDone(operation, { connection, onProgress, ...quick })).toEqual({ value: 42 });
  expect(listened).toEqual(["Running", "Succeeded"]);
});

/** Returns all keys and values of Redis as text. */
async function everythingIn(connection: { readonly host: string; readonly port: number }): Promise<string> {
  const { Redis } = await import("ioredis");
  const redis = new Redis(connection);
  const entries: unknown[] = [];
  for (const key of await redis.keys("*")) {
    const type = await redis.type(key);
    if (type === "hash") entries.push(key, await redis.hgetall(key));
    if (type === "stream") entries.push(key, await redis.xrange(key, "-", "+"));
    if (type === "string") entries.push(key, await redis.get(key));
  }
  redis.disconnect();
  return JSON.stringify(entries);
}
