import { setTimeout as sleep } from "node:timers/promises";
import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import { OperationStatusesClient, createPollerGroup } from "lro-poller";
import { median } from "../median.ts";
import { createFakeHttpClient } from "./fake-http-client.ts";
import { idOf, statusText } from "./operations.ts";

/** Measures how long one signal takes to abort 20,000 waits, in milliseconds: lro-poller and core-lro in turn. */
const count = 20_000;
const rounds = 5;

async function ours(round: number): Promise<number> {
  const client = new OperationStatusesClient("https://dev.example", undefined, {
    httpClient: createFakeHttpClient(),
  });
  const controller = new AbortController();
  const options = { minDelayInMs: 600_000, maxDelayInMs: 1_200_000, abortSignal: controller.signal };
  const group = createPollerGroup(options);
  for (let index = 0; index < count; index++)
    group.add(client.operation("myProject", idOf(round * count + index)));
  const end = group.pollUntilDone().catch(() => {});
  while (group.progress.states["Running"] !== count) await sleep(50);
  return timed(controller, end);
}

async function coreLro(): Promise<number> {
  const controller = new AbortController();
  const request = { method: "POST", url: "https://dev.example/" };
  const respond = (): Promise<OperationResponse> => {
    const body: unknown = JSON.parse(statusText(idOf(0)));
    const headers = { "operation-location": "https://dev.example/operations/1" };
    return Promise.resolve({ flatResponse: body, rawResponse: { statusCode: 200, headers, body, request } });
  };
  const pollers = Array.from({ length: count }, () =>
    createHttpPoller({ sendInitialRequest: respond, sendPollRequest: respond }, { intervalInMs: 600_000 }),
  );
  const ends = pollers.map((poller) =>
    poller.pollUntilDone({ abortSignal: controller.signal }).catch(() => {}),
  );
  await sleep(1500);
  return timed(controller, Promise.all(ends));
}

async function timed(controller: AbortController, end: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  controller.abort();
  await end;
  return performance.now() - startedAt;
}

process.removeAllListeners("warning");
const [oursInMs, coreLroInMs]: [number[], number[]] = [[], []];
for (let round = 0; round < rounds; round++) {
  oursInMs.push(await ours(round));
  coreLroInMs.push(await coreLro());
}
console.log(JSON.stringify({ "lro-poller": median(oursInMs), "core-lro": median(coreLroInMs) }));
process.exit();
