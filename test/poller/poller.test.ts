import { describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  PollingError,
  PollingTimeoutError,
  RequestError,
  createPoller,
  fixed,
  pollAll,
  pollUntilDone,
} from "lro-poller";
import type { Clock, FailedPoll, Operation, PollOptions, Progress } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, ScriptedStatus } from "lro-poller/testing";
import { resumePoller } from "../../src/poller/poller.ts";
import { settled, rejection } from "../support/rejections.ts";
import { down, forever, scriptedPoller } from "../support/scripted-poller.ts";

describe("a wait", () => {
  test("resolves with the properties of the operation that succeeded", async () => {
    const { clock, operation, poller, pollTimes } = scriptedPoller([
      "NotStarted",
      { status: "Running", percentComplete: 50 },
      { status: "Succeeded", properties: { uri: "https://box" } },
    ]);
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toEqual({ uri: "https://box" });
    expect(pollTimes()).toEqual([0, 1000, 2000]);
    expect(poller).toMatchObject({ status: "Succeeded", isDone: true });
    operation.assertFinished();
    expect(clock.pendingTimers).toBe(0);
  });

  test("resolves with undefined where a success brings no properties", async () => {
    const { clock, poller } = scriptedPoller(["Succeeded"]);
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBeUndefined();
  });

  test("sends nothing until a caller waits, polls or iterates", async () => {
    const { clock, operation, poller } = scriptedPoller(["Succeeded"]);
    poller.onProgress(() => {});
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(0);
  });

  test("is no thenable", () => {
    expect(scriptedPoller([]).poller).not.toHaveProperty("then");
  });

  test("resolves without a request once the operation is over", async () => {
    const { clock, operation, poller } = scriptedPoller([
      { status: "Failed", error: { code: "Boom", message: "no" } },
    ]);
    const first = await settled(clock.runUntilSettled(poller.pollUntilDone()));
    expect(await settled(poller.pollUntilDone())).toBe(first);
    expect((await poller.poll()).status).toBe("Failed");
    const states: string[] = [];
    for await (const { status } of poller) states.push(status);
    expect(states).toEqual(["Failed"]);
    expect(operation.polls).toHaveLength(1);
  });

  test("is shared by its callers", async () => {
    const { clock, poller, pollTimes } = scriptedPoller(["Running", { status: "Succeeded", properties: 1 }]);
    const both = Promise.all([poller.pollUntilDone(), poller.pollUntilDone()]);
    await expect(clock.runUntilSettled(both)).resolves.toEqual([1, 1]);
    expect(pollTimes()).toEqual([0, 1000]);
  });

  test("has the type of the properties", () => {
    expectTypeOf(pollUntilDone<{ uri: string }>).returns.resolves.toEqualTypeOf<{ uri: string }>();
  });
});

describe("a failed or canceled operation", () => {
  const error = {
    code: "DeploymentFailed",
    message: "The dev box could not be created.",
    target: "devboxes/box",
    details: [{ code: "QuotaExceeded", message: "8 cores needed, 2 left.", target: "Standard_D8" }],
    innererror: { code: "ComputeQuota", innererror: { code: "CoresInRegion" } },
  };

  test("rejects with the service's whole error, as data and as text", async () => {
    const { clock, operation, poller } = scriptedPoller([
      "Running",
      { status: "Failed", error, requestId: "request-7" },
    ]);
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), OperationFailedError);
    expect(failure).toMatchObject({
      name: "OperationFailedError",
      ...error,
      pollCount: 2,
      responseCounts: { Running: 1, Failed: 1 },
      requestId: "request-7",
      operation: { name: operation.id, status: "Failed" },
      message:
        `Operation ${operation.id} failed. QuotaExceeded: 8 cores needed, 2 left. (Standard_D8, in DeploymentFailed)` +
        "\n  DeploymentFailed: The dev box could not be created. (devboxes/box)" +
        " → ComputeQuota → CoresInRegion\n    - QuotaExceeded: 8 cores needed, 2 left. (Standard_D8)",
    });
  });

  test("that was canceled keeps its error", async () => {
    const { clock, operation, poller } = scriptedPoller([
      { status: "Cancelled", error: { code: "OperationPreempted", message: "" } },
    ]);
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), OperationCanceledError);
    expect(failure).toMatchObject({
      code: "OperationPreempted",
      message: `Operation ${operation.id} was canceled. OperationPreempted`,
    });
  });

  test("without an error says so, and prints nothing undefined", async () => {
    const { clock, poller } = scriptedPoller(["Failed"]);
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), OperationFailedError);
    expect(failure).toMatchObject({ code: "Failed", details: [], innererror: undefined });
    expect(failure.message).toMatch(/failed\. The service sent no error\.$/);
  });

  test("with an empty inner error prints nothing undefined", async () => {
    const { clock, poller } = scriptedPoller([
      { status: "Failed", error: { code: "", message: "", innererror: { innererror: {} } } },
    ]);
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), OperationFailedError);
    expect(failure.message).toMatch(/failed\. The service sent no error\.$/);
  });
});

