import { describe, expect, test } from "vitest";
import { toPollerLike } from "lro-poller";
import { rejection } from "../../support/rejections.ts";
import type { Route } from "../../support/route-server.ts";
import { start, on, serve } from "./support.ts";

const at = "/operations/7";
const statusRequest = `GET ${at}`;
const monitor = { headers: { "operation-location": at } };
const running = on(statusRequest, 200, { body: { status: "running" } });
const box = { body: { id: "b1", properties: { provisioningState: "Succeeded" } } };
const done = on(statusRequest, 200, { body: { status: "succeeded", properties: box.body } });

/** Runs for ten polls. */
function longRun(): Route[] {
  return [on("POST /boxes/b1", 202, monitor), ...Array.from({ length: 10 }, () => running), done];
}

// The tests of core-lro's own suite that are about its poller, not about the protocol.

describe("the state that a listener is given", () => {
  // core-lro gives its live state, in which a listener may keep fields of its own; here each is a value of its own.
  test("can be changed by it, which changes nothing for anybody else", async () => {
    const server = await serve([on("POST /boxes/b1", 202, monitor), running, running, done]);
    const poller = start(server, "POST /boxes/b1");
    const azure = toPollerLike(poller);
    const states: object[] = [];
    azure.onProgress((state) => {
      states.push({ ...state });
      Object.assign(state, { mine: 1, status: "failed" });
    });
    expect(await azure).toEqual(box.body);
    expect(states.map((state) => "mine" in state)).toEqual([false, false, false, false]);
    expect(poller.status).toBe("Succeeded");
    server.assertFinished();
  });

  // core-lro calls updateState after each response to a poll. Here onProgress is called, also after the initial response.
  test("comes after every response", async () => {
    const server = await serve([on("POST /boxes/b1", 202, monitor), running, running, done]);
    const counts: number[] = [];
    await start(server, "POST /boxes/b1", {
      onProgress: ({ pollCount }) => counts.push(pollCount),
    }).pollUntilDone();
    expect(counts).toEqual([1, 2, 3, 4]);
  });
});

describe("processResult, here parseResult", () => {
  test("makes the result of what came from a location", async () => {
    const server = await serve([
      on("POST /boxes/b1", 202, { headers: { ...monitor.headers, location: "/results/7" } }),
      running,
      on(statusRequest, 200, { body: { status: "Succeeded" } }),
      on("GET /results/7", 200, box),
    ]);
    const parseResult = (body: unknown): unknown => ({ parsed: body });
    expect(await start(server, "POST /boxes/b1", { parseResult }).pollUntilDone()).toEqual({
      parsed: box.body,
    });
    server.assertFinished();
  });

  test("makes the result of the initial response", async () => {
    const server = await serve([on("PUT /boxes/b1", 200, box)]);
    const parseResult = (body: unknown): unknown => ({ parsed: body });
    expect(await start(server, "PUT /boxes/b1", { parseResult }).pollUntilDone()).toEqual({
      parsed: box.body,
    });
  });

  // core-lro awaits what it returns; here the wait does.
  test("may give a promise", async () => {
    const server = await serve([on("PUT /boxes/b1", 200, box)]);
    const parseResult = async (body: unknown): Promise<unknown> => ({ parsed: body });
    expect(await start(server, "PUT /boxes/b1", { parseResult }).pollUntilDone()).toEqual({
      parsed: box.body,
    });
  });
});

test("a canceled operation gives access to its partial results", async () => {
  const server = await serve([
    on("POST /boxes/b1", 202, monitor),
    running,
    on(statusRequest, 200, { body: { status: "canceled", results: [1, 2] } }),
  ]);
  const failure = await rejection(start(server, "POST /boxes/b1").pollUntilDone());
  // core-lro has them in poller.result.
  expect(failure).toMatchObject({ name: "OperationCanceledError", operation: { results: [1, 2] } });
});

