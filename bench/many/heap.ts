import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import { OperationStatusesClient, createPollerGroup } from "lro-poller";
import { idOf, statusText } from "./operations.ts";
import { createFakeHttpClient } from "./fake-http-client.ts";

/** Measures the heap of one wait, in bytes, and the peak memory, in megabytes. Each way runs in a process of its own. */
const ways: Record<string, (count: number) => Promise<() => unknown>> = {
  async "lro-poller"(count) {
    const client = new OperationStatusesClient("https://dev.example", undefined, {
      httpClient: createFakeHttpClient(),
    });
    const group = createPollerGroup({ minDelayInMs: 60_000, maxDelayInMs: 120_000 });
    for (let index = 0; index < count; index++) group.add(client.operation("myProject", idOf(index)));
    void group.pollUntilDone();
    await until(() => group.progress.states["Running"] === count);
    return () => group;
  },
  async "core-lro"(count) {
    const pollers = Array.from({ length: count }, (_, index) => coreLroPoller(index));
    for (const poller of pollers) void poller.pollUntilDone({ abortSignal: new AbortController().signal });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return () => pollers;
  },
  "a promise with a timer"(count) {
    const waits = Array.from({ length: count }, () => new Promise((resolve) => setTimeout(resolve, 600_000)));
    return Promise.resolve(() => waits);
  },
};

function coreLroPoller(index: number): ReturnType<typeof createHttpPoller> {
  const request = { method: "POST", url: "https://dev.example/" };
  const respond = (): Promise<OperationResponse> => {
    const body: unknown = JSON.parse(statusText(idOf(index)));
    const headers = { "operation-location": `https://dev.example/operations/${idOf(index)}` };
    return Promise.resolve({ flatResponse: body, rawResponse: { statusCode: 200, headers, body, request } });
  };
  return createHttpPoller(
    { sendInitialRequest: respond, sendPollRequest: respond },
    { intervalInMs: 600_000 },
  );
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 50));
}

function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  for (let round = 0; round < 3; round++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

const [name = "lro-poller", count = "20000"] = process.argv.slice(2);
const way = ways[name];
if (way === undefined) throw new Error(`expected one of ${Object.keys(ways).join(", ")}, got ${name}`);
// A first run, so that code and caches do not count.
(await way(10))();
const before = heapUsed();
const keep = await way(Number(count));
const bytes = Math.round((heapUsed() - before) / Number(count));
console.log(JSON.stringify({ bytes, peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024) }));
keep();
process.exit();
