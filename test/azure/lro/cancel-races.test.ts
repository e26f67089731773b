import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { expect, test } from "vitest";
import { LroClient, OperationCanceledError, OperationFailedError } from "lro-poller";
import type { CancelResult, Clock, Poller, StartedPoller } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";

const runs = 1000;
const endpoint = "https://service.example";
const deployment = `${endpoint}/subscriptions/s/providers/Microsoft.Resources/deployments/d`;
const monitor = `${deployment}/operationStatuses/1?api-version=1&s=signature`;

/** Numbers from 0 up to 1 that are the same for each seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The ways in which the service answers a request to cancel. */
const answers = [
  "accepted",
  "refused",
  "throttled",
  "lostBefore",
  "lostAfter",
  "hangs",
  "brokenAfter",
  "unreachable",
] as const;

const words = ["Succeeded", "Failed"] as const;

/** A service with one operation, by a virtual clock. A request takes effect in the middle of its time. */
class RacingService implements HttpClient {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly answer: (typeof answers)[number];
  /** The status with which it refuses. */
  readonly refusal: number;
  word: "Succeeded" | "Failed" | "Canceled";
  endAt: number;
  /** The times at which requests to cancel took effect, or would have. */
  readonly cancels: number[] = [];
  readonly cancelLines = new Set<string>();
  isRefused = false;
  #unreachable = 2;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
    this.answer = pick(answers, random);
    this.refusal = pick([400, 403, 404, 405, 409], random);
    this.word = pick(words, random);
    this.endAt = 200 + random() * 40_000;
  }

  get isOver(): boolean {
    return this.#clock.now() >= this.endAt;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const isPoll = request.method === "GET";
    if (request.method === "PUT") return this.#reply(request, 201, {}, { "azure-asyncoperation": monitor });
    if (!isPoll && this.answer === "unreachable" && this.#unreachable-- > 0)
      throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    await this.#pass();
    const response = isPoll ? this.#poll(request) : this.#cancel(request);
    await this.#pass();
    // Its time limit ends it.
    if (!isPoll && this.answer === "hangs") return new Promise(() => {});
    return response();
  }

  #poll(request: PipelineRequest): () => PipelineResponse {
    const chance = this.#random();
    const status = this.isOver ? this.word : "Running";
    if (chance < 0.05) return () => this.#reply(request, 503, {});
    if (chance < 0.1) return () => lost();
    const error = status === "Succeeded" ? undefined : { code: "C", message: "m" };
    const headers = chance < 0.5 ? { "retry-after": "2" } : {};
    return () => this.#reply(request, 200, { status, error }, headers);
  }

  #cancel(request: PipelineRequest): () => PipelineResponse {
    this.cancels.push(this.#clock.now());
    this.cancelLines.add(`${request.method} ${request.url}`);
    const { answer } = this;
    if (answer === "refused") return this.#refuse(request, this.refusal);
    if (answer === "throttled") return this.#refuse(request, 429);
    if (answer === "lostBefore") return () => lost();
    if (answer === "hangs") this.#cancelBy(0);
    else if (this.isOver) return this.#refuse(request, 409);
    else this.#cancelBy(this.#random() * 20_000);
    if (answer === "lostAfter" || answer === "hangs") return () => lost();
    if (answer === "brokenAfter") return () => this.#reply(request, 500, {});
    return () => this.#reply(request, pick([200, 202, 204], this.#random), undefined);
  }

  #cancelBy(delayInMs: number): void {
    const canceledAt = this.#clock.now() + delayInMs;
    if (canceledAt >= this.endAt) return;
    this.endAt = canceledAt;
    this.word = "Canceled";
  }

  #refuse(request: PipelineRequest, status: number): () => PipelineResponse {
    this.isRefused = true;
    return () => this.#reply(request, status, { error: { code: "Refused", message: "no" } });
  }

  #reply(request: PipelineRequest, status: number, body: unknown, headers = {}): PipelineResponse {
    const bodyAsText = body === undefined ? "" : JSON.stringify(body);
    return { request, status, headers: createHttpHeaders(headers), bodyAsText };
  }

  #pass(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clock.setTimer(resolve, this.#random() * 3000);
    return promise;
  }
}

function lost(): never {
  throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
}

function pick<T>(choices: readonly T[], random: () => number): T {
  const choice = choices[Math.floor(random() * choices.length)];
  if (choice === undefined) throw new Error("expected a choice");
  return choice;
}

