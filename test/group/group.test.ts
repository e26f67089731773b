import { describe, expect, test, vi } from "vitest";
import { RequestError, createPollerGroup, fixed, pollAll } from "lro-poller";
import type { GroupProgress, PollAllOptions } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";

const settings = (clock: VirtualClock): PollAllOptions => ({ clock, schedule: fixed(1000), random: () => 0 });

function script(...replies: ScriptedReply[]): ReturnType<typeof scriptedOperation> {
  return scriptedOperation(replies);
}

describe("pollAll", () => {
  test("settles all, in the order of the operations", async () => {
    const clock = createVirtualClock();
    const operations = [
      script("Running", "Running", { status: "Succeeded", properties: 1 }),
      script({ status: "Failed", error: { code: "Boom", message: "" } }),
      script("Running", { status: "Succeeded", properties: 3 }),
    ];
    const results = await clock.runUntilSettled(pollAll(operations, settings(clock)));
    expect(results).toMatchObject([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: { name: "OperationFailedError", code: "Boom" } },
      { status: "fulfilled", value: 3 },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("without operations resolves at once", async () => {
    expect(await pollAll([])).toEqual([]);
  });

  test("polls an operation that is given twice once", async () => {
    const clock = createVirtualClock();
    const operation = script("Running", { status: "Succeeded", properties: 1 });
    const results = await clock.runUntilSettled(pollAll([operation, operation], settings(clock)));
    expect(results).toMatchObject([{ value: 1 }, { value: 1 }]);
    operation.assertFinished();
  });

  test("stops the others after the first failure, with stopOnFailure", async () => {
    const clock = createVirtualClock();
    const slow = script("Running", "Running", "Running");
    const failing = script("Running", "Failed");
    const times: number[] = [];
    const onProgress = (): void => void times.push(clock.now());
    const options = { ...settings(clock), stopOnFailure: true, onProgress };
    const results = await clock.runUntilSettled(pollAll([slow, failing], options));
    expect(results).toMatchObject([
      { status: "rejected", reason: { name: "PollingError", code: "StoppedOnFailure" } },
      { status: "rejected", reason: { name: "OperationFailedError" } },
    ]);
    await clock.advance(600_000);
    expect(slow.polls.length).toBeLessThanOrEqual(2);
    expect(clock.pendingTimers).toBe(0);
    // The last progress comes once.
    expect(new Set(times).size).toBe(times.length);
  });

  test("rejects with its signal's reason, adds one listener to it, and leaves nothing behind", async () => {
    const clock = createVirtualClock();
    const controller = new AbortController();
    const add = vi.spyOn(controller.signal, "addEventListener");
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    const operations = Array.from({ length: 100 }, () => script("Running", "Running"));
    const all = pollAll(operations, { ...settings(clock), abortSignal: controller.signal });
    const wait = all.catch((error: unknown) => error);
    await clock.advance(1500);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(add).toHaveBeenCalledOnce();
    expect(remove).toHaveBeenCalledOnce();
    expect(clock.pendingTimers).toBe(0);
    const pollCount = operations.reduce((sum, operation) => sum + operation.polls.length, 0);
    await clock.advance(600_000);
    expect(operations.reduce((sum, operation) => sum + operation.polls.length, 0)).toBe(pollCount);
  });
});

describe("a group", () => {
  test("sends nothing until a caller waits, and also waits for operations that are added later", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    const first = script("Running", "Succeeded");
    const second = script("Succeeded");
    const poller = group.add(first);
    await clock.advance(60_000);
    expect(first.polls).toHaveLength(0);
    const all = group.pollUntilDone();
    await clock.advance(500);
    group.add(second);
    expect(await clock.runUntilSettled(all)).toMatchObject([
      { status: "fulfilled" },
      { status: "fulfilled" },
    ]);
    expect(poller.isDone).toBe(true);
    expect(group.add(first)).toBe(poller);
  });

  test("iterates over the operations as they finish", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    const operations = [3, 1, 2].map((polls) =>
      script(...Array.from({ length: polls - 1 }, () => "Running"), {
        status: "Succeeded",
        properties: polls,
      }),
    );
    for (const operation of operations) group.add(operation);
    const order: unknown[] = [];
    const iteration = (async () => {
      for await (const { operation, result } of group)
        order.push([operations.findIndex(({ id }) => id === operation.id), result]);
    })();
    await clock.runUntilSettled(iteration);
    expect(order).toEqual([
      [1, { status: "fulfilled", value: 1 }],
      [2, { status: "fulfilled", value: 2 }],
      [0, { status: "fulfilled", value: 3 }],
    ]);
  });

  test("counts a member as finished for which only poll() has seen the end", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    group.add(script("Running"));
    await clock.runUntilSettled(group.add(script("Succeeded")).poll());
    const [total, finished, percentComplete] = [2, 1, 50];
    expect(group.progress).toMatchObject({ total, finished, percentComplete, states: { Succeeded: 1 } });
  });

  test("reports its progress: states, percentage, remaining time", async () => {
    const clock = createVirtualClock();
    const reported: GroupProgress[] = [];
    const group = createPollerGroup({
      ...settings(clock),
      onProgress: (progress) => reported.push(progress),
    });
    group.add(script("Running", { status: "Running", percentComplete: 50 }, "Succeeded"));
    group.add(script("Succeeded"));
    group.add(script("Running", down(), "Failed"));
    expect(group.progress).toMatchObject({
      total: 3,
      finished: 0,
      states: { Unknown: 3 },
      percentComplete: 0,
    });
    const all = group.pollUntilDone();
    await clock.advance(1500);
    expect(group.progress).toEqual({
      total: 3,
      finished: 1,
      states: { Running: 2, Succeeded: 1 },
      percentComplete: 50,
      estimatedRemainingInMs: undefined,
    });
    await clock.runUntilSettled(all);
    expect(reported.at(-1)).toMatchObject({ finished: 3, percentComplete: 100, estimatedRemainingInMs: 0 });
    expect(reported.length).toBeLessThanOrEqual(8);
  });

  test("lets each caller abort its own wait only", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    const operation = script("Running", "Running", "Running", "Succeeded");
    group.add(operation);
    const controller = new AbortController();
    const one = group.pollUntilDone({ abortSignal: controller.signal }).catch((error: unknown) => error);
    const other = group.pollUntilDone();
    await clock.advance(1500);
    controller.abort("enough");
    expect(await one).toBe("enough");
    expect(await clock.runUntilSettled(other)).toMatchObject([{ status: "fulfilled" }]);
  });

  test("can be waited for again after an abort", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    group.add(script("Running", "Running", { status: "Succeeded", properties: 1 }));
    const controller = new AbortController();
    const wait = group.pollUntilDone({ abortSignal: controller.signal }).catch((error: unknown) => error);
    await clock.advance(500);
    controller.abort("enough");
    await wait;
    expect(clock.pendingTimers).toBe(0);
    expect(await clock.runUntilSettled(group.pollUntilDone())).toMatchObject([{ value: 1 }]);
  });
});

function down(): RequestError {
  return new RequestError("down", { kind: "transient" });
}
