import type { OperationState as CoreLroState, PollerLike } from "@azure/core-lro";
import {
  RestError,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { createPoller, fromPollerLike, pollAll, pollUntilDone } from "lro-poller";
import type { FailedPoll, LegacyAzurePoller, LegacyAzureState, Operation, Progress } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { timeoutWhen } from "../../support/clock.ts";
import { rejection } from "../../support/rejections.ts";
import type { RouteServer } from "../../support/route-server.ts";
import { clientOf, fast, on, pipelineWithoutRetries, serve } from "../lro/support.ts";
import {
  azurePoller,
  box,
  busy,
  monitor,
  running,
  statusRequest,
  succeeded,
  threeTimes,
  at,
} from "./support.ts";
import type { Box } from "./support.ts";

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
      ...threeTimes(on(statusRequest, 200, { body: { status: "Failed", error } })),
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
      ...threeTimes(on(statusRequest, 200, { body: { status: "Canceled" } })),
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
      azurePoller(server, "PUT /boxes/b1", { throwsOnFailure: false, resolveOnUnsuccessful: true });

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
      expect(result).toMatchObject({ status: "200", body: box.body });
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
      expect(failure).toMatchObject({ name: "OperationFailedError", code: "NoQuota" });
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
      const failed = { error: new Error("8 needed."), isCompleted: true };
      const canceled = { isCancelled: true, isCompleted: true };
      expect(
        await rejection(pollUntilDone(fromPollerLike(legacy(failed, failed, failed)), fast())),
      ).toMatchObject({ name: "OperationFailedError", message: expect.stringContaining("8 needed.") });
      expect(
        await rejection(pollUntilDone(fromPollerLike(legacy(canceled, canceled, canceled)), fast())),
      ).toMatchObject({ name: "OperationCanceledError" });
    });

    test("has the percentage of a state that has one", async () => {
      const poller = legacy({}, {}, { isCompleted: true, result: 7 });
      Object.assign(poller.getOperationState(), { percentCompleted: 40 });
      const seen: unknown[] = [];
      const onProgress = ({ percentComplete }: Progress): unknown => seen.push(percentComplete);
      await pollUntilDone(fromPollerLike(poller), fast({ onProgress }));
      expect(seen).toEqual([40, 40, 40]);
    });

    test("continues after a failed poll", async () => {
      const fault = new RestError("HTTP 503", { statusCode: 503 });
      const poller = legacy({}, fault, {}, fault, { isCompleted: true, result: 7 });
      expect(await pollUntilDone(fromPollerLike(poller), fast())).toBe(7);
    });

    test("does not take the response of a failed poll for the result", async () => {
      const poller = legacy(
        { isCompleted: true, result: { status: "503", body: {} } },
        {},
        { isCompleted: true, result: { status: "200", body: {} } },
      );
      const seen: string[] = [];
      const options = fast({ onProgress: ({ status }) => seen.push(status) });
      expect(await pollUntilDone(fromPollerLike(poller), options)).toEqual({ status: "200", body: {} });
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

  test("polls three operations of pollers that have only started, and keeps their results apart", async () => {
    const boxes = ["b1", "b2", "b3"];
    const server = await serve(
      boxes.flatMap((id) => [
        on(`PUT /boxes/${id}`, 201, { headers: { "operation-location": `{origin}/operations/${id}` } }),
        on(`GET /operations/${id}`, 200, succeeded),
        on(`GET /boxes/${id}`, 200, { body: { id } }),
      ]),
    );
    const operations = boxes.map((id) => fromPollerLike(azurePoller(server, `PUT /boxes/${id}`)));
    const results = await pollAll(operations, { clock: fast().clock, requestTimeoutInMs: Infinity });
    expect(results).toEqual(boxes.map((id) => ({ status: "fulfilled", value: { id } })));
    server.assertFinished();
  });

  test("keeps two pollers of one operation apart: each has a credential of its own", async () => {
    const legacyPoller = (result: string): LegacyAzurePoller<string> => ({
      getOperationState: () => ({ isCompleted: true, result }),
      poll: () => Promise.resolve(),
    });
    const operations = ["a", "b"].map((result) => fromPollerLike(legacyPoller(result)));
    expect(await pollAll(operations, { clock: fast().clock, requestTimeoutInMs: Infinity })).toMatchObject([
      { value: "a" },
      { value: "b" },
    ]);
  });

  test.each([
    ["nothing", undefined],
    ["a promise of a poller", Promise.resolve({})],
    ["a poller of this library's type", "poller"],
  ])("refuses %s by name", (_, poller) => {
    // @ts-expect-error: what JavaScript callers may pass
    expect(() => fromPollerLike(poller)).toThrow(/^poller: expected the poller of an Azure SDK: .*got /);
  });

  test("refuses a pipeline that is none by name", () => {
    const poller = { getOperationState: () => ({}), poll: () => Promise.resolve() };
    // @ts-expect-error: what JavaScript callers may pass
    expect(() => fromPollerLike(poller, { pipeline: {} })).toThrow(
      "pipeline: expected a pipeline, such as client.pipeline",
    );
  });
});

