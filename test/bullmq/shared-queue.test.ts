import { Redis } from "ioredis";
import { OperationStatusesClient } from "lro-poller";
import { createOperationWorker, pollUntilDone } from "lro-poller/bullmq";
import type { QueuedPollOptions } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect, onTestFinished } from "vitest";
import { redisTest } from "../support/redis.ts";
import { rejection } from "../support/rejections.ts";
import { silent } from "./loggers.ts";

const url = ({ host, port }: { readonly host: string; readonly port: number }) => `redis://${host}:${port}`;

redisTest("waits at the same time share two connections, and close them", async ({ connection }) => {
  await using server = await startOperationServer({ requestsPerMinute: 10_000_000 });
  const client = new OperationStatusesClient(server.endpoint);
  const connections = await connectionCount(connection);
  const before = await connections();
  const controller = new AbortController();
  const waits = Array.from({ length: 300 }, (_, index) => {
    const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded", properties: index }] });
    // Each caller writes its own settings.
    const options = { connection: { url: url(connection) }, maxDelayInMs: 1000 + index };
    return pollUntilDone(client.operation("myProject", operationId), options);
  });
  const { operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
  const options = { connection: { url: url(connection) }, abortSignal: controller.signal };
  const aborted = rejection(pollUntilDone(client.operation("myProject", operationId), options));
  await expect.poll(connections).toBe(before + 2);
  controller.abort(new Error("no longer wanted"));
  expect(await aborted).toMatchObject({ message: "no longer wanted" });
  expect(await connections()).toBe(before + 2);
  {
    await using worker = createOperationWorker({ connection, clients: [client], concurrency: 50 });
    await worker.started;
    expect(await Promise.all(waits)).toEqual(waits.map((_, index) => index));
  }
  await expect.poll(connections).toBe(before);

  // A later wait opens a queue of its own.
  const again = new AbortController();
  const later = rejection(
    pollUntilDone(client.operation("myProject", operationId), { ...options, abortSignal: again.signal }),
  );
  await expect.poll(connections).toBe(before + 2);
  again.abort();
  await later;
  await expect.poll(connections).toBe(before);
});

redisTest(
  "waits with other options of the queue, or another client, share nothing",
  async ({ connection }) => {
    const connections = await connectionCount(connection);
    using client = disposable(new Redis({ ...connection, maxRetriesPerRequest: null }));
    using other = disposable(new Redis({ ...connection, maxRetriesPerRequest: null }));
    await expect.poll(connections).toBe(3);
    const reference = {
      endpoint: "https://elsewhere.example",
      projectName: "myProject",
      operationId: "fa067167-e49d-41bd-8dd8-de719b9de3b3",
    };
    const { signal, abort } = abortable();
    const wait = (options: QueuedPollOptions) =>
      rejection(pollUntilDone(reference, { ...options, abortSignal: signal }));
    const settings: QueuedPollOptions[] = [
      { connection },
      { connection, queueName: "others" },
      { connection, prefix: "other" },
      { connection, keepResultsInMs: 1000 },
      { connection, logger: silent },
      { connection: { ...connection, db: 1 } },
    ];
    const waits = settings.map(wait);
    await expect.poll(connections).toBe(3 + 2 * settings.length);
    // A client that is given is one of the two connections.
    waits.push(wait({ connection: client.redis }), wait({ connection: client.redis }));
    await expect.poll(connections).toBe(3 + 2 * settings.length + 1);
    waits.push(wait({ connection: other.redis }));
    await expect.poll(connections).toBe(3 + 2 * settings.length + 2);
    abort();
    await Promise.all(waits);
    await expect.poll(connections).toBe(3);
  },
);

async function connectionCount(connection: { readonly host: string; readonly port: number }) {
  const redis = new Redis(connection);
  onTestFinished(() => redis.disconnect());
  redis.on("error", () => {});
  await redis.ping();
  return async (): Promise<number> =>
    String(await redis.client("LIST"))
      .trim()
      .split("\n").length;
}

function disposable(redis: Redis) {
  return { redis, [Symbol.dispose]: () => redis.disconnect() };
}

function abortable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
