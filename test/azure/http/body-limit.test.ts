import { setImmediate as nextTurn } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { expect, onTestFinished, test } from "vitest";
import { OperationStatusesClient, PollingError, createPoller, pollUntilDone } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { AddedOperation, Fault, OperationServer } from "lro-poller/testing";
import { withBodyLimit } from "../../../src/azure/http/body-limit.ts";
import { fast, serve } from "../lro/support.ts";
import { rejection } from "../../support/rejections.ts";

const timeline = [{ status: "Succeeded", properties: "done" }];

async function serveFault(fault: Fault): Promise<AddedOperation & { server: OperationServer }> {
  const server = await startOperationServer();
  onTestFinished(() => server.close());
  return { server, ...server.addOperation({ timeline, faults: { 1: fault } }) };
}

test("a packed page of 2 GB is a failed poll with a clear message, and does not fill the memory", async () => {
  const { server, operationLocation } = await serveFault({ kind: "long", bytes: 2 ** 31, gzip: true });
  const failures: Error[] = [];
  const operation = new OperationStatusesClient(server.endpoint).operationAt(operationLocation);
  const wait = pollUntilDone(operation, fast({ onFailedPoll: ({ error }) => failures.push(error) }));
  expect(await wait).toBe("done");
  expect(failures).toMatchObject([
    {
      code: "BodyTooLong",
      statusCode: 200,
      message: "HTTP 200, but its body was not received in full: longer than 32 MiB",
    },
  ]);
  expect(process.resourceUsage().maxRSS).toBeLessThan(2 ** 20);
});

test.each([false, true])("a body of 5 MB is received in full, packed or not: %s", async (gzip) => {
  const { server, operationLocation } = await serveFault({ kind: "long", bytes: 5_000_000, gzip });
  const operation = new OperationStatusesClient(server.endpoint).operationAt(operationLocation);
  expect(await pollUntilDone(operation, fast({ outageToleranceInMs: 0 }))).toBe("done");
});

test("a body that breaks off is a failed poll, and its Retry-After counts", async () => {
  const server = await startOperationServer();
  onTestFinished(() => server.close());
  const { operationLocation } = server.addOperation({
    timeline: [{ status: "Running" }],
    retryAfter: 30,
    faults: { 1: { kind: "reset", when: "midBody" } },
  });
  const poller = createPoller(new OperationStatusesClient(server.endpoint).operationAt(operationLocation));
  const failure = await rejection(poller.poll(), PollingError);
  expect(failure).toMatchObject({
    message: expect.stringContaining("HTTP 200, but its body was not received in full: "),
    code: "ECONNRESET",
    cause: { statusCode: 200, retryAfterInMs: 30_000 },
  });
});

const shortBody = { "content-length": "100" };

test("an initial response that breaks off after its headers has started the operation all the same", async () => {
  const server = await serve([
    {
      method: "POST",
      path: "/act?api-version=2025-02-01",
      status: 202,
      headers: { "operation-location": "{origin}/7", ...shortBody },
    },
    {
      method: "GET",
      path: "/7?api-version=2025-02-01",
      status: 200,
      body: { status: "Succeeded", result: 1 },
    },
  ]);
  const client = new OperationStatusesClient(server.origin);
  expect(await client.startOperation({ method: "POST", url: "/act" }, fast()).pollUntilDone()).toBe(1);
  server.assertFinished();
});

test("a 403 whose body breaks off is still a 403", async () => {
  const { operationLocation, operationId } = await serveFault({ kind: "hang" });
  const path = operationLocation.replace(/^.*?(?=\/projects)/, "");
  const server = await serve([{ method: "GET", path, status: 403, headers: shortBody }]);
  const client = new OperationStatusesClient(server.origin);
  const failure = await rejection(client.getOperationStatus("myProject", operationId), PollingError);
  expect(failure).toMatchObject({ statusCode: 403, message: expect.stringContaining("HTTP 403: neither") });
});

/** An HTTP client as in a browser, whose streams have another type. */
function browserClient(
  pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
  status = 200,
): HttpClient {
  const browserStreamBody = new ReadableStream({ pull });
  const headers = createHttpHeaders();
  return {
    sendRequest: (request): Promise<PipelineResponse> =>
      Promise.resolve({ request, status, headers, browserStreamBody }),
  };
}

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";

test("a browser's stream is decoded, also where a letter is split", async () => {
  const text = JSON.stringify({
    id: `/${operationId}`,
    name: operationId,
    status: "Running",
    resourceId: "é",
  });
  const bytes = [...new TextEncoder().encode(text)];
  const httpClient = browserClient((controller) => {
    const byte = bytes.shift();
    if (byte === undefined) controller.close();
    else controller.enqueue(Uint8Array.of(byte));
  });
  const client = new OperationStatusesClient("https://dev.devcenter.azure.com", undefined, { httpClient });
  const status = await client.getOperationStatus("myProject", operationId);
  expect(status).toMatchObject({ status: "Running", resourceId: "é" });
});

test.each([
  [200, "BodyTooLong"],
  [503, "RequestFailed"],
])("an endless browser's stream of a %i is aborted, and its connection closed", async (status, code) => {
  const requests: PipelineRequest[] = [];
  const endless = browserClient((controller) => controller.enqueue(new Uint8Array(2 ** 20)), status);
  const httpClient: HttpClient = {
    sendRequest: (request) => {
      requests.push(request);
      return endless.sendRequest(request);
    },
  };
  const client = new OperationStatusesClient("https://dev.devcenter.azure.com", undefined, { httpClient });
  const failure = await rejection(client.getOperationStatus("myProject", operationId), PollingError);
  expect([failure.code, requests.map(({ abortSignal }) => abortSignal?.aborted)]).toEqual([code, [true]]);
});

test.each([
  ["while it unpacks", 1],
  ["as the response comes", 0],
])("a request that is aborted %s settles at once, and its decoder is destroyed", async (_when, turns) => {
  const decoder = createGunzip();
  const pending = Promise.withResolvers<PipelineResponse>();
  const request = createPipelineRequest({ url: "https://dev.devcenter.azure.com" });
  const controller = new AbortController();
  request.abortSignal = controller.signal;
  const sending = rejection(withBodyLimit({ sendRequest: () => pending.promise }).sendRequest(request));
  pending.resolve({ status: 200, headers: createHttpHeaders(), request, readableStreamBody: decoder });
  for (let turn = 0; turn < turns; turn++) await nextTurn();
  controller.abort();
  await sending;
  expect(decoder.destroyed).toBe(true);
});