describe("a failed poll", () => {
  test.each<[string, Error]>([
    ["a 503", down()],
    ["a 429 without Retry-After", down({ statusCode: 429 })],
    ["a reset connection", Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })],
    ["a network error of fetch", new TypeError("fetch failed")],
  ])("does not fail the wait: %s", async (_, error) => {
    const { clock, poller, pollTimes } = scriptedPoller([
      "Running",
      error,
      error,
      { status: "Succeeded", properties: 1 },
    ]);
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
    expect(pollTimes()).toEqual([0, 1000, 2000, 4000]);
  });

  test("is also a response whose body is no status", async () => {
    const broken = { status: "" };
    const { clock, poller } = scriptedPoller([broken, { status: "Succeeded", properties: 1 }]);
    const failedPolls: FailedPoll[] = [];
    poller.onFailedPoll((failedPoll) => failedPolls.push(failedPoll));
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
    expect(failedPolls).toMatchObject([{ error: { code: "ContractError", message: /status/ } }]);
  });

  test.each<[string, unknown, object]>([
    [
      "nothing",
      undefined,
      { name: "PollingError", message: /getStatus: expected a response with a status obj/ },
    ],
    ["no status", {}, { name: "PollingError" }],
    ["a word in place of the status", { status: "Succeeded" }, { name: "PollingError" }],
    ["a status without a state", { status: {} }, { name: "PollingTimeoutError" }],
    ["a state that is no text", { status: { status: 7 } }, { name: "PollingTimeoutError" }],
  ])("of a transport that resolves with %s is told, and the wait ends", async (_, response, expected) => {
    const clock = createVirtualClock();
    const getStatus = vi.fn<() => unknown>(() => Promise.resolve(response));
    const operation = { id: "7", getStatus, toJSON: () => ({}) };
    // @ts-expect-error A transport in JavaScript has no types.
    const poller = createPoller(operation, { clock, timeoutInMs: 60_000 });
    const error = await rejection(clock.runUntilSettled(poller.pollUntilDone()));
    expect(error).toMatchObject(expected);
  });

  test("is reported as an event, and counted in the progress that follows", async () => {
    const onFailedPoll = vi.fn<(failedPoll: FailedPoll) => void>();
    const onProgress = vi.fn<(progress: Progress) => void>();
    const { clock, poller } = scriptedPoller(["Running", down({ retryAfterInMs: 7000 }), "Succeeded"], {
      onFailedPoll,
      onProgress,
    });
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(onFailedPoll.mock.calls).toEqual([
      [
        {
          error: expect.any(RequestError),
          status: "Running",
          elapsedInMs: 1000,
          nextPollInMs: 7000,
          pollCount: 2,
          failedPollCount: 1,
        },
      ],
    ]);
    expect(onProgress.mock.lastCall).toMatchObject([
      { status: "Succeeded", pollCount: 3, failedPollCount: 1 },
    ]);
  });

  test("is retried until the outage tolerance has passed; then the poller can be used again", async () => {
    const outage: ScriptedReply[] = Array.from({ length: 10 }, () =>
      down({ code: "ServerBusy", requestId: "r" }),
    );
    const { clock, operation, poller } = scriptedPoller(
      ["Running", ...outage, { status: "Succeeded", properties: 1 }],
      {
        outageToleranceInMs: 120_000,
      },
    );
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(failure).toMatchObject({
      code: "ServerBusy",
      statusCode: 503,
      requestId: "r",
      cause: expect.any(RequestError),
      responseCounts: { Running: 1, "503": 10 },
      operation: { status: "Running" },
      resumeToken: expect.stringContaining(operation.id),
    });
    expect(failure.message).toMatch(
      /^Polling operation .* failed \(\d+ failed polls in \d+ s\): down\. It was Running/,
    );
    expect(poller.isDone).toBe(false);
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
  });

  test("that is permanent ends the wait at once, and the poller can be used again", async () => {
    const { clock, poller } = scriptedPoller([down({ kind: "permanent", statusCode: 403 }), "Succeeded"]);
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(failure).toMatchObject({ statusCode: 403, pollCount: 1 });
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(poller.status).toBe("Succeeded");
  });

  test("with a TypeError of the transport's own is a bug, and ends the wait at once", async () => {
    const bug = new TypeError("x is not a function");
    const { clock, poller } = scriptedPoller([bug]);
    const failedPolls: FailedPoll[] = [];
    poller.onFailedPoll((failedPoll) => failedPolls.push(failedPoll));
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(failure).toMatchObject({ pollCount: 1, cause: { cause: bug } });
    expect(failedPolls).toMatchObject([{ error: { kind: "permanent" }, nextPollInMs: undefined }]);
  });

  test("with a 404 is retried in the grace period, and means later that there is no such operation", async () => {
    const gone = down({ kind: "notFound", statusCode: 404, code: "OperationNotFound" });
    const late = scriptedPoller(["Running", gone, gone, "Succeeded"], { notFoundGraceInMs: 3000 });
    await late.clock.runUntilSettled(late.poller.pollUntilDone());
    expect(late.poller.status).toBe("Succeeded");

    const { clock, poller } = scriptedPoller([gone, gone, gone], { notFoundGraceInMs: 3000 });
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), OperationNotFoundError);
    expect(failure).toMatchObject({ code: "OperationNotFound", pollCount: 3, responseCounts: { "404": 3 } });
  });

  test("with a 404 without a code ends the wait with the code OperationNotFound", async () => {
    const gone = down({ kind: "notFound", statusCode: 404 });
    const { clock, poller } = scriptedPoller([gone, gone], { notFoundGraceInMs: 1000 });
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), OperationNotFoundError);
    expect(failure.code).toBe("OperationNotFound");
  });

  test("that hangs ends after requestTimeoutInMs, and its late response is ignored", async () => {
    let respondLate: (reply: ScriptedReply & string) => void = () => {};
    const late = new Promise<string>((resolve) => {
      respondLate = resolve;
    });
    const { clock, operation, poller, pollTimes } = scriptedPoller(
      [() => late, "Running", "Running", "Succeeded"],
      {
        requestTimeoutInMs: 5000,
      },
    );
    const wait = poller.pollUntilDone();
    await clock.advance(6000);
    expect(operation.polls[0]?.abortSignal.aborted).toBe(true);
    respondLate("Failed");
    await clock.runUntilSettled(wait);
    expect(pollTimes()).toEqual([0, 6000, 7000, 8000]);
    expect(poller.status).toBe("Succeeded");
  });
});

