import type { OperationState as CoreLroState, PollerLike } from "@azure/core-lro";
import { describe, expect, expectTypeOf, test } from "vitest";
import { RequestError, createPoller, toPollerLike } from "lro-poller";
import type { Poller, StartedPoller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { rejection } from "../../support/rejections.ts";
import type { RouteServer } from "../../support/route-server.ts";
import { start, clientOf, fast, on, requestOf, serve } from "../lro/support.ts";
import { at, box, busy, monitor, running, statusRequest, succeeded } from "./support.ts";
import type { Box } from "./support.ts";

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
    expect(azure.operationState).toEqual({ status: "running" });
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

  test("of a poller that is over has its state and result at once", async () => {
    const { poller } = await boxInTheMaking();
    await poller.pollUntilDone();
    expect(toPollerLike(poller)).toMatchObject({ isDone: true, result: box.body });
    const legacy = toPollerLike(poller, { shape: "core-lro-2" });
    expect(legacy.isDone()).toBe(true);
    expect(legacy.getResult()).toEqual(box.body);
    expect(legacy.getOperationState()).toMatchObject({ status: "succeeded", isCompleted: true });
  });

  test("refuses a shape that is none by name", async () => {
    const { poller } = await boxInTheMaking();
    // @ts-expect-error: what JavaScript callers may pass
    expect(() => toPollerLike(poller, { shape: "core-lro-4" })).toThrow(
      "shape: expected core-lro-2 or core-lro-3",
    );
  });

  describe("in the shape of core-lro 2", () => {
    test("resolves with the result, and shows the states in both forms", async () => {
      const { server, poller } = await boxInTheMaking();
      const azure = toPollerLike(poller, { shape: "core-lro-2" });
      expect(azure.getOperationState()).toEqual({ status: "running", isStarted: true, isCompleted: false });
      const states: object[] = [];
      azure.onProgress((state) => states.push(state));
      expect(await azure.pollUntilDone()).toEqual(box.body);
      expect(states.map((state) => ({ ...state, isDone: undefined }))).toMatchObject([
        { status: "notStarted", isStarted: false, isCompleted: false },
        { status: "running", isStarted: true, isCompleted: false },
        { status: "running", isStarted: true, isCompleted: false },
        { status: "succeeded", isCompleted: true, result: box.body },
      ]);
      expect(azure.isDone()).toBe(true);
      expect(azure.getResult()).toEqual(box.body);
      server.assertFinished();
    });

    test("can be driven by a loop over isDone()", async () => {
      const { server, poller } = await boxInTheMaking();
      const azure = toPollerLike(poller, { shape: "core-lro-2" });
      while (!azure.isDone()) await azure.poll();
      expect(azure.getResult()).toEqual(box.body);
      server.assertFinished();
    });

    test.each([
      ["Failed", { status: "failed", isCompleted: true }, "OperationFailedError"],
      ["Canceled", { status: "canceled", isCompleted: true, isCancelled: true }, "OperationCanceledError"],
    ])("rejects when the operation has %s", async (word, state, name) => {
      const server = await serve([
        on("PUT /boxes/b1", 201, monitor),
        on(statusRequest, 200, { body: { status: word, error: { code: "NoQuota", message: "8 needed." } } }),
      ]);
      const azure = toPollerLike(start(server, "PUT /boxes/b1"), { shape: "core-lro-2" });
      await azure.poll();
      expect(await rejection(azure.poll())).toMatchObject({ name, code: "NoQuota" });
      expect(azure.getOperationState()).toMatchObject({ ...state, error: { code: "NoQuota" } });
    });

    test("stops polling, and polls again", async () => {
      const { server, poller } = await boxInTheMaking();
      const { arrived, release } = server.hold("GET", at);
      const azure = toPollerLike(poller, { shape: "core-lro-2" });
      expect(azure.isStopped()).toBe(true);
      const wait = rejection(azure.pollUntilDone());
      await arrived;
      expect(azure.isStopped()).toBe(false);
      azure.stopPolling();
      expect(await wait).toMatchObject({ name: "PollerStoppedError" });
      expect(azure.isStopped()).toBe(true);
      release();
      expect(await azure.pollUntilDone()).toEqual(box.body);
    });

    test("takes a signal of the caller's beside that of stopPolling()", async () => {
      const { poller } = await boxInTheMaking();
      const azure = toPollerLike(poller, { shape: "core-lro-2" });
      const wait = azure.pollUntilDone({ abortSignal: AbortSignal.abort("enough") });
      expect(await rejection(wait)).toBe("enough");
      expect(await azure.pollUntilDone()).toEqual(box.body);
    });

    test("cannot cancel an operation whose service has no request for that, and says so", async () => {
      const { poller } = await boxInTheMaking();
      const azure = toPollerLike(poller, { shape: "core-lro-2" });
      expect(await rejection(azure.cancelOperation())).toMatchObject({ code: "CancelNotSupported" });
    });

    test("cancels the operation, and rejects with the reason of a service that refuses", async () => {
      const refusal = new RequestError("no", { kind: "permanent", statusCode: 409 });
      const refusals = [refusal];
      const cancel = async (): Promise<void> => {
        const first = refusals.pop();
        if (first) throw first;
      };
      const operation = { ...scriptedOperation(["Running", "Running", "Running", "Canceled"]), cancel };
      const clock = createVirtualClock();
      const azure = toPollerLike(createPoller(operation, { clock }), { shape: "core-lro-2" });
      expect(await clock.runUntilSettled(rejection(azure.cancelOperation()))).toBe(refusal);
      expect(azure.isDone()).toBe(false);
      await clock.runUntilSettled(azure.cancelOperation());
      expect(azure.getOperationState()).toMatchObject({ status: "canceled", isCancelled: true });
    });

    test("writes the token of client.resume", async () => {
      const { server, poller } = await boxInTheMaking();
      const azure = toPollerLike(poller, { shape: "core-lro-2" });
      await azure.poll();
      const { operation } = clientOf(server, { apiVersion: "2025-02-01" }).parseResumeToken(azure.toString());
      expect(operation.id).toBe("7");
    });
  });
});