describe("a poll that says nothing of the operation", () => {
  test("an abort that an SDK takes for the operation's failure", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const inner = azurePoller(server);
    const state: LegacyAzureState<Box> = {};
    const abortError = Object.assign(new Error("The operation was aborted."), { name: "AbortError" });
    const ends: LegacyAzureState<Box>[] = [{ error: abortError, isCompleted: true }];
    // As the poller of @azure/storage-blob does it.
    const poller: LegacyAzurePoller<Box> = {
      getOperationState: () => state,
      async poll() {
        const { error, isCompleted } = ends.pop() ?? {};
        if (error) Object.assign(state, { error, isCompleted });
        else Object.assign(state, { isCompleted: true, result: await inner.pollUntilDone() });
        if (error) throw error;
      },
    };
    const failed: FailedPoll[] = [];
    const options = fast<Box>({ onFailedPoll: (failedPoll) => failed.push(failedPoll) });
    expect(await pollUntilDone(fromPollerLike(poller), options)).toEqual(box.body);
    expect(failed).toHaveLength(1);
    server.assertFinished();
  });

  test.each([429, 503])("a %i that a REST-level client takes for a failed operation", async (status) => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, status, busy),
      on(statusRequest, status, busy),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = azurePoller(server, "PUT /boxes/b1", { throwsOnFailure: false });
    const codes: string[] = [];
    const options = fast<Box>({ onFailedPoll: ({ error }) => codes.push(error.code) });
    expect(await pollUntilDone(fromPollerLike(poller), options)).toMatchObject({ body: box.body });
    expect(codes).toEqual(["UnconfirmedFailure", "UnconfirmedFailure"]);
    server.assertFinished();
  });

  test("a request of which an SDK keeps the status code alone: 403 ends the wait, with its code", async () => {
    const poller = failing(new RestError("Not yours.", { statusCode: 403, code: "Forbidden" }));
    const failure = await rejection(pollUntilDone(fromPollerLike(poller), fast()));
    expect(failure).toMatchObject({ name: "PollingError", statusCode: 403, code: "Forbidden", pollCount: 1 });
  });

  test("a request of which an SDK keeps the status code alone: 404 says that there is no operation", async () => {
    const poller = failing(new RestError("Gone.", { statusCode: 404 }));
    const options = fast({ notFoundGraceInMs: 0 });
    expect(await rejection(pollUntilDone(fromPollerLike(poller), options))).toMatchObject({
      name: "OperationNotFoundError",
    });
  });

  test("an initial request that a poller sends with its first poll is not sent again after a 400", async () => {
    const poller = { ...failing(new RestError("Bad.", { statusCode: 400 })), getOperationState: () => ({}) };
    const failure = await rejection(pollUntilDone(fromPollerLike(poller), fast()));
    expect(failure).toMatchObject({ name: "OperationStartError", statusCode: 400 });
  });

  test.each([
    [409, "PUT /boxes/b1"],
    [403, statusRequest],
  ])("the words of a %i whose body an SDK has dropped", async (status, request) => {
    const routes = [on("PUT /boxes/b1", 201, monitor), on(statusRequest, status, busy)];
    const server = await serve(request === statusRequest ? routes : [on(request, status, busy)]);
    const poller = azurePoller(server, "PUT /boxes/b1", { keepsBody: false });
    const failure = await rejection(pollUntilDone(fromPollerLike(poller), fast()));
    expect(failure).toMatchObject({
      statusCode: status,
      code: "Busy",
      message: expect.stringContaining("Come back."),
    });
    server.assertFinished();
  });
});

