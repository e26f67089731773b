import { Agent, get } from "node:http";
import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import {
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import { OperationStatusesClient, RequestLimiter, createPollerGroup, systemClock } from "lro-poller";
import { median } from "../median.ts";
import { idOf } from "./operations.ts";
import { startServer } from "./start-server.ts";

/** Measures the CPU time of one poll, in microseconds, for each way of polling, side by side in one process. */
const operations = 200;
const pollsEach = 50;
const rounds = 5;
const delayInMs = 50;
const { origin, stop } = await startServer(pollsEach);

const httpClient = createDefaultHttpClient();
const pipeline = createPipelineFromOptions({});
const pipelineWithoutRetries = pipeline.clone();
pipelineWithoutRetries.removePolicy({ phase: "Retry" });
pipelineWithoutRetries.removePolicy({ name: "redirectPolicy" });

async function getThroughPipeline(url: string, through = pipeline): Promise<{ readonly status: string }> {
  const abortSignal = new AbortController().signal;
  const request = createPipelineRequest({ url, allowInsecureConnection: true, abortSignal });
  const { bodyAsText } = await through.sendRequest(httpClient, request);
  return JSON.parse(bodyAsText ?? "") as { status: string };
}

const agent = new Agent({ keepAlive: true });

function getThroughNode(url: string): Promise<{ readonly status: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as { status: string }));
    }).on("error", reject);
  });
}

async function pollByHand(
  url: string,
  poll: (url: string) => Promise<{ readonly status: string }>,
): Promise<void> {
  await sleep(starts.startDelayInMs());
  while ((await poll(url)).status === "Running") await sleep(delayInMs * (1 + 0.1 * Math.random()));
}

async function pollWithCoreLro(url: string): Promise<void> {
  const request = { method: "POST", url };
  const initial = { statusCode: 202, headers: { "operation-location": url }, body: undefined, request };
  const sendPollRequest = async (path: string): Promise<OperationResponse> => {
    const body = await getThroughPipeline(path, pipelineWithoutRetries);
    return { flatResponse: body, rawResponse: { statusCode: 200, headers: {}, body, request } };
  };
  const sendInitialRequest = (): Promise<OperationResponse> =>
    Promise.resolve({ flatResponse: {}, rawResponse: initial });
  await sleep(starts.startDelayInMs());
  await createHttpPoller(
    { sendInitialRequest, sendPollRequest },
    { intervalInMs: delayInMs },
  ).pollUntilDone();
}

function sleep(durationInMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationInMs);
  });
}

function urlsOf(round: number): string[] {
  const first = round * operations;
  return Array.from(
    { length: operations },
    (_, index) =>
      `${origin}/projects/myProject/operationstatuses/${idOf(first + index)}?api-version=2025-02-01`,
  );
}

// All spread their starts as lro-poller does: polls at the same moment share system calls and would cost less.
let starts = new RequestLimiter(systemClock);
const client = new OperationStatusesClient(origin);
const ways: Record<string, (urls: string[]) => Promise<unknown>> = {
  "node:http": (urls) => Promise.all(urls.map((url) => pollByHand(url, getThroughNode))),
  "core-rest-pipeline": (urls) =>
    Promise.all(urls.map((url) => pollByHand(url, (path) => getThroughPipeline(path)))),
  "without retries and redirects": (urls) =>
    Promise.all(
      urls.map((url) => pollByHand(url, (path) => getThroughPipeline(path, pipelineWithoutRetries))),
    ),
  "lro-poller": (urls) => {
    const group = createPollerGroup({ minDelayInMs: delayInMs, maxDelayInMs: delayInMs * 1.1 });
    for (const url of urls) group.add(client.operationAt(url));
    return group.pollUntilDone();
  },
  "core-lro": (urls) => Promise.all(urls.map(pollWithCoreLro)),
};

const costs = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
for (let round = 0; round < rounds + 1; round++) {
  for (const [place, [name, way]] of Object.entries(ways).entries()) {
    starts = new RequestLimiter(systemClock);
    const before = process.cpuUsage();
    await way(urlsOf(round * Object.keys(ways).length + place));
    const { user, system } = process.cpuUsage(before);
    // The first round lets the compiler optimize.
    if (round >= 1) costs.get(name)?.push((user + system) / (operations * pollsEach));
  }
}
stop();
console.log(JSON.stringify(Object.fromEntries([...costs].map(([name, values]) => [name, median(values)]))));
process.exit();
