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
import { crowd, hangs, idOf, most } from "./plan.ts";
import type { Snapshot } from "./plan.ts";

/**
 * Waits for thousands of operations of the server at `argv[2]`, in two hours of virtual time, and tells four times
 * what is there: after half an hour and after two hours, among many waits and when all are over.
 */
const [endpoint = ""] = process.argv.slice(2);
const clock = createVirtualClock();
const everybody = new AbortController();

let state = 1;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

/** Sends requests for real, and knows when all are answered that ever will be. */
class Traffic implements HttpClient {
  readonly #inner = createDefaultHttpClient();
  /** How often those were read of which one read hangs. */
  readonly #reads = new Map<number, number>();
  #underWay = 0;
  #onSettled: () => void = () => {};
  /** Called once when a request for this operation has left. */
  readonly onSent = new Map<number, () => void>();
  brokenRequests = 0;

  sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const index = Number.parseInt(/operationstatuses\/([0-9a-f]{8})/.exec(request.url)?.[1] ?? "", 16);
    const response = this.#inner.sendRequest(request);
    this.onSent.get(index)?.();
    this.onSent.delete(index);
    const isAnswered = !(hangs(index) && this.#count(index) === 2);
    if (isAnswered) this.#underWay++;
    void this.#follow(response, isAnswered);
    return response;
  }

  async settled(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onSettled = resolve));
    await nextMacrotask();
  }

  async #follow(response: Promise<PipelineResponse>, isAnswered: boolean): Promise<void> {
    try {
      const { readableStreamBody } = await response;
      if (readableStreamBody) await finished(readableStreamBody);
    } catch {
      this.brokenRequests++;
    }
    if (isAnswered && --this.#underWay === 0) this.#onSettled();
  }

  #count(index: number): number {
    const reads = (this.#reads.get(index) ?? 0) + 1;
    this.#reads.set(index, reads);
    return reads;
  }
}

const traffic = new Traffic();
const client = new OperationStatusesClient(endpoint, undefined, { httpClient: traffic });
const options = { clock, random, abortSignal: everybody.signal };

function operation(index: number): Operation {
  return client.operation("myProject", idOf(index));
}

type Way = (index: number) => Promise<unknown>;

function toTheEnd(index: number): Promise<unknown> {
  return createPoller(operation(index), options).pollUntilDone();
}

/** What users do with an operation. */
const ways: readonly Way[] = [
  toTheEnd,
  function leavesMidway(index) {
    const controller = new AbortController();
    const callOff = clock.setTimer(() => controller.abort(), 4000 * random());
    return createPoller(operation(index), options)
      .pollUntilDone({ abortSignal: controller.signal })
      .finally(callOff);
  },
  function leavesWhileItIsRead(index) {
    const controller = new AbortController();
    traffic.onSent.set(index, () => controller.abort());
    return createPoller(operation(index), options).pollUntilDone({ abortSignal: controller.signal });
  },
  function listensForEver(index) {
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
  (index) => client.getOperationStatus("myProject", idOf(index), { abortSignal: everybody.signal }),
  (index) => createPoller(operation(index), { ...options, timeoutInMs: 6000 }).pollUntilDone(),
];

const waiting = new Set<number>();
let begun = 0;

function begin(index: number, way: Way): void {
  waiting.add(index);
  begun++;
  void way(index)
    .catch(() => {})
    .finally(() => waiting.delete(index));
}

function beginNext(): void {
  begin(begun, ways[begun % ways.length] ?? toTheEnd);
}

const stepInMs = 500;

async function step(): Promise<void> {
  await clock.advance(stepInMs);
  await traffic.settled();
}

/** One at a time, and every three minutes a crowd. */
async function comeAndGo(untilInMs: number): Promise<void> {
  for (; clock.now() < untilInMs; await step()) {
    if (clock.now() % 4500 === 0) beginNext();
    if (clock.now() % 180_000 === 0) for (let one = 0; one < crowd; one++) beginNext();
  }
}

/** So many at a time, and so slowly answered, that they need all the connections there may be. */
async function needAllConnections(): Promise<void> {
  for (let index = most; index < most + crowd; index++) begin(index, toTheEnd);
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

function tell(): void {
  // More than once: what finalizers let go of is collected by the next.
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  const snapshot: Snapshot = {
    begun,
    waits: waiting.size,
    timers: clock.pendingTimers,
    listeners: getEventListeners(everybody.signal, "abort").length,
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
  // Into the midst of a crowd.
  await comeAndGo(minutes * 60_000 + 2000);
  tell();
  await endAll();
  tell();
}
process.exit();