function failing(error: Error): LegacyAzurePoller<unknown> {
  const state: LegacyAzureState<unknown> & { isStarted: boolean } = { isStarted: true };
  return {
    getOperationState: () => state,
    poll() {
      throw error;
    },
  };
}

describe("a poller of core-lro 3 without a pipeline", () => {
  test("is polled again after a poll that took too long", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const { arrived, release } = server.hold("GET", at);
    const timedOut: string[] = [];
    const options = fast<Box>({
      ...timeoutWhen(arrived),
      onFailedPoll({ error }) {
        timedOut.push(error.code);
        release();
      },
    });
    expect(await pollUntilDone(fromPollerLike(azurePoller(server)), options)).toEqual(box.body);
    expect(timedOut).toEqual(["RequestTimeout"]);
  });

  test("that was aborted before cannot poll, and says so at once", async () => {
    const server = await serve([on("PUT /boxes/b1", 201, monitor)]);
    const poller = azurePoller(server);
    await rejection(poller.pollUntilDone({ abortSignal: AbortSignal.abort() }));
    const failure = await rejection(pollUntilDone(fromPollerLike(poller), fast()));
    expect(failure).toMatchObject({ name: "PollingError", code: "PollerAborted", pollCount: 3 });
  });
});

describe("with the pipeline of the client", () => {
  const pipeline = pipelineWithoutRetries();

  function operationOf(server: RouteServer, style: Parameters<typeof azurePoller>[2] = {}): Operation<Box> {
    return fromPollerLike(azurePoller(server, "PUT /boxes/b1", { pipeline, ...style }), { pipeline });
  }

  test("has the percentage, the request's id and the service's word", async () => {
    const headers = { "x-ms-request-id": "r1" };
    const body = { status: "Provisioning", percentComplete: 40 };
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { headers, body }),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const seen: unknown[] = [];
    const onProgress = ({ status, percentComplete }: Progress<Box>): unknown =>
      seen.push([status, percentComplete]);
    expect(await pollUntilDone(operationOf(server), fast<Box>({ onProgress }))).toEqual(box.body);
    expect(seen).toEqual([
      ["Provisioning", 40],
      ["Succeeded", 40],
    ]);
    server.assertFinished();
  });

  test("waits for a Retry-After", async () => {
    const headers = { "retry-after": "10" };
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { ...running, headers }),
      on(statusRequest, 503, { ...busy, headers }),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const delays: number[] = [];
    const options = fast<Box>({
      onProgress: ({ nextPollInMs = 0 }) => delays.push(nextPollInMs),
      onFailedPoll: ({ nextPollInMs = 0 }) => delays.push(nextPollInMs),
    });
    await pollUntilDone(operationOf(server), options);
    expect(delays.map((delayInMs) => Math.floor(delayInMs / 1000))).toEqual([
      expect.toBeOneOf([10, 11]),
      expect.toBeOneOf([10, 11]),
      0,
    ]);
  });

  test.each(["modular", "REST-level"])("rejects with the service's whole error (%s)", async (kind) => {
    const error = { code: "Conflict", message: "No.", innererror: { code: "NoQuota", extra: [1] } };
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { body: { status: "Failed", error } }),
    ]);
    const operation = operationOf(server, { throwsOnFailure: kind === "modular" });
    const failure = await rejection(pollUntilDone(operation, fast()));
    expect(failure).toMatchObject({ name: "OperationFailedError", error, rootCause: { code: "NoQuota" } });
    server.assertFinished();
  });

  test("takes an error at a polling location for the operation's failure", async () => {
    const location = { headers: { location: `{origin}${at}` } };
    const server = await serve([
      on("POST /boxes/b1:run", 202, location),
      on(statusRequest, 202, location),
      on(statusRequest, 409, busy),
    ]);
    const poller = azurePoller(server, "POST /boxes/b1:run", { pipeline, keepsBody: false });
    const failure = await rejection(pollUntilDone(fromPollerLike(poller, { pipeline }), fast()));
    expect(failure).toMatchObject({ name: "OperationFailedError", code: "Busy" });
    server.assertFinished();
  });

  test.each<[string, Parameters<typeof on>[1], Parameters<typeof on>[2]]>([
    ["a page of HTML", 200, { body: "<html>Sign in</html>", headers: { "content-type": "text/html" } }],
    ["an empty body", 200, {}],
    ["no status", 200, { body: { id: 7 } }],
    ["null", 200, { body: null }],
    ["half a document", 200, { body: '{"status":"Succ', headers: { "content-type": "application/json" } }],
    ["a 503", 503, busy],
    ["a 429", 429, busy],
    ["a 408", 408, busy],
    ["a 404", 404, busy],
  ])("does not take %s for an end", async (_, status, response) => {
    const fault = on(statusRequest, status, response);
    const modular = [
      fault,
      fault,
      fault,
      fault,
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ];
    for (const throwsOnFailure of [true, false]) {
      const server = await serve([on("PUT /boxes/b1", 201, monitor), ...modular]);
      const failed: FailedPoll[] = [];
      const options = fast<Box>({ onFailedPoll: (failedPoll) => failed.push(failedPoll) });
      const result = await pollUntilDone(operationOf(server, { throwsOnFailure }), options);
      expect(throwsOnFailure ? result : result.body).toEqual(box.body);
      expect(failed.map(({ error }) => error.statusCode)).toEqual([status, status, status, status]);
      server.assertFinished();
    }
  });

  test("does not take a page of HTML for the result", async () => {
    const page = { body: "<html>Sign in</html>", headers: { "content-type": "text/html" } };
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, page),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    expect(await pollUntilDone(operationOf(server), fast())).toEqual(box.body);
    server.assertFinished();
  });

  test("does not take a word such as FailoverInProgress for a failure, as core-lro does", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { body: { status: "FailoverInProgress" } }),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    expect(await pollUntilDone(operationOf(server), fast())).toEqual(box.body);
  });

  test.each([
    ["Rejected", "OperationFailedError", "Rejected"],
    ["Completed", "PollingError", "UnknownEnd"],
  ])("ends at the word %s, which core-lro would poll for ever", async (status, name) => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { body: { status } }),
    ]);
    expect(await rejection(pollUntilDone(operationOf(server), fast()))).toMatchObject({ name });
    server.assertFinished();
  });

  test("can be aborted during a poll, and continued", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const { arrived, release } = server.hold("GET", at);
    const controller = new AbortController();
    const poller = createPoller(operationOf(server), fast());
    const wait = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    await arrived;
    controller.abort("enough");
    expect(await wait).toBe("enough");
    release();
    expect(await poller.pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("lets other requests of the client pass, and leaves the pipeline as it was", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on("GET /other", 503, busy),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const before = pipeline.getOrderedPolicies().map(({ name }) => name);
    const { arrived, release } = server.hold("GET", at);
    const result = pollUntilDone(operationOf(server), fast());
    await arrived;
    const during = pipeline.getOrderedPolicies();
    expect(during).toHaveLength(before.length + 2);
    const request = createPipelineRequest({ url: `${server.origin}/other`, allowInsecureConnection: true });
    const other = await pipeline.sendRequest(createDefaultHttpClient(), request);
    expect(other.status).toBe(503);
    release();
    expect(await result).toEqual(box.body);
    expect(pipeline.getOrderedPolicies().map(({ name }) => name)).toEqual(before);
  });

  test("decides alone when a poll without a response is repeated", async () => {
    const sends: string[] = [];
    const retrying = createPipelineFromOptions({ retryOptions: { retryDelayInMs: 1 } });
    retrying.addPolicy({
      name: "resets",
      sendRequest(request, next) {
        sends.push(request.method);
        if (sends.length !== 2) return next(request);
        throw new RestError("socket hang up", { code: "ECONNRESET", request });
      },
    });
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const failed: string[] = [];
    const options = fast<Box>({ onFailedPoll: ({ error }) => failed.push(error.code) });
    const poller = azurePoller(server, "PUT /boxes/b1", { pipeline: retrying });
    const operation = fromPollerLike(poller, { pipeline: retrying });
    expect(await pollUntilDone(operation, options)).toEqual(box.body);
    expect(failed).toEqual(["ECONNRESET"]);
    server.assertFinished();
  });

  test.each<[string, object]>([
    ["properties.status", { properties: { status: "InProgress" } }],
    ["properties.provisioningState", { properties: { provisioningState: "Updating" } }],
  ])("believes a running state at %s, which core-lro takes for success", async (_, body) => {
    const server = await serve([
      on("PUT /boxes/b1", 201, { headers: { "azure-asyncoperation": `{origin}${at}` } }),
      on(statusRequest, 200, { body }),
      on("GET /boxes/b1", 200, box),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    expect(await pollUntilDone(operationOf(server), fast())).toEqual(box.body);
    server.assertFinished();
  });

  test.each<[string, number, Parameters<typeof on>[2]]>([
    ["an empty 200", 200, {}],
    ["a 204", 204, {}],
    ["a 404 of the monitor", 404, {}],
    ["a word that core-lro does not know", 200, { body: { status: "Completed" } }],
  ])("takes %s for the end of a DELETE", async (_, status, response) => {
    const server = await serve([
      on("DELETE /boxes/b1", 202, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, status, response),
    ]);
    const poller = azurePoller(server, "DELETE /boxes/b1", { pipeline });
    // An SDK that accepts the response makes an empty result of it.
    const result = await pollUntilDone(fromPollerLike(poller, { pipeline }), fast());
    expect(result ?? {}).toEqual({});
    server.assertFinished();
  });

  test("sees the monitor behind a redirect and behind a policy that rewrites its URL", async () => {
    const gateway = pipelineWithoutRetries();
    gateway.addPolicy({
      name: "gateway",
      sendRequest(request, next) {
        const { pathname } = new URL(request.url);
        if (pathname === at) request.url = request.url.replace(at, "/gateway");
        return next(request);
      },
    });
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on("GET /gateway", 307, { headers: { location: "/moved" } }),
      on("GET /moved", 200, { body: { hello: 1 } }),
      on("GET /gateway", 200, { body: { status: "FailoverInProgress" } }),
      on("GET /gateway", 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = azurePoller(server, "PUT /boxes/b1", { pipeline: gateway });
    const failed: string[] = [];
    const options = fast<Box>({ onFailedPoll: ({ error }) => failed.push(error.code) });
    const operation = fromPollerLike(poller, { pipeline: gateway });
    expect(await pollUntilDone(operation, options)).toEqual(box.body);
    expect(failed).toEqual(["ContractError"]);
    server.assertFinished();
  });

  test("leaves alone what a listener of the SDK's poller sends", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on("GET /other", 503, busy),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = azurePoller(server, "PUT /boxes/b1", { pipeline });
    const others: Promise<{ readonly status: number }>[] = [];
    const send = (): void => {
      const request = createPipelineRequest({ url: `${server.origin}/other`, allowInsecureConnection: true });
      if (others.length === 0) others.push(pipeline.sendRequest(createDefaultHttpClient(), request));
    };
    poller.onProgress(send);
    expect(await pollUntilDone(fromPollerLike(poller, { pipeline }), fast())).toEqual(box.body);
    expect(await Promise.all(others)).toMatchObject([{ status: 503 }]);
    server.assertFinished();
  });

  test("works with a clone that was made during a poll", async () => {
    const routes = [
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ];
    const server = await serve([...routes, ...routes]);
    const { arrived, release } = server.hold("GET", at);
    const first = pollUntilDone(operationOf(server), fast());
    await arrived;
    const clone = pipeline.clone();
    release();
    await first;
    const poller = azurePoller(server, "PUT /boxes/b1", { pipeline: clone });
    expect(await pollUntilDone(fromPollerLike(poller, { pipeline: clone }), fast())).toEqual(box.body);
    server.assertFinished();
  });

  test("retries a poll that a policy of the user's own has timed out", async () => {
    const impatient = pipelineWithoutRetries();
    let requests = 0;
    impatient.addPolicy({
      name: "timeout",
      sendRequest(request, next) {
        if (++requests !== 2) return next(request);
        throw Object.assign(new Error("The operation was aborted."), { name: "AbortError" });
      },
    });
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = azurePoller(server, "PUT /boxes/b1", { pipeline: impatient });
    const operation = fromPollerLike(poller, { pipeline: impatient });
    expect(await pollUntilDone(operation, fast())).toEqual(box.body);
    server.assertFinished();
  });

  test("ends a poll whose transport ignores the signal", async () => {
    const stuck = pipelineWithoutRetries();
    const hung = Promise.withResolvers<void>();
    let requests = 0;
    stuck.addPolicy(
      {
        name: "stuck",
        sendRequest(request, next) {
          if (++requests !== 2) return next(request);
          hung.resolve();
          return new Promise(() => {});
        },
      },
      { afterPhase: "Sign" },
    );
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = azurePoller(server, "PUT /boxes/b1", { pipeline: stuck });
    const failed: string[] = [];
    const options = fast<Box>({
      ...timeoutWhen(hung.promise),
      onFailedPoll: ({ error }) => failed.push(error.code),
    });
    const result = await pollUntilDone(fromPollerLike(poller, { pipeline: stuck }), options);
    expect(result).toEqual(box.body);
    expect(failed).toEqual(["RequestTimeout"]);
    const left = stuck.getOrderedPolicies().filter(({ name }) => name.startsWith("lroPoller"));
    expect(left).toEqual([]);
  });

  test("refuses the pipeline of another client", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = azurePoller(server, "PUT /boxes/b1", { pipeline });
    const operation = fromPollerLike(poller, { pipeline: pipelineWithoutRetries() });
    expect(await rejection(pollUntilDone(operation, fast()))).toMatchObject({
      name: "PollingError",
      code: "WrongPipeline",
    });
  });

  test("does not count the time of a slow initial request", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const { arrived, release } = server.hold("PUT", "/boxes/b1");
    const polls: unknown[] = [];
    const clock = createVirtualClock();
    const options = {
      clock,
      requestTimeoutInMs: 1000,
      outageToleranceInMs: 1000,
      onFailedPoll: (poll: unknown) => polls.push(poll),
    };
    const wait = pollUntilDone(operationOf(server), options);
    await arrived;
    await clock.advance(3_600_000);
    release();
    expect(await wait).toEqual(box.body);
    expect(polls).toEqual([]);
  });

  test("does not undo an end that a later poll has brought", async () => {
    let settleFirst = (): void => {};
    const state: LegacyAzureState<number> & { config: object } = { config: {} };
    let polls = 0;
    const poller: LegacyAzurePoller<number> = {
      getOperationState: () => state,
      poll() {
        if (++polls > 1) return Promise.resolve(Object.assign(state, { isCompleted: true, result: 7 }));
        const { promise, reject } = Promise.withResolvers<never>();
        settleFirst = () => reject(new RestError("late", { statusCode: 503 }));
        return promise;
      },
    };
    expect(await pollUntilDone(fromPollerLike(poller), fast({ requestTimeoutInMs: 1000 }))).toBe(7);
    settleFirst();
    await new Promise(setImmediate);
    expect(state).toMatchObject({ isCompleted: true, result: 7 });
  });

  test("keeps the responses of polls at the same time apart", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `b${index}`);
    const server = await serve(
      ids.flatMap((id, index) => [
        on(`PUT /boxes/${id}`, 201, { headers: { "operation-location": `{origin}/operations/${id}` } }),
        on(`GET /operations/${id}`, 200, { body: { status: "Running", percentComplete: index } }),
        on(`GET /operations/${id}`, 200, succeeded),
        on(`GET /boxes/${id}`, 200, { body: { id } }),
      ]),
    );
    const seen = await Promise.all(
      ids.map(async (id) => {
        const percentages: unknown[] = [];
        const onProgress = ({ percentComplete }: Progress<Box>): unknown => percentages.push(percentComplete);
        const poller = azurePoller(server, `PUT /boxes/${id}`, { pipeline });
        await pollUntilDone(fromPollerLike(poller, { pipeline }), fast<Box>({ onProgress }));
        return percentages[0];
      }),
    );
    expect(seen).toEqual(ids.map((_, index) => index));
  });

  test("ends the wait when a signal of the SDK's own has fired", async () => {
    const server = await serve([on("PUT /boxes/b1", 201, monitor), on(statusRequest, 200, running)]);
    const poller = azurePoller(server, "PUT /boxes/b1", { pipeline });
    await poller.poll();
    await rejection(poller.poll({ abortSignal: AbortSignal.abort() }));
    const failure = await rejection(pollUntilDone(fromPollerLike(poller, { pipeline }), fast()));
    expect(failure).toMatchObject({ name: "PollingError", code: "PollerAborted", pollCount: 1 });
  });
});

