import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { afterAll, describe, expect, test } from "vitest";
import { OperationStatusesClient, fixed, pollUntilDone, systemClock } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { Fault, Timeline } from "lro-poller/testing";
import { fastClock } from "../support/clock.ts";
import { coreLroPoller } from "../support/core-lro.ts";

const server = await startOperationServer();
afterAll(() => server.close());

const timeline: Timeline = [
  { status: "Running", polls: 2 },
  { status: "Succeeded", properties: "done" },
];

// As Azure's clients have it: three retries, here without their delays.
const pipeline = createPipelineFromOptions({ retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 1 } });

const faults: [string, Fault, number][] = [
  ["a 500 that outlasts the pipeline's retries", { kind: "status", status: 500 }, 4],
  ["one 429 without Retry-After", { kind: "status", status: 429 }, 1],
  ["a 503 that outlasts the pipeline's retries", { kind: "status", status: 503 }, 4],
  ["a connection reset that outlasts them", { kind: "reset" }, 4],
  ["one HTML page", { kind: "body", text: "<html>maintenance</html>" }, 1],
];

describe.each(faults)("after %s in the middle of a wait", (_, fault, times) => {
  test("core-lro takes the operation for failed, for good", async () => {
    const { operationId, operationLocation } = server.addOperation({ timeline });
    const poller = coreLroPoller(operationLocation, pipeline, 1);
    await poller.poll();
    server.failNext(fault, times);
    await expect(poller.pollUntilDone()).rejects.toBeInstanceOf(Error);
    await expect(poller.pollUntilDone()).rejects.toBeInstanceOf(Error);
    expect(poller.operationState?.status).toBe("failed");
    expect(server.state(operationId).status).not.toBe("Failed");
  });

  test("lro-poller brings the result", async () => {
    const { operationLocation } = server.addOperation({ timeline });
    const operation = new OperationStatusesClient(server.endpoint).operationAt(operationLocation);
    const clock = fastClock(systemClock);
    const onProgress = (): void => {
      if (server.requests.at(-1)?.pollNumber === 1) server.failNext(fault, times);
    };
    const result = pollUntilDone(operation, {
      clock,
      schedule: fixed(1000),
      onProgress,
      requestTimeoutInMs: Infinity,
      outageToleranceInMs: Infinity,
    });
    await expect(result).resolves.toBe("done");
  });
});
