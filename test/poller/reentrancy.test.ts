import { describe, expect, test } from "vitest";
import { RequestError, createPoller, createPollerGroup, fixed } from "lro-poller";
import type { Operation, PollerObserver, PollOptions, StatusResponse } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { parseOperationStatus } from "../../src/operation/parse-status.ts";
import { microtasks, rejection, settled } from "../support/rejections.ts";

type Reply = (pollNumber: number, abortSignal: AbortSignal) => StatusResponse | Promise<StatusResponse>;

interface Counted extends Operation {
  /** How many requests have been sent. */
  sent: number;
  /** The highest number of requests under way. */
  maxUnderWay: number;
}

const id = "0a1b2c3d-0000-0000-0000-000000000000";

function response(status: string, more: Partial<StatusResponse> = {}): StatusResponse {
  return { status: parseOperationStatus({ id, name: id, status }), ...more };
}

/** A response that comes only as the rejection of the aborted request. */
function untilAborted(abortSignal: AbortSignal): Promise<StatusResponse> {
  const { promise, reject } = Promise.withResolvers<StatusResponse>();
  abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
  return promise;
}

/** An operation of the user's own, which counts its requests. */
function counted(reply: Reply, more: Partial<Operation> = {}, name = id): Counted {
  let underWay = 0;
  const operation: Counted = {
    id: name,
    sent: 0,
    maxUnderWay: 0,
    toJSON: () => ({ name }),
    async getStatus({ abortSignal }) {
      operation.sent++;
      operation.maxUnderWay = Math.max(operation.maxUnderWay, ++underWay);
      const leave = (): void => void underWay--;
      abortSignal.addEventListener("abort", leave);
      const result = await reply(operation.sent, abortSignal);
      abortSignal.removeEventListener("abort", leave);
      if (!abortSignal.aborted) leave();
      return result;
    },
    ...more,
  };
  return operation;
}

const observer: PollerObserver = { onResponse() {}, onFailedPoll() {}, onEnd() {} };

function everySecond(
  options: PollOptions = {},
): PollOptions & { clock: ReturnType<typeof createVirtualClock> } {
  return { schedule: fixed(1000), ...options, clock: createVirtualClock() };
}

/** Succeeds with its poll of this number. */
function succeedingAt(number: number): Reply {
  return (pollNumber) => response(pollNumber < number ? "Running" : "Succeeded");
}

describe("user code that starts a wait while another one ends", () => {
  test("onAbandoned at the timeout: the new wait has a timeout of its own, and nothing goes on after it", async () => {
    const options = everySecond({ timeoutInMs: 5000 });
    let again: Promise<unknown> | undefined;
    const operation = counted(succeedingAt(99), { onAbandoned: () => void (again ??= wait()) });
    const poller = createPoller(operation, options);
    const wait = (): Promise<unknown> => rejection(poller.pollUntilDone());
    const first = await options.clock.runUntilSettled(wait());
    expect([first, options.clock.now()]).toMatchObject([{ code: "PollingTimeout" }, 5000]);
    const second = await options.clock.runUntilSettled(again ?? Promise.resolve());
    expect([second, options.clock.now()]).toMatchObject([{ code: "PollingTimeout" }, 10_000]);
    const sent = operation.sent;
    await options.clock.advance(60_000);
    expect([operation.sent, options.clock.pendingTimers]).toEqual([sent, 0]);
  });

  test("a listener of the request's abort, at the request's timeout: one request is under way at most", async () => {
    const options = everySecond();
    const controller = new AbortController();
    const reasons: string[] = [];
    let again: Promise<unknown> | undefined;
    const operation = counted((pollNumber, abortSignal) => {
      if (pollNumber > 1) return response("Succeeded");
      abortSignal.addEventListener("abort", () => {
        controller.abort();
        again = poller.pollUntilDone();
      });
      return untilAborted(abortSignal);
    });
    const poller = createPoller(operation, options);
    poller.onFailedPoll(({ error }) => reasons.push(error.code));
    const first = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    await options.clock.advance(30_000);
    await first;
    await options.clock.runUntilSettled(again ?? Promise.resolve());
    expect([operation.sent, operation.maxUnderWay, reasons]).toEqual([2, 1, []]);
  });

  test("onAbandoned after the last abort: one request is under way at most", async () => {
    const options = everySecond();
    const controller = new AbortController();
    let again: Promise<unknown> | undefined;
    const operation = counted(
      (pollNumber, abortSignal) => (pollNumber === 1 ? untilAborted(abortSignal) : response("Succeeded")),
      { onAbandoned: () => void (again ??= poller.pollUntilDone()) },
    );
    const poller = createPoller(operation, options);
    const first = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    await options.clock.advance(10);
    controller.abort();
    await first;
    await options.clock.runUntilSettled(again ?? Promise.resolve());
    expect([operation.sent, operation.maxUnderWay]).toEqual([2, 1]);
  });

  test("an observer, after the last abort: the new wait has its whole timeout", async () => {
    const options = everySecond({ timeoutInMs: 10_000 });
    const controller = new AbortController();
    let again: Promise<unknown> | undefined;
    const onEnd = (): void => void (again ??= rejection(poller.pollUntilDone()));
    const operation = counted(() => response("Running"), { observe: () => ({ ...observer, onEnd }) });
    const poller = createPoller(operation, options);
    const first = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    await options.clock.advance(8000);
    controller.abort();
    await first;
    await options.clock.runUntilSettled(again ?? Promise.resolve());
    expect(options.clock.now()).toBe(18_000);
  });
});