describe("Retry-After", () => {
  test("is the least delay before the next poll, once", async () => {
    const { clock, poller, pollTimes } = scriptedPoller([
      { status: "Running", retryAfterInMs: 4000 },
      "Running",
      down({ retryAfterInMs: 9000 }),
      "Succeeded",
    ]);
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(pollTimes()).toEqual([0, 4000, 5000, 14_000]);
  });

  test("of more than a day counts as a day, and no timer overflows", async () => {
    const { clock, poller, pollTimes } = scriptedPoller([
      { status: "Running", retryAfterInMs: 2 ** 40 },
      "Succeeded",
    ]);
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(pollTimes()).toEqual([0, 86_400_000]);
  });

  test("still counts when the wait is aborted and started again", async () => {
    const { clock, poller, pollTimes } = scriptedPoller([
      { status: "Running", retryAfterInMs: 4000 },
      "Succeeded",
    ]);
    const controller = new AbortController();
    const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(1000);
    controller.abort();
    await wait;
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(pollTimes()).toEqual([0, 4000]);
  });
});

describe("a deadline", () => {
  test("that a response came after, but before its timer, leaves the poller usable", async () => {
    const clock = createVirtualClock();
    // The timer of the deadline, at 1100 ms, is late by 5 ms; the response comes at 1102 ms.
    const lateTimers: Clock = {
      now: () => clock.now(),
      timestamp: () => clock.timestamp(),
      setTimer: (callback, delayInMs) => clock.setTimer(callback, delayInMs + 5),
    };
    const slow = (): Promise<string> =>
      new Promise((resolve) => void clock.setTimer(() => resolve("Running"), 97));
    const operation = scriptedOperation(["Running", slow, "Succeeded"]);
    const poller = createPoller(operation, { clock: lateTimers, timeoutInMs: 1100, schedule: fixed(1000) });
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    expect(poller.isDone).toBe(false);
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(poller.status).toBe("Succeeded");
  });

  test("ends the wait with the last state; the operation continues, and the poller can be used again", async () => {
    const { clock, operation, poller } = scriptedPoller(
      [{ status: "Running", percentComplete: 40 }, down(), down(), down(), down(), "Succeeded"],
      { timeoutInMs: 6000 },
    );
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    expect(failure).toMatchObject({
      code: "PollingTimeout",
      cause: expect.any(RequestError),
      responseCounts: { Running: 1, "503": 4 },
      resumeToken: JSON.stringify(poller),
      message:
        `Operation ${operation.id} is still Running at 40 % after 6 s. The last poll failed: down. ` +
        "To continue, use the resume token.",
    });
    expect(clock.now()).toBe(6000);
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(poller.status).toBe("Succeeded");
  });

  test("comes after a last poll, so that an operation that ended in time is not reported as late", async () => {
    const { clock, poller, pollTimes } = scriptedPoller(["Running", { status: "Succeeded", properties: 1 }], {
      schedule: fixed(60_000),
      timeoutInMs: 30_000,
    });
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
    expect(pollTimes()).toEqual([0, 29_000]);
  });

  test("ends a request under way", async () => {
    const { clock, operation, poller } = scriptedPoller([forever], { timeoutInMs: 6000 });
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    expect(clock.now()).toBe(6000);
    expect(operation.polls[0]?.abortSignal.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a stall", () => {
  const deleting = { status: "Deleting", percentComplete: 100 };

  test("ends the wait at the first poll after its time, with a token; the poller can be used again", async () => {
    const replies = [{ status: "Deleting", percentComplete: 90 }, deleting, down(), deleting, deleting];
    const { clock, operation, poller } = scriptedPoller([...replies, deleting, deleting, "Succeeded"], {
      stallTimeoutInMs: 2500,
    });
    const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    expect(failure).toMatchObject({
      code: "Stalled",
      operation: { status: "Deleting" },
      resumeToken: JSON.stringify(poller),
      message:
        `Operation ${operation.id} is still Deleting at 100 % after 4 s, unchanged for 3 s. ` +
        "To continue, use the resume token.",
    });
    expect(poller.isDone).toBe(false);
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(5);
    // The time without a change counts anew.
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(poller.status).toBe("Succeeded");
    expect(clock.pendingTimers).toBe(0);
  });

  test("counts anew in a wait that continues from its token", async () => {
    const replies = [deleting, deleting, deleting, deleting, deleting];
    const { clock, operation, poller } = scriptedPoller(replies, { stallTimeoutInMs: 1000 });
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    await clock.advance(3_600_000);
    const options = { clock, schedule: fixed(1000), stallTimeoutInMs: 1500, random: () => 0 };
    const resumed = resumePoller(operation, poller.toJSON(), options);
    const failure = await rejection(clock.runUntilSettled(resumed.pollUntilDone()), PollingTimeoutError);
    expect(failure).toMatchObject({ code: "Stalled", pollCount: 5 });
  });

  test("never ends a wait whose percentage moves, or that was not polled", async () => {
    const moving = Array.from({ length: 20 }, (_, index) => ({ status: "Running", percentComplete: index }));
    const sleeping = { status: "Running", percentComplete: 20, retryAfterInMs: 3_600_000 };
    const { clock, poller } = scriptedPoller([...moving, sleeping, "Succeeded"], { stallTimeoutInMs: 1500 });
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(poller.status).toBe("Succeeded");
  });

  test("does not end single polls", async () => {
    const { clock, poller } = scriptedPoller([deleting, deleting, deleting], { stallTimeoutInMs: 1000 });
    for (let polls = 1; polls <= 3; polls++) {
      await clock.advance(60_000);
      expect(await clock.runUntilSettled(poller.poll())).toMatchObject({
        pollCount: polls,
        nextPollInMs: undefined,
      });
    }
  });

  test("ends the member of a group that has it, and no other", async () => {
    const clock = createVirtualClock();
    const hanging = scriptedOperation([deleting, deleting, deleting]);
    const moving = scriptedOperation([
      deleting,
      "Updating",
      "Creating",
      { status: "Succeeded", properties: 7 },
    ]);
    const options = { clock, schedule: fixed(1000), random: () => 0, stallTimeoutInMs: 2000 };
    const results = await clock.runUntilSettled(pollAll([hanging, moving], options));
    expect(results).toEqual([
      { status: "rejected", reason: expect.objectContaining({ code: "Stalled" }) },
      { status: "fulfilled", value: 7 },
    ]);
  });
});

describe("an unknown state that looks terminal", () => {
  const at = "2025-01-01T00:00:00Z";
  const error = { code: "Broken", message: "It broke." };
  const advice = (sign: string): string =>
    ` The service sent ${sign} with this state: if it is terminal, add it to terminalStates. `;

  test.each<[string, ScriptedStatus, string]>([
    ["an end time", { status: "Dequeued", endTime: at }, advice("an end time")],
    ["an error", { status: "Dead", error }, advice("an error")],
    ["neither", { status: "Dead" }, " "],
    ["the year 1", { status: "Dequeued", endTime: "0001-01-01T00:00:00Z" }, " "],
    ["the error of none", { status: "Dead", error: { code: "0", message: "" } }, " "],
    ["an empty error", { status: "Dead", error: { code: "", message: "" } }, " "],
    ["an end time, but a known word", { status: "inProgress", endTime: at }, " "],
  ])("and comes with %s is told so by the errors of time", async (_, reply, text) => {
    const messageAfter = async (options: PollOptions): Promise<string> => {
      const { clock, operation, poller } = scriptedPoller([reply, reply, reply], options);
      const failure = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
      return failure.message.replace(operation.id, "x");
    };
    expect(await messageAfter({ timeoutInMs: 2500 })).toBe(
      `Operation x is still ${reply.status} after 2.5 s.${text}To continue, use the resume token.`,
    );
    expect(await messageAfter({ stallTimeoutInMs: 2000 })).toBe(
      `Operation x is still ${reply.status} after 2 s, unchanged for 2 s.${text}To continue, use the resume token.`,
    );
  });
});

describe("an abort", () => {
  test("rejects with the signal's own reason, aborts the request and leaves nothing behind", async () => {
    const { clock, operation, poller } = scriptedPoller([forever]);
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(10);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await wait).toBe(reason);
    expect(operation.polls[0]?.abortSignal.aborted).toBe(true);
    expect(remove).toHaveBeenCalledTimes(1);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(600_000);
    expect(operation.polls).toHaveLength(1);
  });

  test("then another wait on the same poller works, and nothing is sent in between", async () => {
    const { clock, poller, pollTimes } = scriptedPoller(["Running", { status: "Succeeded", properties: 1 }]);
    const controller = new AbortController();
    const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(500);
    controller.abort();
    await wait;
    await clock.advance(60_000);
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
    expect(pollTimes()).toEqual([0, 60_500]);
  });

  test("before the wait sends nothing", async () => {
    const { operation, poller } = scriptedPoller(["Succeeded"]);
    const abortSignal = AbortSignal.abort("no");
    expect(await settled(poller.pollUntilDone({ abortSignal }))).toBe("no");
    expect(await settled(poller.poll({ abortSignal }))).toBe("no");
    expect(operation.polls).toHaveLength(0);
  });

  test("aborts the wait of its own caller only", async () => {
    const { clock, poller } = scriptedPoller(["Running", "Running", { status: "Succeeded", properties: 1 }]);
    const controller = new AbortController();
    const one = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    const other = poller.pollUntilDone();
    await clock.advance(500);
    controller.abort("enough");
    expect(await one).toBe("enough");
    await expect(clock.runUntilSettled(other)).resolves.toBe(1);
  });

  test("of the poller's own signal aborts every wait", async () => {
    const controller = new AbortController();
    const { clock, poller } = scriptedPoller(["Running"], { abortSignal: controller.signal });
    const ends = [poller.pollUntilDone(), poller.pollUntilDone(), poller[Symbol.asyncIterator]().next()].map(
      settled,
    );
    await clock.advance(500);
    const iterator = poller[Symbol.asyncIterator]();
    await iterator.next();
    ends.push(settled(iterator.next()));
    controller.abort("enough");
    expect((await Promise.all(ends)).filter((end) => end === "enough")).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  test("by a listener stops the wait that it listens to", async () => {
    const controller = new AbortController();
    const { clock, operation, poller } = scriptedPoller(["Running"], {
      onProgress: () => controller.abort("enough"),
    });
    expect(await settled(poller.pollUntilDone({ abortSignal: controller.signal }))).toBe("enough");
    await clock.advance(600_000);
    expect(operation.polls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("during an outage stops the retries", async () => {
    const { clock, operation, poller } = scriptedPoller([down(), down()]);
    const controller = new AbortController();
    const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(1500);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    await clock.advance(600_000);
    expect(operation.polls).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each(Array.from({ length: 24 }, (_, step) => step * 250))(
    "%i ms into a wait leaves no timer, no listener and no request",
    async (atInMs) => {
      const slow = (): Promise<string> =>
        new Promise((resolve) => void clock.setTimer(() => resolve("Running"), 400));
      const { clock, operation, poller } = scriptedPoller([slow, down(), slow, down(), down(), slow, slow]);
      const controller = new AbortController();
      const add = vi.spyOn(controller.signal, "addEventListener");
      const remove = vi.spyOn(controller.signal, "removeEventListener");
      const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
      await clock.advance(atInMs);
      const sent = operation.polls.length;
      controller.abort("enough");
      expect(await wait).toBe("enough");
      expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
      await clock.advance(600_000);
      expect(operation.polls).toHaveLength(sent);
      expect(clock.pendingTimers).toBe(0);
    },
  );
});

describe("poll()", () => {
  test("sends one request and starts no loop", async () => {
    const { clock, operation, poller } = scriptedPoller([
      { status: "Running", percentComplete: 5 },
      "Succeeded",
    ]);
    expect(await poller.poll()).toMatchObject({ status: "Running", percentComplete: 5, pollCount: 1 });
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("during a wait sends a request at once, and the wait continues from there", async () => {
    const { clock, poller, pollTimes } = scriptedPoller([
      "Running",
      "Running",
      { status: "Succeeded", properties: 1 },
    ]);
    const wait = poller.pollUntilDone();
    await clock.advance(400);
    await poller.poll();
    await expect(clock.runUntilSettled(wait)).resolves.toBe(1);
    expect(pollTimes()).toEqual([0, 400, 1400]);
  });

  test("that finds the operation over ends the wait", async () => {
    const { clock, poller, pollTimes } = scriptedPoller(["Running", { status: "Succeeded", properties: 1 }]);
    const wait = poller.pollUntilDone();
    await clock.advance(400);
    expect((await poller.poll()).status).toBe("Succeeded");
    expect(await wait).toBe(1);
    await clock.advance(60_000);
    expect(pollTimes()).toEqual([0, 400]);
  });

  test("never has two requests in flight", async () => {
    const { clock, operation, poller } = scriptedPoller([
      () => new Promise((resolve) => void clock.setTimer(() => resolve("Running"), 300)),
      "Succeeded",
    ]);
    const all = Promise.all([poller.poll(), poller.poll(), poller.pollUntilDone()]);
    await clock.advance(200);
    expect(operation.polls).toHaveLength(1);
    const [one, other] = await clock.runUntilSettled(all);
    expect(one).toBe(other);
    expect(operation.polls).toHaveLength(2);
  });

  test("does not wait for the Retry-After of a response, but for that of a failed poll", async () => {
    const { clock, poller, pollTimes } = scriptedPoller([
      { status: "Running", retryAfterInMs: 60_000 },
      down({ statusCode: 429, retryAfterInMs: 5000 }),
      "Succeeded",
    ]);
    await poller.poll();
    await clock.advance(100);
    await rejection(poller.poll(), PollingError);
    await clock.advance(100);
    await rejection(poller.poll(), PollingError);
    await clock.advance(5000);
    await poller.poll();
    expect(pollTimes()).toEqual([0, 100, 5200]);
  });

  test("rejects when its one request fails, and the poller can be used again", async () => {
    const { poller } = scriptedPoller([down({ code: "ServerBusy" }), "Running"]);
    expect(await rejection(poller.poll(), PollingError)).toMatchObject({
      code: "ServerBusy",
      statusCode: 503,
    });
    expect((await poller.poll()).status).toBe("Running");
  });
});

describe("progress", () => {
  test("comes after every response, to listeners and to iterators alike", async () => {
    const { clock, operation, poller } = scriptedPoller([
      "NotStarted",
      "NotStarted",
      { status: "Running", percentComplete: 25 },
      { status: "Running", percentComplete: 20 },
      "Succeeded",
    ]);
    const received: Progress[] = [];
    poller.onProgress((progress) => received.push(progress));
    const iterated: Progress[] = [];
    const iteration = (async () => {
      for await (const progress of poller) iterated.push(progress);
    })();
    await clock.runUntilSettled(iteration);
    expect(iterated).toEqual(received);
    const short = received.map(({ status, previousStatus, changed, percentComplete }) => [
      status,
      previousStatus,
      changed,
      percentComplete,
    ]);
    expect(short).toEqual([
      ["NotStarted", undefined, true, undefined],
      ["NotStarted", "NotStarted", false, undefined],
      ["Running", "NotStarted", true, 25],
      ["Running", "Running", false, 25],
      ["Succeeded", "Running", true, 25],
    ]);
    expect(received[3]).toMatchObject({
      operation: { name: operation.id, percentComplete: 20 },
      elapsedInMs: 3000,
      nextPollInMs: 1000,
      pollCount: 4,
      failedPollCount: 0,
    });
    expect(received[4]).toMatchObject({ nextPollInMs: undefined, estimatedRemainingInMs: 0 });
  });

  test("comes at once to a late subscriber, and no more after it has unsubscribed", async () => {
    const { clock, poller } = scriptedPoller(["Running", "Running", "Succeeded"]);
    const wait = poller.pollUntilDone();
    await clock.advance(1500);
    const received: number[] = [];
    const unsubscribe = poller.onProgress(({ pollCount }) => received.push(pollCount));
    await clock.advance(0);
    expect(received).toEqual([2]);
    unsubscribe();
    await clock.runUntilSettled(wait);
    expect(received).toEqual([2]);
  });

  test("reaches every listener, though others throw or reject", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const received: string[] = [];
    const { clock, poller } = scriptedPoller(["Running", "Succeeded"], {
      onProgress: () => {
        throw new Error("bad listener");
      },
    });
    poller.onProgress(() => Promise.reject(new Error("bad async listener")));
    poller.onProgress(({ status }) => received.push(status));
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(received).toEqual(["Running", "Succeeded"]);
    expect(logged).toHaveBeenCalledTimes(4);
  });

  test("is replaced, not queued, for a slow consumer; the last one is never lost", async () => {
    const { clock, poller } = scriptedPoller(["NotStarted", "Running", "Running", "Running", "Succeeded"]);
    const seen: number[] = [];
    const iteration = (async () => {
      for await (const { pollCount } of poller) {
        seen.push(pollCount);
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 2500));
      }
    })();
    await clock.runUntilSettled(iteration);
    expect(seen).toEqual([1, 3, 5]);
  });

  test("ends with the error of a wait whose polling failed", async () => {
    const { clock, poller } = scriptedPoller(["Running", down({ kind: "permanent" })]);
    const seen: string[] = [];
    const iteration = (async () => {
      for await (const { status } of poller) seen.push(status);
    })();
    await rejection(clock.runUntilSettled(iteration), PollingError);
    expect(seen).toEqual(["Running"]);
  });

  test("stops the loop when the only consumer breaks off", async () => {
    const { clock, operation, poller } = scriptedPoller(["Running"]);
    for await (const progress of poller) {
      expect(progress.status).toBe("Running");
      break;
    }
    await clock.advance(600_000);
    expect(operation.polls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("options", () => {
  test.each<[PollOptions, string]>([
    [{ timeoutInMs: 0 }, "timeoutInMs: expected a positive number of milliseconds, got 0"],
    [{ timeoutInMs: NaN }, "timeoutInMs: expected a positive number of milliseconds, got NaN"],
    [{ requestTimeoutInMs: -1 }, "requestTimeoutInMs: expected a positive number of milliseconds, got -1"],
    [
      { outageToleranceInMs: -1 },
      "outageToleranceInMs: expected a non-negative number of milliseconds, got -1",
    ],
    [
      { notFoundGraceInMs: NaN },
      "notFoundGraceInMs: expected a non-negative number of milliseconds, got NaN",
    ],
    [{ maxRetryDelayInMs: 0 }, "maxRetryDelayInMs: expected a positive finite number of milliseconds, got 0"],
    [{ pollCostInMs: -5 }, "pollCostInMs: expected a positive finite number of milliseconds, got -5"],
  ])("%j is rejected by name", (options, message) => {
    expect(() => createPoller(scriptedOperation([]), options)).toThrow(new RangeError(message));
  });

  test("a schedule that returns no duration rejects the wait", async () => {
    const { clock, operation, poller } = scriptedPoller(["Running"], { schedule: () => NaN });
    const message = "schedule's result: expected a non-negative number of milliseconds, got NaN";
    await expect(clock.runUntilSettled(poller.pollUntilDone())).rejects.toThrow(new RangeError(message));
    expect(operation.polls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a transport that throws synchronously counts as one that rejects", async () => {
    const clock = createVirtualClock();
    let requests = 0;
    const operation: Operation = {
      id: "o",
      toJSON: () => ({}),
      getStatus() {
        requests++;
        throw new RequestError("no", { kind: "permanent" });
      },
    };
    await rejection(clock.runUntilSettled(pollUntilDone(operation, { clock })), PollingError);
    expect(requests).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
