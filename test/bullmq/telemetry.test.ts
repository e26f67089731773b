import { Queue } from "bullmq";
import type { Telemetry } from "bullmq";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { instrument } from "lro-poller/opentelemetry";
import { startOperationServer } from "lro-poller/testing";
import { expect, onTestFinished } from "vitest";
import { redisTest } from "../support/redis.ts";
import { RecordedMetrics, pathsOf, startTracing } from "../support/telemetry.ts";
import { silent } from "./loggers.ts";

const exporter = startTracing();

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

redisTest("a wait of workers has the metrics, spans and log lines of a poller", async ({ connection }) => {
  await using server = await startOperationServer();
  const { operationId } = server.addOperation({
    timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }],
    faults: { 2: { kind: "status", status: 500 } },
  });
  exporter.reset();
  const recorded = new RecordedMetrics();
  onTestFinished(instrument({ meterProvider: recorded.provider }));
  const client = new OperationStatusesClient(server.endpoint);
  const lines: string[] = [];
  const info = (line: unknown): unknown => lines.push(String(line));
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({ connection, clients: [client], logger: { ...silent, info } });
  await worker.started;
  const options = { minDelayInMs: 200, maxDelayInMs: 200, maxRetryDelayInMs: 200 };
  const handle = await queue.add(client.operation("myProject", operationId), options);
  await handle.pollUntilDone();

  const metrics = await recorded.collect();
  const namespace = { "az.namespace": "Microsoft.DevCenter" };
  expect(metrics["lro_poller.polls"]?.points).toEqual([[namespace, 3]]);
  expect(metrics["lro_poller.failed_polls"]?.points).toEqual([[{ ...namespace, "error.type": "500" }, 1]]);
  const [[attributes, duration] = [{}, []]] = metrics["lro_poller.wait.duration"]?.points ?? [];
  expect(attributes).toEqual({ ...namespace, "lro_poller.operation.status": "Succeeded" });
  // One wait, with the time between its polls.
  expect(duration).toEqual([1, expect.toSatisfy((seconds: number) => seconds >= 0.3)]);
  expect(metrics["lro_poller.wait.lateness"]?.points).toEqual([[namespace, [1, expect.any(Number)]]]);

  const spans = exporter.getFinishedSpans().filter(({ name }) => name === "Poller.poll");
  expect(spans.map(({ attributes: { "lro_poller.job.id": jobId } }) => jobId)).toEqual(
    Array.from({ length: 3 }, () => handle.jobId),
  );
  expect(spans.map(({ events }) => events.map(({ name }) => name))).toEqual([
    ["lro_poller.poll", "lro_poller.transition"],
    ["lro_poller.failed_poll"],
    ["lro_poller.poll", "lro_poller.transition"],
  ]);
  expect(pathsOf(exporter.getFinishedSpans())).toContain("Poller.poll > HTTP GET");
  expect(lines.map((line) => line.replace(/ \(\d+ ms.*| Next poll in.*/, ""))).toEqual([
    `Operation ${operationId}: waiting.`,
    `Operation ${operationId}: Running.`,
    expect.stringMatching(/^Operation .*: poll failed: /),
    `Operation ${operationId}: Succeeded.`,
    `Operation ${operationId}: the wait ended, Succeeded`,
  ]);
});