test("a response that comes while its poller is disposed of is dropped", async () => {
  const { clock } = everySecond();
  const group = createPollerGroup({ clock, maxConcurrency: 1 });
  const { promise: answer, resolve: answerNow } = Promise.withResolvers<StatusResponse>();
  const first = group.add(counted(() => answer, {}, "first"));
  const disposing = (): StatusResponse => {
    void first[Symbol.asyncDispose]();
    return response("Succeeded");
  };
  group.add(counted(disposing, {}, "second"));
  const statuses: string[] = [];
  first.onProgress(({ status }) => statuses.push(status));
  const wait = settled(group.pollUntilDone());
  await clock.advance(100);
  // The second request is sent in the place of the first, before the poller of the first has its response.
  answerNow(response("Succeeded"));
  await clock.runUntilSettled(wait);
  const later = await settled(first.pollUntilDone());
  expect([statuses, first.isDone, later]).toMatchObject([[], false, { code: "Disposed" }]);
});

describe("a group", () => {
  test("that is waited for again while it stops polls to the end", async () => {
    const { clock } = everySecond();
    const controller = new AbortController();
    let again: Promise<unknown> | undefined;
    const rejoin = (): void => {
      if (controller.signal.aborted) again ??= group.pollUntilDone();
    };
    const group = createPollerGroup({ clock, schedule: fixed(1000) });
    for (const name of ["first", "second", "third"])
      group.add(counted(succeedingAt(3), name === "first" ? { onAbandoned: rejoin } : {}, name));
    const first = rejection(group.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(500);
    controller.abort();
    await first;
    const results = await clock.runUntilSettled(again ?? Promise.resolve());
    expect(results).toMatchObject(Array.from({ length: 3 }, () => ({ status: "fulfilled" })));
  });

  test("that is disposed of by an observer of a member's end settles all later calls", async () => {
    const { clock } = everySecond();
    const onEnd = (): void => void group[Symbol.asyncDispose]();
    const group = createPollerGroup({ clock, schedule: fixed(1000), timeoutInMs: 5000 });
    for (const name of ["first", "second"])
      group.add(counted(() => response("Running"), { observe: () => ({ ...observer, onEnd }) }, name));
    await clock.runUntilSettled(settled(group.pollUntilDone()));
    // It is the later call that hung.
    expect(await clock.runUntilSettled(group.pollUntilDone())).toMatchObject([
      { status: "rejected" },
      { status: "rejected" },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("user code that fails", () => {
  const fail = (): Promise<never> => Promise.reject(new Error("of the user"));
  const asynchronous: object = { verbose: fail, info: fail, warning: fail, error: fail };
  const observe = (): object => ({ onResponse: fail, onFailedPoll: fail, onEnd: fail });
  const withoutLevels: object = { info() {}, error() {} };

  test.each<[string, object]>([
    ["an asynchronous logger", { logger: asynchronous }],
    ["an asynchronous observer", { observe }],
    ["an asynchronous onAbandoned", { onAbandoned: fail }],
    ["a logger of a JavaScript caller without all levels", { logger: withoutLevels }],
  ])("%s ends no wait and no process", async (_, more) => {
    const options = everySecond();
    const reply: Reply = (pollNumber) => {
      if (pollNumber === 1) throw new RequestError("reset", { kind: "transient", code: "ECONNRESET" });
      return response(pollNumber < 3 ? "Running" : "Succeeded");
    };
    const poller = createPoller(counted(reply, more), options);
    await options.clock.runUntilSettled(poller.pollUntilDone());
    // An unhandled rejection would fail this file.
    await microtasks(40);
    expect(poller.isDone).toBe(true);
  });
});

test("a poll() that fails does not shorten the Retry-After of the response before it", async () => {
  const options = everySecond({ random: () => 0 });
  const times: number[] = [];
  const operation = counted((pollNumber) => {
    times.push(options.clock.now());
    if (pollNumber === 2) throw new RequestError("reset", { kind: "transient", code: "ECONNRESET" });
    return pollNumber === 1 ? response("Running", { retryAfterInMs: 60_000 }) : response("Succeeded");
  });
  const poller = createPoller(operation, options);
  const wait = poller.pollUntilDone();
  await options.clock.advance(10_000);
  await rejection(poller.poll());
  await options.clock.runUntilSettled(wait);
  expect(times).toEqual([0, 10_000, 60_000]);
});
