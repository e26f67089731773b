import { Queue } from "bullmq";
import type { Telemetry } from "bullmq";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { redisTest } from "../support/redis.ts";

redisTest("BullMQ's telemetry and metrics see the jobs, and their names", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({ timeline: [{ status: "Succeeded" }] });
  const client = new OperationStatusesClient(server.endpoint);
  const { telemetry, names } = recordingTelemetry();
  await using queue = createOperationQueue({ connection, telemetry });
  await using worker = createOperationWorker({
    connection,
    clients: [client],
    telemetry,
    metrics: { maxDataPoints: 60 },
  });
  await worker.started;
  const handle = await queue.add(client.operation("myProject", operationId));
  await handle.pollUntilDone();
  expect(names).toEqual(
    expect.arrayContaining([`add operations.myProject/${operationId}`, "process operations"]),
  );
  const raw = new Queue("operations", { connection });
  expect(await raw.getMetrics("completed")).toMatchObject({ meta: { count: 1 } });
  expect(await raw.getJob(handle.jobId)).toMatchObject({ name: `myProject/${operationId}` });
  await raw.close();
});

/** A telemetry that keeps the names of its spans. */
function recordingTelemetry(): { readonly telemetry: Telemetry; readonly names: readonly string[] } {
  const names: string[] = [];
  const ignore = (): void => {};
  const span = {
    setSpanOnContext: (context: unknown) => context,
    setAttribute: ignore,
    setAttributes: ignore,
    addEvent: ignore,
    recordException: ignore,
    end: ignore,
  };
  const telemetry: Telemetry = {
    tracer: {
      startSpan: (name) => {
        names.push(name);
        return span;
      },
    },
    contextManager: {
      with: (_, call) => call(),
      active: () => undefined,
      getMetadata: () => "",
      fromMetadata: () => undefined,
    },
  };
  return { telemetry, names };
}
