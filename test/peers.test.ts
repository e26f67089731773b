import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import {
  RestError,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import { afterAll, describe, expect, test } from "vitest";
import { OperationStatusesClient, fixed, pollUntilDone, systemClock } from "lro-poller";
import { startOperationStatusServer } from "lro-poller/testing";
import type { Fault, Timeline } from "lro-poller/testing";
import { fastClock } from "./support/clock.ts";

const server = await startOperationStatusServer();
afterAll(() => server.close());

const timeline: Timeline = [
  { status: "Running", reads: 2 },
  { status: "Succeeded", properties: "done" },
];

// As Azure's clients have it: three retries, here without their delays.
const pipeline = createPipelineFromOptions({ retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 1 } });
const httpClient = createDefaultHttpClient();

async function get(url: string): Promise<OperationResponse> {
  const request = createPipelineRequest({ url, allowInsecureConnection: true });
  const response = await pipeline.sendRequest(httpClient, request);
  if (response.status >= 300) throw new RestError(`HTTP ${response.status}`, { request, response });
  const body: unknown = parse(response.bodyAsText ?? "", url);
  const rawRequest = { method: "GET", url };
  const rawResponse = {
    statusCode: response.status,
    headers: response.headers.toJSON(),
    body,
    request: rawRequest,
  };
  return { flatResponse: body, rawResponse };
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RestError("no JSON", { code: RestError.PARSE_ERROR, request: createPipelineRequest({ url }) });
  }
}

function coreLroPoller(operationLocation: string): ReturnType<typeof createHttpPoller> {
  const rawRequest = { method: "POST", url: server.endpoint };
  const headers = { "operation-location": operationLocation };
  return createHttpPoller(
    {
      sendInitialRequest: () =>
        Promise.resolve({
          flatResponse: {},
          rawResponse: { statusCode: 202, headers, body: undefined, request: rawRequest },
        }),
      sendPollRequest: (path) => get(path),
    },
    { intervalInMs: 1 },
  );
}

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
    const poller = coreLroPoller(operationLocation);
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
      if (server.requests.at(-1)?.readNumber === 1) server.failNext(fault, times);
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
