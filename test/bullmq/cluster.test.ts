import { Cluster } from "ioredis";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker, pollUntilDone } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect, test } from "vitest";
import { skipReason } from "../support/redis.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { recordingLogger } from "./loggers.ts";

test("a queue in a Redis Cluster works without settings", async (context) => {
  if (skipReason !== undefined) context.skip(skipReason);
  await using redis = await startRedisCluster();
  await using server = await startOperationServer();
  const client = new OperationStatusesClient(server.endpoint);
  const { logger, lines } = recordingLogger();
  using opened = connectedTo(redis.nodes.slice(0, 1));
  const { connection } = opened;
  {
    await using queue = createOperationQueue({ connection, logger });
    await using worker = createOperationWorker({ connection, clients: [client], logger });
    await worker.started;
    const operations = Array.from({ length: 10 }, (_, index) =>
      server.addOperation({
        timeline: [
          { status: "Running", polls: 1 },
          { status: "Succeeded", properties: index },
        ],
      }),
    );
    const [first, ...others] = operations.map(({ operationId }) =>
      client.operation("myProject", operationId),
    );
    const quick = { minDelayInMs: 0, pollCostInMs: 1 };
    const handles = await Promise.all(others.map((operation) => queue.add(operation, quick)));
    const results = handles.map((handle) => handle.pollUntilDone());
    if (first) results.unshift(pollUntilDone(first, { connection, logger, ...quick }));
    expect(await Promise.all(results)).toEqual(operations.map((_, index) => index));
    expect(await queue.counts()).toMatchObject({ completed: 10, rejected: 0 });
    expect(await connection.exists("{bull}:operations:meta")).toBe(1);
  }
  expect(lines).toEqual([]);
});

test("a prefix without a hash tag is rejected for a cluster", () => {
  using opened = connectedTo([{ host: "127.0.0.1", port: 1 }]);
  const { connection } = opened;
  const message = 'prefix: expected a hash tag, such as "{bull}", for a cluster, got "mine"';
  expect(() => createOperationQueue({ connection, prefix: "mine" })).toThrow(new RangeError(message));
});

function connectedTo(nodes: readonly { readonly host: string; readonly port: number }[]) {
  const connection = new Cluster([...nodes], { lazyConnect: true });
  connection.on("error", () => {});
  return { connection, [Symbol.dispose]: () => connection.disconnect() };
}