describe("an abort signal", () => {
  test.each(["poll", "pollUntilDone"] as const)("that has fired lets %s send nothing", async (method) => {
    const server = await serve(longRun());
    const poller = start(server, "POST /boxes/b1");
    await poller.poll();
    await poller.poll();
    expect(await rejection(poller[method]({ abortSignal: AbortSignal.abort("enough") }))).toBe("enough");
    expect(server.requestLines).toHaveLength(2);
    expect([poller.isDone, poller.status]).toEqual([false, "Running"]);
  });

  test("that fires in the middle ends the wait there", async () => {
    const server = await serve(longRun());
    const controller = new AbortController();
    const poller = start(server, "POST /boxes/b1", {
      onProgress: ({ pollCount }) => pollCount === 10 && controller.abort("enough"),
    });
    expect(await rejection(poller.pollUntilDone({ abortSignal: controller.signal }))).toBe("enough");
    expect(server.requestLines).toHaveLength(10);
    expect(poller.isDone).toBe(false);
    // core-lro's cannot be continued.
    expect(await poller.pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });
});

describe("after the end", () => {
  test("nothing is sent, however often it is polled", async () => {
    const server = await serve([on("PUT /boxes/b1", 200, box)]);
    const poller = start(server, "PUT /boxes/b1");
    expect((await poller.poll()).status).toBe("Succeeded");
    expect((await poller.poll()).status).toBe("Succeeded");
    expect(await poller.pollUntilDone()).toEqual(box.body);
    expect(server.requestLines).toHaveLength(1);
  });

  test.each([
    ["Failed", "OperationFailedError"],
    ["Canceled", "OperationCanceledError"],
  ])("%s, nothing is sent either, and the error stays the same", async (provisioningState, name) => {
    const server = await serve([on("PUT /boxes/b1", 200, { body: { properties: { provisioningState } } })]);
    const poller = start(server, "PUT /boxes/b1");
    expect((await poller.poll()).status).toBe(provisioningState);
    const failure = await rejection(poller.pollUntilDone());
    expect(failure).toMatchObject({ name });
    expect(await rejection(poller.pollUntilDone())).toBe(failure);
    expect(server.requestLines).toHaveLength(1);
  });
});

describe("the error of an operation that failed", () => {
  test("is in the message", async () => {
    const error = { code: "InvalidRequest", message: "Too many cores." };
    const server = await serve([
      on("POST /boxes/b1", 202, { ...monitor, body: { status: "Running" } }),
      on(statusRequest, 200, { body: { status: "Failed", error } }),
    ]);
    const failure = await rejection(start(server, "POST /boxes/b1").pollUntilDone());
    expect(failure).toMatchObject({
      name: "OperationFailedError",
      code: "InvalidRequest",
      message: expect.stringContaining("InvalidRequest: Too many cores."),
    });
  });

  // core-lro reports the innermost code, and prints "undefined" where an inner error has no message.
  test("keeps its own code in front, and the inner ones in order", async () => {
    const error = {
      code: "Outer",
      message: "Too many cores.",
      innererror: { code: "Inner", innererror: { code: "Deep", message: "In westeurope." } },
    };
    const server = await serve([
      on("PUT /boxes/b1", 202, monitor),
      on(statusRequest, 200, { body: { status: "Failed", error } }),
    ]);
    const failure = await rejection(start(server, "PUT /boxes/b1").pollUntilDone());
    expect(failure).toMatchObject({ code: "Outer", innererror: error.innererror });
    expect(failure).toHaveProperty(
      "message",
      expect.stringContaining("Outer: Too many cores. → Inner → Deep: In westeurope."),
    );
  });
});

describe("as core-lro's poller, a poller", () => {
  test("gives its result to every caller that awaits it, after one run", async () => {
    const server = await serve(longRun());
    const azure = toPollerLike(start(server, "POST /boxes/b1"));
    expect(azure).toMatchObject({ operationState: undefined, result: undefined });
    const result = await azure;
    expect(result).toEqual(box.body);
    expect([await azure, await azure, azure.result]).toEqual([result, result, result]);
    expect(azure.operationState).toMatchObject({ status: "succeeded" });
    server.assertFinished();
  });

  test("gives the same object each time, and calls each callback once", async () => {
    const server = await serve([on("PUT /boxes/b1", 200, box)]);
    const azure = toPollerLike(start(server, "PUT /boxes/b1"));
    const calls: unknown[] = [];
    const one = await azure.then((result) => {
      calls.push(result);
      return result;
    });
    const other = await azure;
    await azure.finally(() => calls.push("finally"));
    expect(other).toBe(one);
    expect(calls).toEqual([one, "finally"]);
    expect(server.requestLines).toHaveLength(1);
  });

  test("polls in one loop, however many wait at the same time", async () => {
    const server = await serve(longRun());
    const azure = toPollerLike(start(server, "POST /boxes/b1"));
    const results = await Promise.all([azure, azure.pollUntilDone(), azure.then((result) => result)]);
    expect(results).toEqual([box.body, box.body, box.body]);
    server.assertFinished();
  });

  test("gives the same error each time, through await and catch alike", async () => {
    const server = await serve([
      on("POST /boxes/b1", 202, monitor),
      on(statusRequest, 200, { body: { status: "canceled" } }),
    ]);
    const azure = toPollerLike(start(server, "POST /boxes/b1"));
    const caught: unknown[] = [];
    await azure.catch((error: unknown) => caught.push(error));
    const failure = await rejection(azure);
    expect(caught).toEqual([failure]);
    expect(failure).toMatchObject({ name: "OperationCanceledError" });
    expect(await rejection(azure.finally(() => caught.push("finally")))).toBe(failure);
    expect(caught).toHaveLength(2);
    server.assertFinished();
  });

  test("is submitted before it has polled", async () => {
    const server = await serve(longRun());
    const azure = toPollerLike(start(server, "POST /boxes/b1"));
    await azure.submitted();
    expect(server.requestLines).toEqual(["POST /boxes/b1"]);
    expect(azure.operationState).toEqual({ status: "running" });
  });
});
