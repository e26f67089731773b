import { createHttpPoller } from "@azure/core-lro";
import type {
  CreateHttpPollerOptions,
  OperationResponse,
  OperationState as CoreLroState,
  PollerLike,
  RunningOperation,
} from "@azure/core-lro";
import { RestError, createDefaultHttpClient, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { HttpMethods } from "@azure/core-rest-pipeline";
import { describe, expect, expectTypeOf, test } from "vitest";
import { createPoller, fromPollerLike, pollUntilDone, toPollerLike } from "lro-poller";
import type { FailedPoll, LegacyAzurePoller, LegacyAzureState, Poller, StartedPoller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { rejection } from "../support/rejections.ts";
import type { RouteServer } from "../support/route-server.ts";
import { start, clientOf, fast, on, pipelineWithoutRetries, requestOf, serve } from "./lro/support.ts";

const at = "/operations/7";
const statusRequest = `GET ${at}`;
const monitor = { headers: { "operation-location": `{origin}${at}` } };
const running = { body: { status: "Running" } };
const succeeded = { body: { status: "Succeeded" } };
const box = { body: { id: "b1", provisioningState: "Succeeded" } };
const busy = { body: { error: { code: "Busy", message: "Come back." } } };

/** A resource, or the response that a REST-level client makes of it. */
interface Box {
  readonly id?: string;
  readonly status?: unknown;
  readonly body?: unknown;
}

/** The operation that Azure's generated clients pass to core-lro: with a RestError for a failure, or without. */
function lroOf(server: RouteServer, initialRequest: string, throwsOnFailure = true): RunningOperation<Box> {
  const pipeline = pipelineWithoutRetries();
  const httpClient = createDefaultHttpClient();
  const send = async (
    method: HttpMethods,
    url: string,
    abortSignal?: AbortSignal,
  ): Promise<OperationResponse<Box>> => {
    const request = createPipelineRequest({
      method,
      url: new URL(url, server.origin).href,
      allowInsecureConnection: true,
      ...(abortSignal && { abortSignal }),
    });
    const response = await pipeline.sendRequest(httpClient, request);
    const { status: statusCode, bodyAsText } = response;
    if (throwsOnFailure && statusCode >= 300)
      throw new RestError(`HTTP ${statusCode}`, { statusCode, request, response });
    const body: Box = bodyAsText ? JSON.parse(bodyAsText) : {};
    const flatResponse = throwsOnFailure ? body : { status: String(statusCode), body };
    const rawResponse = { statusCode, headers: response.headers.toJSON(), body, request: { method, url } };
    return { flatResponse, rawResponse };
  };
  const { method, url } = requestOf(server, initialRequest);
  return {
    sendInitialRequest: () => send(method, url),
    sendPollRequest: (path, options) => send("GET", path, signalOf(options?.abortSignal)),
  };
}

function signalOf(signal: unknown): AbortSignal | undefined {
  return signal instanceof AbortSignal ? signal : undefined;
}

/** A real poller of core-lro, as the methods of Azure's clients return it. */
function azurePoller(
  server: RouteServer,
  initialRequest = "PUT /boxes/b1",
  options: CreateHttpPollerOptions<Box, CoreLroState<Box>> = {},
): PollerLike<CoreLroState<Box>, Box> {
  return createHttpPoller(lroOf(server, initialRequest), options);
}

describe("fromPollerLike", () => {
  test("drives a poller of core-lro to its result", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const seen: string[] = [];
    const options = fast<Box>({ onProgress: ({ status }) => seen.push(status) });
    expect(await pollUntilDone(fromPollerLike(azurePoller(server)), options)).toEqual(box.body);
    expect(seen).toEqual(["Running", "Succeeded"]);
    server.assertFinished();
  });

  test("drives one whose operation is terminal at once", async () => {
    const server = await serve([on("PUT /boxes/b1", 200, box)]);
    expect(await pollUntilDone(fromPollerLike(azurePoller(server)), fast())).toEqual(box.body);
    server.assertFinished();
  });

  test("rejects with the error of the operation, as far as core-lro has it", async () => {
    const error = { code: "NoQuota", message: "8 needed." };
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { body: { status: "Failed", error } }),
    ]);
    const poller = createPoller(fromPollerLike(azurePoller(server)), fast());
    const failure = await rejection(poller.pollUntilDone());
    expect(failure).toMatchObject({
      name: "OperationFailedError",
      message: expect.stringContaining("NoQuota. 8 needed."),
    });
    expect(await rejection(poller.pollUntilDone())).toBe(failure);
    server.assertFinished();
  });

  test("rejects if the operation was canceled", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { body: { status: "Canceled" } }),
    ]);
    const failure = await rejection(pollUntilDone(fromPollerLike(azurePoller(server)), fast()));
    expect(failure).toMatchObject({ name: "OperationCanceledError", code: "Canceled" });
    server.assertFinished();
  });

  test.each([408, 429, 500, 503])(
    "removes the mark of a %i from core-lro's state, and continues",
    async (status) => {
      const server = await serve([
        on("PUT /boxes/b1", 201, monitor),
        on(statusRequest, status, busy),
        on(statusRequest, 200, running),
        on(statusRequest, status, busy),
        on(statusRequest, 200, succeeded),
        on("GET /boxes/b1", status, busy),
        on(statusRequest, 200, succeeded),
        on("GET /boxes/b1", 200, box),
      ]);
      const failed: FailedPoll[] = [];
      const options = fast<Box>({ onFailedPoll: (failedPoll) => failed.push(failedPoll) });
      expect(await pollUntilDone(fromPollerLike(azurePoller(server)), options)).toEqual(box.body);
      expect(failed.map(({ error }) => [error.statusCode, error.code])).toEqual([
        [status, "Busy"],
        [status, "Busy"],
        [status, "Busy"],
      ]);
      server.assertFinished();
    },
  );

  test("stops polling after a 403, although the operation may continue", async () => {
    const server = await serve([on("PUT /boxes/b1", 201, monitor), on(statusRequest, 403, busy)]);
    const poller = createPoller(fromPollerLike(azurePoller(server)), fast());
    const failure = await rejection(poller.pollUntilDone());
    expect(failure).toMatchObject({ name: "PollingError", statusCode: 403, code: "Busy" });
    server.add(on(statusRequest, 200, succeeded), on("GET /boxes/b1", 200, box));
    expect(await poller.pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("can be aborted and continued, unlike core-lro's own wait", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const { arrived, release } = server.hold("GET", at);
    const controller = new AbortController();
    const poller = createPoller(fromPollerLike(azurePoller(server)), fast());
    const wait = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    await arrived;
    controller.abort("enough");
    expect(await wait).toBe("enough");
    release();
    expect(await poller.pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("rejects if the operation did not start, without an unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): unknown => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    try {
      const server = await serve([on("PUT /boxes/b1", 409, busy)]);
      const { arrived, release } = server.hold("PUT", "/boxes/b1");
      const operation = fromPollerLike(azurePoller(server));
      await arrived;
      release();
      // The same server responds to this only after that response has come.
      server.add(on("GET /later", 200));
      await fetch(`${server.origin}/later`);
      const failure = await rejection(pollUntilDone(operation, fast()));
      expect(failure).toMatchObject({ name: "OperationStartError", statusCode: 409, code: "Busy" });
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", listener);
    }
  });

  describe("of an Azure REST-level client, which throws on nothing", () => {
    const rest = (server: RouteServer): PollerLike<CoreLroState<Box>, Box> =>
      createHttpPoller(lroOf(server, "PUT /boxes/b1", false), { resolveOnUnsuccessful: true });

    test.each([408, 429, 500, 503, 404])("does not take a %i for the result", async (status) => {
      const server = await serve([
        on("PUT /boxes/b1", 201, monitor),
        on(statusRequest, 200, running),
        on(statusRequest, status, busy),
        on(statusRequest, 200, running),
        on(statusRequest, 200, succeeded),
        on("GET /boxes/b1", 200, box),
      ]);
      const results: unknown[] = [];
      const options = fast<Box>({ onProgress: ({ operation }) => results.push(operation.properties) });
      const result = await pollUntilDone(fromPollerLike(rest(server)), options);
      expect(result).toEqual({ status: "200", body: box.body });
      expect(results).toEqual([undefined, undefined, result]);
      server.assertFinished();
    });

    test("still rejects if the operation failed", async () => {
      const error = { code: "NoQuota", message: "8 needed." };
      const server = await serve([
        on("PUT /boxes/b1", 201, monitor),
        on(statusRequest, 200, { body: { status: "Failed", error } }),
      ]);
      const failure = await rejection(pollUntilDone(fromPollerLike(rest(server)), fast()));
      expect(failure).toMatchObject({
        name: "OperationFailedError",
        message: expect.stringContaining("NoQuota. 8 needed."),
      });
    });
  });

  describe("of core-lro 2", () => {
    /** Advances by one step with each poll. */
    function legacy(...steps: (LegacyAzureState<unknown> | Error)[]): LegacyAzurePoller<unknown> {
      const state: LegacyAzureState<unknown> & { isStarted: boolean } = { isStarted: true };
      return {
        getOperationState: () => state,
        async poll() {
          const step = steps.shift();
          if (step === undefined) throw new Error("polled too often");
          if (step instanceof Error) {
            state.error = step;
            throw step;
          }
          Object.assign(state, step);
        },
      };
    }

    test("resolves with its result", async () => {
      const poller = legacy({}, {}, { isCompleted: true, result: 7 });
      expect(await pollUntilDone(fromPollerLike(poller), fast())).toBe(7);
    });

    test("rejects if it failed or was canceled", async () => {
      const error = new Error("8 needed.");
      expect(
        await rejection(pollUntilDone(fromPollerLike(legacy({ error, isCompleted: true })), fast())),
      ).toMatchObject({ name: "OperationFailedError", message: expect.stringContaining("8 needed.") });
      expect(
        await rejection(
          pollUntilDone(fromPollerLike(legacy({ isCancelled: true, isCompleted: true })), fast()),
        ),
      ).toMatchObject({ name: "OperationCanceledError" });
    });

    test("continues after a failed poll", async () => {
      const fault = new RestError("HTTP 503", { statusCode: 503 });
      const poller = legacy({}, fault, {}, fault, { isCompleted: true, result: 7 });
      expect(await pollUntilDone(fromPollerLike(poller), fast())).toBe(7);
    });

    test("does not take the response of a failed poll for the result", async () => {
      const poller = legacy(
        { isCompleted: true, result: { status: "503" } },
        {},
        { isCompleted: true, result: { status: "200" } },
      );
      const seen: string[] = [];
      const options = fast({ onProgress: ({ status }) => seen.push(status) });
      expect(await pollUntilDone(fromPollerLike(poller), options)).toEqual({ status: "200" });
      expect(seen).toEqual(["Running", "Succeeded"]);
    });
  });

  test("writes a token that leads to the same result", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(`${statusRequest}?api-version=2025-02-01`, 200, succeeded),
      on("GET /boxes/b1?api-version=2025-02-01", 200, box),
    ]);
    const poller = createPoller(fromPollerLike(azurePoller(server)), fast());
    await poller.poll();
    expect(await clientOf(server).resume(JSON.stringify(poller), fast()).pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });
});