/** Calls after a while, unless the operation ends before. */
function after<T>(clock: Clock, delayInMs: number, call: () => Promise<T>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  clock.setTimer(() => resolve(call()), delayInMs);
  return promise;
}

function wordOf(result: PromiseSettledResult<unknown>): string {
  if (result.status === "fulfilled") return "Succeeded";
  if (result.reason instanceof OperationCanceledError) return "Canceled";
  if (result.reason instanceof OperationFailedError) return "Failed";
  return String(result.reason);
}

test(`in ${runs} races the outcome is the service's, and one request to cancel is sent at most`, async () => {
  const seen = new Map<string, number>();
  const note = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1);
  for (let seed = 1; seed <= runs; seed++) {
    const random = randomFrom(seed);
    const clock = createVirtualClock();
    const service = new RacingService(clock, random);
    const client = new LroClient(endpoint, undefined, { httpClient: service });
    const options = { clock, random, requestTimeoutInMs: 20_000 };
    const start = (): StartedPoller =>
      client.startOperation({ method: "PUT", url: `${deployment}?api-version=1` }, options);
    const poller: Poller = random() < 0.5 ? start() : client.resume(tokenAt(client, clock), options);
    const waitsToo = random() < 0.7;
    const waiting = Promise.allSettled(waitsToo ? [poller.pollUntilDone()] : []);
    const calls = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      after(clock, random() * (random() < 0.5 ? 100 : 30_000), () => poller.cancelOperation()),
    );
    // Those that abort their wait do not take the request back.
    const controller = new AbortController();
    const isAborted = random() < 0.3;
    const abort = (): Promise<CancelResult> => poller.cancelOperation({ abortSignal: controller.signal });
    const aborting = Promise.allSettled(isAborted ? [after(clock, 100, abort)] : []);
    clock.setTimer(() => controller.abort(new Error("left")), 100 + random() * 5000);
    const results = await clock.runUntilSettled(Promise.allSettled(calls));
    await clock.runUntilSettled(aborting);
    const ends = await clock.runUntilSettled(Promise.allSettled([poller.pollUntilDone()]));
    const context = `seed ${seed}, ${service.answer}`;
    // A call after a refusal is a new request: the service has certainly not accepted the one before.
    const limit = service.isRefused ? calls.length + Number(isAborted) : 1;
    expect(service.cancels.length, context).toBeLessThanOrEqual(limit);
    const line = `POST ${deployment}/cancel?api-version=1`;
    expect([...service.cancelLines], context).toEqual(service.cancels.length > 0 ? [line] : []);
    for (const end of [...(await waiting), ...ends]) expect(wordOf(end), context).toBe(service.word);
    for (const result of results) {
      if (result.status === "rejected") throw new Error(context, { cause: result.reason });
      check(result.value, service, context);
      note(`${service.answer} ${result.value.outcome}`);
    }
  }
  // Every way to answer has met each outcome that it can have.
  expect([...seen.keys()].toSorted()).toEqual([
    "accepted canceled",
    "accepted tooLate",
    "brokenAfter canceled",
    "brokenAfter tooLate",
    "hangs canceled",
    "hangs tooLate",
    "lostAfter canceled",
    "lostAfter tooLate",
    "lostBefore tooLate",
    "refused refused",
    "refused tooLate",
    "throttled refused",
    "throttled tooLate",
    "unreachable canceled",
    "unreachable tooLate",
  ]);
});

function check(result: CancelResult, service: RacingService, context: string): void {
  if (result.outcome === "refused") {
    expect(service.isRefused, context).toBe(true);
    // The state that it tells is none from before the refusal.
    if (service.cancels.length === 1) expect(service.cancels[0], context).toBeLessThan(service.endAt);
    expect(result, context).toMatchObject({ status: "Running", error: { code: "Refused" } });
    return;
  }
  expect(result.outcome, context).toBe(service.word === "Canceled" ? "canceled" : "tooLate");
  expect(result.status, context).toBe(service.word);
}

function tokenAt(client: LroClient, clock: Clock): string {
  const now = clock.timestamp();
  const operation = client.operationAt(monitor);
  const counts = { pollCount: 1, failedPollCount: 0, status: "Running" };
  return JSON.stringify({ version: 1, operation, startedAt: now, savedAt: now, ...counts });
}
