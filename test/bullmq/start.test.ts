import { Redis } from "ioredis";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { describe, expect } from "vitest";
import { redisTest } from "../support/redis.ts";
import { rejection } from "../support/rejections.ts";
import { recordingLogger, silent } from "./loggers.ts";

/** Commands that make Redis refuse, the cause in the log, and commands that make it accept again. */
const refusals = [
  ["no memory", ["CONFIG SET maxmemory 1"], "OOM", ["CONFIG SET maxmemory 0"]],
  ["a replica", ["REPLICAOF 127.0.0.1 1"], "READONLY", ["REPLICAOF NO ONE"]],
  ["a password", ["CONFIG SET requirepass secret"], "NOAUTH", ["CONFIG SET requirepass ''"]],
  ["no right to read its version", ["ACL SETUSER default -info"], "NOPERM", ["ACL SETUSER default +info"]],
] as const;

describe("a worker that starts while Redis refuses", () => {
  for (const [name, refuse, cause, accept] of refusals) {
    redisTest(`because of ${name} polls as soon as Redis accepts`, async ({ connection }) => {
      await using server = await startOperationServer();
      const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 42 }] });
      const client = new OperationStatusesClient(server.endpoint);
      await using admin = await connectedTo(connection);
      await using queue = createOperationQueue({ connection, logger: silent });
      const handle = await queue.add(client.operation("myProject", operationId));
      await admin.run(refuse);
      const { logger, lines } = recordingLogger();
      await using worker = createOperationWorker({ connection, clients: [client], logger });
      let hasStarted = false;
      void worker.started.then(() => (hasStarted = true));
      await expect.poll(() => lines).toContainEqual(expect.stringContaining(cause));
      expect(hasStarted).toBe(false);
      await admin.run(accept);
      await worker.started;
      expect(await handle.pollUntilDone()).toBe(42);
      expect(new Set(lines).size).toBe(lines.length);
    });
  }
});

redisTest(
  "a worker logs once why Redis saves none of its polls, and goes on later",
  async ({ connection }) => {
    await using server = await startOperationServer();
    const client = new OperationStatusesClient(server.endpoint);
    await using admin = await connectedTo(connection);
    const { logger, lines } = recordingLogger();
    await using queue = createOperationQueue({ connection });
    const handles = await Promise.all(
      [1, 2, 3].map((properties) => {
        const { operationId } = server.addOperation({
          timeline: [
            { status: "Running", polls: 5 },
            { status: "Succeeded", properties },
          ],
        });
        const options = { minDelayInMs: 100, maxDelayInMs: 100 };
        return queue.add(client.operation("myProject", operationId), options);
      }),
    );
    await using worker = createOperationWorker({ connection, clients: [client], logger });
    await worker.started;
    await expect.poll(() => server.requests.length).toBeGreaterThanOrEqual(3);
    await admin.run(["CONFIG SET maxmemory 1"]);
    // Each job is tried again after a second.
    await expect.poll(() => server.requests.length).toBeGreaterThanOrEqual(10);
    expect(lines).not.toEqual([]);
    expect(new Set(lines).size).toBe(lines.length);
    await admin.run(["CONFIG SET maxmemory 0"]);
    expect(await Promise.all(handles.map((handle) => handle.pollUntilDone()))).toEqual([1, 2, 3]);
  },
);

redisTest("a worker that may not list the clients of Redis works", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 42 }] });
  const client = new OperationStatusesClient(server.endpoint);
  await using admin = await connectedTo(connection);
  await admin.run(["ACL SETUSER default -client|list"]);
  const { logger, lines } = recordingLogger();
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client], logger });
  await worker.started;
  expect(await (await queue.add(client.operation("myProject", operationId))).pollUntilDone()).toBe(42);
  expect(lines).toEqual([]);
});

redisTest("a worker that is closed while Redis refuses ends at once", async ({ connection }) => {
  await using admin = await connectedTo(connection);
  await admin.run(["CONFIG SET maxmemory 1"]);
  const client = new OperationStatusesClient("https://elsewhere.example");
  const { logger, lines } = recordingLogger();
  const worker = createOperationWorker({ connection, clients: [client], logger });
  await expect.poll(() => lines).toContainEqual(expect.stringContaining("OOM"));
  await worker.close();
  expect(await rejection(worker.started)).toMatchObject({ name: "PollingError", code: "Disposed" });
  await expect.poll(() => admin.connections()).toBe(1);
});

/** A connection that Redis accepts whatever it refuses others. */
async function connectedTo(connection: { readonly host: string; readonly port: number }) {
  const redis = new Redis(connection);
  await redis.acl("SETUSER", "admin", "on", ">admin", "~*", "&*", "+@all");
  await redis.auth("admin", "admin");
  return {
    async run(commands: readonly string[]): Promise<void> {
      for (const command of commands) {
        const [name = "", ...args] = command.split(" ");
        await redis.call(name, ...args.map((arg) => (arg === "''" ? "" : arg)));
      }
    },
    async connections(): Promise<number> {
      return String(await redis.client("LIST"))
        .trim()
        .split("\n").length;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await redis.call("ACL", "SETUSER", "default", "+@all");
      redis.disconnect();
    },
  };
}