describe("toPollerLike", () => {
  async function boxInTheMaking(): Promise<{ server: RouteServer; poller: StartedPoller<Box> }> {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    return { server, poller: start<Box>(server, "PUT /boxes/b1") };
  }

  test("fits where core-lro's own type is expected", () => {
    const make = (poller: Poller<Box>): PollerLike<CoreLroState<Box>, Box> => toPollerLike(poller);
    expectTypeOf(make).returns.resolves.toEqualTypeOf<Box>();
    expectTypeOf<ReturnType<typeof toPollerLike<Box>>>().toExtend<PollerLike<CoreLroState<Box>, Box>>();
    expectTypeOf<Poller<Box>>().not.toExtend<PromiseLike<unknown>>();
  });

  test("can be awaited, again and again, for one run and the same result", async () => {
    const { server, poller } = await boxInTheMaking();
    const azure = toPollerLike(poller);
    const first = await azure;
    expect(first).toEqual(box.body);
    expect(await azure).toBe(first);
    expect(await azure.pollUntilDone()).toBe(first);
    expect(await azure.then(({ id }) => id)).toBe("b1");
    expect(azure).toMatchObject({ isDone: true, result: first, operationState: { status: "succeeded" } });
    server.assertFinished();
  });

  test("has core-lro's states, and calls none succeeded before its result is there", async () => {
    const { server, poller } = await boxInTheMaking();
    const azure = toPollerLike(poller);
    expect(azure).toMatchObject({ isDone: false, result: undefined, operationState: undefined });
    const states: (CoreLroState<Box> & { isDone: boolean })[] = [];
    azure.onProgress((state) => states.push({ ...state, isDone: azure.isDone }));
    await azure;
    expect(states).toEqual([
      { status: "notStarted", isDone: false },
      { status: "running", isDone: false },
      { status: "running", isDone: false },
      { status: "succeeded", result: box.body, isDone: true },
    ]);
    server.assertFinished();
  });

  test("can be driven by a loop over isDone, and does not call an unsubscribed listener", async () => {
    const { server, poller } = await boxInTheMaking();
    const azure = toPollerLike(poller);
    const statuses: string[] = [];
    const unsubscribe = azure.onProgress(({ status }) => statuses.push(status));
    await azure.poll();
    unsubscribe();
    while (!azure.isDone) await azure.poll();
    expect(azure.result).toEqual(box.body);
    expect((await azure.poll()).status).toBe("succeeded");
    expect(statuses).toEqual(["notStarted"]);
    server.assertFinished();
  });

  test.each([
    ["Failed", "failed", "OperationFailedError"],
    ["Canceled", "canceled", "OperationCanceledError"],
  ])("rejects when the operation has %s, in every way", async (word, status, name) => {
    const error = { code: "NoQuota", message: "8 needed." };
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { body: { status: word, error, results: [1, 2] } }),
    ]);
    const azure = toPollerLike(start(server, "PUT /boxes/b1"));
    await azure.poll();
    const expected = { name, code: "NoQuota", operation: { results: [1, 2] } };
    expect(await rejection(azure.poll())).toMatchObject(expected);
    expect(await rejection(azure.poll())).toMatchObject(expected);
    expect(await rejection(azure)).toMatchObject(expected);
    expect(await azure.catch((reason: unknown) => reason)).toMatchObject(expected);
    const settled: string[] = [];
    expect(await rejection(azure.finally(() => settled.push("finally")))).toMatchObject(expected);
    expect(settled).toEqual(["finally"]);
    expect(azure).toMatchObject({ isDone: true, operationState: { status, error: { code: "NoQuota" } } });
    server.assertFinished();
  });

  test("is submitted once the initial response is there, before any poll", async () => {
    const { server, poller } = await boxInTheMaking();
    const azure = toPollerLike(poller);
    await azure.submitted();
    expect(server.requestLines).toEqual(["PUT /boxes/b1"]);
    expect(azure.isDone).toBe(false);
    const rejected = await serve([on("PUT /boxes/b1", 409, busy)]);
    expect(await rejection(toPollerLike(start(rejected, "PUT /boxes/b1")).submitted())).toMatchObject({
      name: "OperationStartError",
      statusCode: 409,
    });
  });

  test.each([0, 1, 2, 3, 4])("writes a token after %i polls that client.resume takes", async (polls) => {
    const version = "?api-version=2025-02-01";
    const server = await serve([
      on(`PUT /boxes/b1${version}`, 201, monitor),
      on(`${statusRequest}${version}`, 200, running),
      on(`${statusRequest}${version}`, 200, succeeded),
      on(`GET /boxes/b1${version}`, 200, box),
    ]);
    const client = clientOf(server);
    const azure = toPollerLike(client.startOperation<Box>(requestOf(server, "PUT /boxes/b1"), fast()));
    for (let poll = 0; poll < polls; poll++) await azure.poll();
    const token = await azure.serialize();
    server.add(on(`${statusRequest}${version}`, 200, succeeded), on(`GET /boxes/b1${version}`, 200, box));
    expect(await client.resume<Box>(token, fast()).pollUntilDone()).toEqual(box.body);
  });

  describe("takes Azure's own signals", () => {
    /** As `@azure/abort-controller` 1 has it: no reason, and no relation to the platform's. */
    function azureSignal(aborted = false): {
      signal: { aborted: boolean; addEventListener: AddListener; removeEventListener: AddListener };
      abort: () => void;
      listeners: Set<Listener>;
    } {
      const listeners = new Set<Listener>();
      const signal = {
        aborted,
        addEventListener: (_: "abort", listener: Listener) => void listeners.add(listener),
        removeEventListener: (_: "abort", listener: Listener) => void listeners.delete(listener),
      };
      const abort = (): void => {
        signal.aborted = true;
        for (const listener of listeners) listener.call(signal, { type: "abort" });
      };
      return { signal, abort, listeners };
    }
    type Listener = (this: object, event: object) => void;
    type AddListener = (type: "abort", listener: Listener) => void;

    test.each(["poll", "pollUntilDone"] as const)(
      "that have fired already: %s sends nothing",
      async (method) => {
        const { server, poller } = await boxInTheMaking();
        const azure = toPollerLike(poller);
        await azure.poll();
        const { signal, listeners } = azureSignal(true);
        expect(await rejection(azure[method]({ abortSignal: signal }))).toMatchObject({ name: "AbortError" });
        expect(server.requestLines).toEqual(["PUT /boxes/b1"]);
        expect(listeners.size).toBe(0);
        expect(azure.isDone).toBe(false);
        expect(await azure).toEqual(box.body);
      },
    );

    test("that fire in the middle, and forgets them", async () => {
      const { server, poller } = await boxInTheMaking();
      const { arrived, release } = server.hold("GET", at);
      const { signal, abort, listeners } = azureSignal();
      const azure = toPollerLike(poller);
      const wait = rejection(azure.pollUntilDone({ abortSignal: signal }));
      await arrived;
      expect(listeners.size).toBe(1);
      abort();
      expect(await wait).toMatchObject({ name: "AbortError" });
      expect(listeners.size).toBe(0);
      release();
      expect(await azure).toEqual(box.body);
    });

    test("and the platform's, whose reason is kept", async () => {
      const { poller } = await boxInTheMaking();
      const wait = toPollerLike(poller).pollUntilDone({ abortSignal: AbortSignal.abort("enough") });
      expect(await rejection(wait)).toBe("enough");
    });
  });

  test("creates core-lro's promise only when a caller awaits it, so none is left unhandled", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation([{ status: "Failed", error: { code: "NoQuota", message: "8." } }]);
    const azure = toPollerLike(createPoller(operation, { clock }));
    expect(azure.operationState).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
    expect(await clock.runUntilSettled(rejection(azure))).toMatchObject({ code: "NoQuota" });
  });
});