describe("the token of a wait", () => {
  test("is that of the SDK too: it restores the poller, and sends no initial request", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = createPoller(fromPollerLike(azurePoller(server)), fast());
    await poller.poll();
    const restored = azurePoller(server, "PUT /boxes/b1", { restoreFrom: JSON.stringify(poller) });
    expect(await pollUntilDone(fromPollerLike(restored), fast())).toEqual(box.body);
    server.assertFinished();
  });

  test("has no result, no error and no request of the SDK's state, where tokens are", () => {
    const request = { headers: { authorization: "Bearer secret" } };
    const result = { _response: { request }, properties: { secret: 7 } };
    const state = { isStarted: true, isCompleted: true, result, error: { request }, copyId: "c1", request };
    const poller: LegacyAzurePoller<unknown> = {
      getOperationState: () => ({ isCompleted: true }),
      poll: () => Promise.resolve(),
      toString: () => JSON.stringify({ state }),
    };
    const token = JSON.stringify(createPoller(fromPollerLike(poller), fast()));
    expect(JSON.parse(token)).toMatchObject({ state: { isStarted: true, isCompleted: false, copyId: "c1" } });
    expect(token).not.toMatch(/secret|authorization/i);
  });

  test("that was written before the initial response ends the wait for a poller that was restored from it", async () => {
    const server = await serve();
    const restoreFrom = JSON.stringify({ state: { status: "running", config: {} } });
    const restored = azurePoller(server, "PUT /boxes/b1", { restoreFrom });
    const failure = await rejection(pollUntilDone(fromPollerLike(restored), fast()));
    expect(failure).toMatchObject({ name: "PollingError", code: "NothingToPoll" });
  });

  test("written before the initial response says so", async () => {
    const server = await serve([on("PUT /boxes/b1", 201, monitor)]);
    const { release } = server.hold("PUT", "/boxes/b1");
    const poller = azurePoller(server);
    const token = JSON.stringify(createPoller(fromPollerLike(poller), fast()));
    expect(() => clientOf(server).resume(token)).toThrow(
      "token.operation: expected one that had started, got one whose initial request had no response",
    );
    release();
    await poller.submitted();
  });

  test("holds the state of a poller that only its SDK can restore, and client.resume says so", async () => {
    const state = { isStarted: true, isCompleted: false, certificateName: "c1" };
    const poller: LegacyAzurePoller<unknown> = {
      getOperationState: () => state,
      poll: () => Promise.resolve(),
      toString: () => JSON.stringify({ state }),
    };
    const token = JSON.stringify(createPoller(fromPollerLike(poller), fast()));
    expect(JSON.parse(token)).toMatchObject({ version: 1, state });
    const server = await serve();
    expect(() => clientOf(server).resume(token)).toThrow(
      "token: expected one with a URL to poll, got that of an SDK's poller: pass it to the SDK's restoreFrom or resumeFrom",
    );
  });
});
