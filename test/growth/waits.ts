import { finished } from "node:stream/promises";
import { subscribe } from "node:diagnostics_channel";
import { getEventListeners } from "node:events";
import { Socket } from "node:net";
import { setImmediate as nextMacrotask } from "node:timers/promises";
import { queryObjects } from "node:v8";
import { createDefaultHttpClient } from "@azure/core-rest-pipeline";
import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { OperationPoller } from "../../src/poller/poller.ts";
import { OperationStatusesClient, createPoller, createPollerGroup } from "../../src/index.ts";
import type { Operation } from "../../src/index.ts";
import { createVirtualClock } from "../../src/testing/index.ts";
import { seeded } from "../../bench/schedule/random.ts";
import { burstSize, hangs, idOf, operationCount } from "./plan.ts";
import type { Snapshot } from "./plan.ts";

/**
 * Waits for thousands of operations of the server at `argv[2]`, in two hours of virtual time. It prints four snapshots:
 * after half an hour and after two hours, during many waits and after the last one.
 */
const [endpoint = ""] = process.argv.slice(2);
const clock = createVirtualClock();
const everyWait = new AbortController();
const random = seeded(1);

/** Sends real requests, and knows when every request that gets a response has got it. */
class Traffic implements HttpClient {
  readonly #inner = createDefaultHttpClient();
  /** The number of polls of the operations whose second poll hangs. */
  readonly #polls = new Map<number, number>();
  #inFlight = 0;
  #onSettled: () => void = () => {};
  /** Called once when a request for this operation has been sent. */
  readonly onSent = new Map<number, () => void>();
  brokenRequests = 0;

  sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const index = Number.parseInt(/operationstatuses\/([0-9a-f]{8})/.exec(request.url)?.[1] ?? "", 16);
    const response = this.#inner.sendRequest(request);
    this.onSent.get(index)?.();
    this.onSent.delete(index);
    const getsResponse = !(hangs(index) && this.#count(index) === 2);
    if (getsResponse) this.#inFlight++;
    void this.#follow(response, getsResponse);
    return response;
  }

  async settled(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#onSettled = resolve));
    await nextMacrotask();
  }

  async #follow(response: Promise<PipelineResponse>, getsResponse: boolean): Promise<void> {
    try {
      const { readableStreamBody } = await response;
      if (readableStreamBody) await finished(readableStreamBody);
    } catch {
      this.brokenRequests++;
    }
    if (getsResponse && --this.#inFlight === 0) this.#onSettled();
  }

  #count(index: number): number {
    const polls = (this.#polls.get(index) ?? 0) + 1;
    this.#polls.set(index, polls);
    return polls;
  }
}

const traffic = new Traffic();
const client = new OperationStatusesClient(endpoint, undefined, { httpClient: traffic });
const options = { clock, random, abortSignal: everyWait.signal };

function operation(index: number): Operation {
  return client.operation("myProject", idOf(index));
}

type Scenario = (index: number) => Promise<unknown>;

function waitsToTheEnd(index: number): Promise<unknown> {
  return createPoller(operation(index), options).pollUntilDone();
}

/** The ways in which users wait for an operation. */
const scenarios: readonly Scenario[] = [
  waitsToTheEnd,
  function abortsMidway(index) {
    const controller = new AbortController();
    const cancelTimer = clock.setTimer(() => controller.abort(), 4000 * random());
    return createPoller(operation(index), options)
      .pollUntilDone({ abortSignal: controller.signal })
      .finally(cancelTimer);
  },
  function abortsDuringPoll(index) {
    const controller = new AbortController();
    traffic.onSent.set(index, () => controller.abort());
    return createPoller(operation(index), options).pollUntilDone({ abortSignal: controller.signal });
  },
  function neverUnsubscribes(index) {
    const poller = createPoller(operation(index), { ...options, onProgress: () => {} });
    poller.onProgress(() => {});
    poller.onFailedPoll(() => {});
    return Promise.allSettled([poller.pollUntilDone(), poller.pollUntilDone()]);
  },
  async function stopsIterating(index) {
    for await (const { pollCount } of createPoller(operation(index), options)) if (pollCount > 1) break;
  },
  async function forgetsItsIterator(index) {
    const poller = createPoller(operation(index), options);
    await poller[Symbol.asyncIterator]().next();
    await poller.pollUntilDone();
  },
  async function stopsIteratingOverAGroup(index) {
    const group = createPollerGroup(options);
    for (const part of [index, index, index + 1]) group.add(operation(part));
    group.onProgress(() => {});
    for await (const { result } of group) if (result.status === "fulfilled") break;
  },
  (index) =>
    client.createDevBox("myProject", "me", `box-${index}`, { poolName: "p" }, options).pollUntilDone(),
  (index) => client.getOperationStatus("myProject", idOf(index), { abortSignal: everyWait.signal }),
  (index) => createPoller(operation(index), { ...options, timeoutInMs: 6000 }).pollUntilDone(),
];

const waiting = new Set<number>();
let started = 0;

function start(index: number, scenario: Scenario): void {
  waiting.add(index);
  started++;
  void scenario(index)
    .catch(() => {})
    .finally(() => waiting.delete(index));
}

function startNext(): void {
  start(started, scenarios[started % scenarios.length] ?? waitsToTheEnd);
}

const stepInMs = 500;

async function step(): Promise<void> {
  await clock.advance(stepInMs);
  await traffic.settled();
}

/** Starts one wait after the other, and many at once every three minutes. */
async function startAndEndWaits(untilInMs: number): Promise<void> {
  for (; clock.now() < untilInMs; await step()) {
    if (clock.now() % 4500 === 0) startNext();
    if (clock.now() % 180_000 === 0) for (let one = 0; one < burstSize; one++) startNext();
  }
}

/** Starts so many waits at once, with such slow responses, that they need every connection that the client may open. */
async function needAllConnections(): Promise<void> {
  for (let index = operationCount; index < operationCount + burstSize; index++) start(index, waitsToTheEnd);
  await clock.advance(5000);
  await traffic.settled();
}

async function endAll(): Promise<void> {
  while (waiting.size > 0) await step();
}

let sockets = 0;
subscribe("net.client.socket", (message) => {
  if (typeof message !== "object" || message === null || !("socket" in message)) return;
  if (!(message.socket instanceof Socket)) return;
  sockets++;
  message.socket.once("close", () => sockets--);
});

function printSnapshot(): void {
  // More than once: the next one collects what finalizers release.
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  const snapshot: Snapshot = {
    started,
    waits: waiting.size,
    timers: clock.pendingTimers,
    listeners: getEventListeners(everyWait.signal, "abort").length,
    sockets,
    brokenRequests: traffic.brokenRequests,
    pollers: queryObjects(OperationPoller, { format: "count" }),
    objects: queryObjects(Object, { format: "count" }),
    heapBytes: process.memoryUsage().heapUsed,
  };
  console.log(JSON.stringify(snapshot));
}

await needAllConnections();
await endAll();
for (const minutes of [30, 120]) {
  // Two seconds after many waits have started.
  await startAndEndWaits(minutes * 60_000 + 2000);
  printSnapshot();
  await endAll();
  printSnapshot();
}
process.exit();
