import { createEmptyPipeline, createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { describe, expect, test, vi } from "vitest";
import { OperationStatusesClient, createPoller, fixed, startOperation } from "lro-poller";
import type { InitialRequest, Operation, StartOperationOptions, StartedPoller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { sleep } from "../../../src/clock.ts";
import { RequestLimiter } from "../../../src/limiter/request-limiter.ts";
import { CountingCredential } from "../../support/credential.ts";
import { settled, rejection } from "../../support/rejections.ts";
import { simulate } from "./support.ts";
import type { SimulatedReply } from "./support.ts";

const url = "https://dev.devcenter.azure.com/boxes/b1";
const down: SimulatedReply = { status: 500, headers: {}, body: "" };
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const options = { schedule: fixed(1000), random: () => 0 };

describe("the initial request", () => {
  test.each<[string, StartOperationOptions, number[]]>([
    ["two minutes", {}, [0, 121_000]],
    ["requestTimeoutInMs if that is longer", { requestTimeoutInMs: 300_000 }, [0, 301_000]],
    ["startTimeoutInMs", { startTimeoutInMs: 10_000, requestTimeoutInMs: 300_000 }, [0, 11_000]],
    ["no limit", { startTimeoutInMs: Infinity }, [0]],
  ])("has %s to be answered", async (_, limits, times) => {
    const { clock, httpClient, requestLog } = simulate(() => new Promise(() => {}), { status: 200 });
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock };
    startOperation({ method: "PUT", url }, { ...options, ...sender, ...limits });
    await clock.advance(3_600_000);
    expect(requestLog.map(([time]) => time)).toEqual(times);
  });

  test("that takes 45 seconds is sent once", async () => {
    const { clock, httpClient, requestLog } = simulate(async () => {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 45_000));
      return { status: 200, body: { id: "b1" } };
    });
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock };
    const poller = startOperation({ method: "PUT", url }, { ...options, ...sender });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toEqual({ id: "b1" });
    expect(requestLog).toEqual([[0, "PUT /boxes/b1"]]);
  });

  test("is not sent again by the retries of the caller's own pipeline", async () => {
    const { clock, httpClient, requestLog } = simulate(down, down, down, down);
    const pipeline = createPipelineFromOptions({ retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 1 } });
    const poller = startOperation({ method: "POST", url }, { ...options, pipeline, httpClient, clock });
    expect(await clock.runUntilSettled(rejection(poller.pollUntilDone()))).toMatchObject({
      name: "OperationStartError",
      statusCode: 500,
    });
    expect(requestLog).toHaveLength(1);
  });

  test.each<[InitialRequest["headers"] & object, number]>([
    [{ "If-None-Match": "*" }, 1],
    [{ "x-own": "1" }, 4],
    [{ "if-match": "1", "Repeatability-Request-ID": "1", "Repeatability-First-Sent": "2" }, 4],
    [{ "if-match": "1", "Repeatability-Request-ID": "1" }, 1],
  ])(
    "with %j is sent at most %i times after faults after which the service may have received it",
    async (headers, times) => {
      const { clock, httpClient, requestLog } = simulate(down, down, down, down, down);
      const request = { method: "PUT", url, headers } as const;
      const poller = startOperation(request, {
        ...options,
        pipeline: createEmptyPipeline(),
        httpClient,
        clock,
      });
      await clock.runUntilSettled(settled(poller.pollUntilDone()));
      expect(requestLog).toHaveLength(times);
    },
  );

  test("is repeated whether callers wait or not, and its waiting is no poll", async () => {
    const { clock, httpClient, requestLog } = simulate(() => new Promise(() => {}), down, down, down);
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock, startTimeoutInMs: 300 };
    const poller = startOperation({ method: "PUT", url }, { ...options, ...sender });
    const controller = new AbortController();
    const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(700);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(poller.toJSON()).toMatchObject({ pollCount: 0, failedPollCount: 0 });
    await clock.advance(600_000);
    expect(requestLog).toHaveLength(4);
    expect(clock.pendingTimers).toBe(0);
    await expect(poller.started).rejects.toThrow(
      "(4 attempts in 7.3 s). An earlier attempt may have been received",
    );
  });

  const tooMany: SimulatedReply = { status: 429, headers: { "retry-after": "400" } };

  test("that is throttled for longer than any time limit of a poll is repeated then", async () => {
    const { clock, httpClient, requestLog } = simulate(tooMany, { status: 200, body: { id: "b1" } });
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock };
    const failed = vi.fn<() => void>();
    const poller = startOperation({ method: "PUT", url }, { ...options, ...sender, onFailedPoll: failed });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toEqual({ id: "b1" });
    expect(requestLog.map(([time]) => time)).toEqual([0, 400_000]);
    expect(failed).not.toHaveBeenCalled();
  });

  test("that is throttled makes poll() wait no longer than for a response", async () => {
    const { clock, httpClient, requestLog } = simulate(tooMany, { status: 200, body: { id: "b1" } });
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock };
    const poller = startOperation({ method: "PUT", url }, { ...options, ...sender });
    await clock.advance(1000);
    expect(await clock.runUntilSettled(rejection(poller.poll()))).toMatchObject({
      name: "PollingError",
      code: "Throttled",
    });
    expect(clock.now()).toBe(31_000);
    await clock.advance(400_000);
    expect(await clock.runUntilSettled(poller.poll())).toMatchObject({ status: "Succeeded" });
    expect(requestLog.map(([time]) => time)).toEqual([0, 400_000]);
  });

  test("is repeated for the others when a caller aborts its wait during the backoff", async () => {
    const { clock, httpClient, requestLog } = simulate(tooMany, { status: 200, body: { id: "b1" } });
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock };
    const poller = startOperation({ method: "PUT", url }, { ...options, ...sender });
    const controller = new AbortController();
    const { signal: abortSignal } = controller;
    const aborted = Promise.all([
      rejection(poller.pollUntilDone({ abortSignal })),
      rejection(poller.poll({ abortSignal })),
    ]);
    const others = Promise.all([
      poller.started,
      poller.pollUntilDone(),
      poller[Symbol.asyncIterator]().next(),
    ]);
    await clock.advance(1000);
    controller.abort("enough");
    expect(await aborted).toEqual(["enough", "enough"]);
    expect(await clock.runUntilSettled(others)).toMatchObject([
      { statusCode: 200 },
      { id: "b1" },
      { value: { status: "Succeeded" } },
    ]);
    expect(requestLog.map(([time]) => time)).toEqual([0, 400_000]);
  });

  test.each<[string, (poller: StartedPoller, controller: AbortController) => unknown, unknown]>([
    [
      "disposed of",
      (poller) => poller[Symbol.asyncDispose](),
      { name: "OperationStartError", statusCode: 429 },
    ],
    ["aborted by the signal of its options", (_, controller) => controller.abort("enough"), "enough"],
  ])("is not repeated after its poller was %s", async (_, stop, reason) => {
    const { clock, httpClient, requestLog } = simulate(tooMany, { status: 200 });
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock };
    const controller = new AbortController();
    const { signal: abortSignal } = controller;
    const poller = startOperation({ method: "PUT", url }, { ...options, ...sender, abortSignal });
    await clock.advance(1000);
    const started = settled(poller.started);
    await stop(poller, controller);
    expect(await started).toEqual(typeof reason === "string" ? reason : expect.objectContaining(reason));
    expect(clock.pendingTimers).toBe(0);
    expect(requestLog).toHaveLength(1);
  });

  test("with repeatability has the same two headers each time, and the polls have neither", async () => {
    const { clock, httpClient, requests } = simulate(
      down,
      new Error("socket hang up"),
      { status: 202, headers: { "operation-location": "/operations/7" } },
      { status: 200, body: { status: "Succeeded" } },
    );
    await clock.advance(1000);
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock, repeatability: true };
    await clock.runUntilSettled(
      startOperation({ method: "POST", url }, { ...options, ...sender }).pollUntilDone(),
    );
    const sent = requests.map(({ headers }) => [
      headers.get("repeatability-request-id"),
      headers.get("repeatability-first-sent"),
    ]);
    const first = [expect.stringMatching(uuid), "Wed, 01 Jan 2025 00:00:01 GMT"];
    expect(sent).toEqual([first, first, first, [undefined, undefined]]);
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[2]).toEqual(sent[0]);
  });

  test("with repeatability and an id of its own keeps the id", async () => {
    const { clock, httpClient, requests } = simulate({ status: 200, body: {} });
    const sender = { pipeline: createEmptyPipeline(), httpClient, clock, repeatability: true };
    const request = { method: "POST", url, headers: { "Repeatability-Request-ID": "mine" } } as const;
    await clock.runUntilSettled(startOperation(request, { ...options, ...sender }).pollUntilDone());
    expect(requests[0]?.headers.toJSON()).toMatchObject({
      "repeatability-request-id": "mine",
      "repeatability-first-sent": "Wed, 01 Jan 2025 00:00:00 GMT",
    });
  });

  test("whose token could not be had was not sent, and is repeated whatever its method", async () => {
    const { clock, httpClient, requestLog } = simulate({ status: 200, body: { id: "b1" } });
    const credential = new CountingCredential();
    credential.failWith = Object.assign(new Error("down"), { code: "ECONNRESET" });
    const client = new OperationStatusesClient("https://dev.devcenter.azure.com", credential, { httpClient });
    const poller = client.startOperation({ method: "POST", url }, { ...options, clock });
    await clock.advance(500);
    expect(credential.calls).toHaveLength(1);
    credential.failWith = undefined;
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toEqual({ id: "b1" });
    expect(requestLog).toHaveLength(1);
  });

  test("of an operation of the user's own limits poll() in the rate limiter, too", async () => {
    const clock = createVirtualClock();
    const limiter = new RequestLimiter(clock);
    limiter.acquire(() => {});
    limiter.release({ isThrottled: true, retryAfterInMs: 20_000 });
    const started = sleep(clock, 15_000);
    const scripted = scriptedOperation([{ status: "Running" }]);
    const operation: Operation = {
      id: "own",
      toJSON: () => ({}),
      getStatus: (given) => sleep(clock, 20_000).then(() => scripted.getStatus(given)),
      initialRequest: started,
      limiterFor: () => limiter,
    };
    const wait = rejection(createPoller(operation, { clock }).poll());
    expect(await clock.runUntilSettled(wait)).toMatchObject({ code: "RequestTimeout" });
    expect(clock.now()).toBe(30_000);
  });

  test("whose token from the caller's own pipeline is rejected is not sent again with the same", async () => {
    const { clock, httpClient, requestLog } = simulate({ status: 401, headers: {}, body: "" }, down);
    const request = { method: "POST", url, headers: { authorization: "Bearer own" } } as const;
    const poller = startOperation(request, {
      ...options,
      pipeline: createEmptyPipeline(),
      httpClient,
      clock,
    });
    await clock.runUntilSettled(settled(poller.pollUntilDone()));
    expect(requestLog).toHaveLength(1);
  });
});