describe("a string of core-lro's serialize()", () => {
  const version = "?api-version=2025-02-01";
  const ends = [
    on(`${statusRequest}${version}`, 200, running),
    on(`${statusRequest}${version}`, 200, succeeded),
  ];
  const asResource = on(`GET /boxes/b1${version}`, 200, box);

  test.each([
    ["Operation-Location", "PUT", on("PUT /boxes/b1", 201, monitor), [...ends, asResource], box.body],
    ["Operation-Location", "DELETE", on("DELETE /boxes/b1", 202, monitor), ends, succeeded.body],
    [
      "Azure-AsyncOperation and Location",
      "POST",
      on("POST /boxes/b1", 202, { headers: { "azure-asyncoperation": at, location: "/boxes/b1" } }),
      [...ends, asResource],
      box.body,
    ],
    [
      "Location",
      "POST",
      on("POST /boxes/b1", 202, { headers: { location: at } }),
      [on(`${statusRequest}${version}`, 202), on(`${statusRequest}${version}`, 200, box)],
      box.body,
    ],
    [
      "the body",
      "PUT",
      on("PUT /boxes/b1", 201, { body: { provisioningState: "Creating" } }),
      [on(`GET /boxes/b1${version}`, 200, { body: { provisioningState: "Creating" } }), asResource],
      box.body,
    ],
    ["the body, over at once", "PUT", on("PUT /boxes/b1", 200, box), [asResource], box.body],
  ])(
    "of an operation polled by %s, started by %s, continues here",
    async (_, method, first, rest, result) => {
      const server = await serve([first]);
      const token = await azurePoller(server, `${method} /boxes/b1`).serialize();
      server.add(...rest);
      const resumed = clientOf(server).resume(token, fast());
      expect(resumed).toMatchObject({ status: undefined, isDone: false });
      expect(await resumed.pollUntilDone()).toEqual(result);
      server.assertFinished();
    },
  );

  test("written midway continues from there, parsed or not", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { ...running, headers: { "operation-location": "/operations/7b" } }),
      on(`GET /operations/7b${version}`, 200, succeeded),
      asResource,
      on(`GET /operations/7b${version}`, 200, succeeded),
      asResource,
    ]);
    const azure = azurePoller(server);
    await azure.poll();
    const token = await azure.serialize();
    expect(await clientOf(server).resume(token, fast()).pollUntilDone()).toEqual(box.body);
    expect(await clientOf(server).resume(JSON.parse(token), fast()).pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("of an operation that core-lro marked as failed after one failed poll continues here", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 503, busy),
      ...ends,
      asResource,
    ]);
    const azure = azurePoller(server);
    expect(await rejection(azure.poll())).toMatchObject({ name: "RestError" });
    const token = await azure.serialize();
    expect(JSON.parse(token)).toMatchObject({ state: { status: "failed" } });
    expect(await clientOf(server).resume(token, fast()).pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("of DevCenter, whose Location is the status monitor itself, needs no second request", async () => {
    const headers = { "operation-location": at, location: `{origin}${at}?monitor=true` };
    const server = await serve([
      on("POST /boxes/b1:start", 202, { headers }),
      on(`${statusRequest}${version}`, 200, { body: { status: "Succeeded", properties: { started: true } } }),
    ]);
    const token = await azurePoller(server, "POST /boxes/b1:start").serialize();
    expect(await clientOf(server).resume(token, fast()).pollUntilDone()).toEqual({ started: true });
    server.assertFinished();
  });

  const config = { metadata: { mode: "OperationLocation" }, operationLocation: at };
  test.each<[string, unknown]>([
    ["no JSON", "{"],
    ["empty", "{}"],
    ["without a state", { state: null }],
    ["a state of nothing", { state: {} }],
    ["without a configuration", { state: { status: "running" } }],
    ["without a URL to poll", { state: { status: "running", config: { metadata: config.metadata } } }],
    ["with a place that is none", { state: { config: { ...config, operationLocation: "https://[" } } }],
    ["with a place that is no string", { state: { config: { ...config, operationLocation: 7 } } }],
    ["without a mode", { state: { config: { operationLocation: at } } }],
    ["of an unknown mode", { state: { config: { ...config, metadata: { mode: "Telepathy" } } } }],
    [
      "of a mode that objects inherit",
      { state: { config: { ...config, metadata: { mode: "constructor" } } } },
    ],
    ["with a result elsewhere that is none", { state: { config: { ...config, resourceLocation: 7 } } }],
    ["an array", []],
  ])("that is %s is rejected, and nothing is sent", async (_, value) => {
    const server = await serve();
    const token = typeof value === "string" ? value : JSON.stringify(value);
    expect(() => clientOf(server).resume(token, fast())).toThrow(/^token|^endpoint/);
    expect(server.requests).toEqual([]);
  });

  test("of an operation that ended without a URL to poll is rejected", async () => {
    const server = await serve([on("DELETE /boxes/b1", 204)]);
    const token = await azurePoller(server, "DELETE /boxes/b1").serialize();
    expect(() => clientOf(server).resume(token, fast())).toThrow(/^token\.state\.config/);
  });
});
