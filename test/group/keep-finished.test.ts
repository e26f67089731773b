import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPollerGroup, fixed } from "lro-poller";
import type { Operation, PollerGroupOptions } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { settled } from "../support/rejections.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: unknown = runInNewContext("gc");

const settings = (clock: VirtualClock): PollerGroupOptions => ({
  clock,
  schedule: fixed(1000),
  random: () => 0,
  keepFinished: false,
});
const running = Array.from({ length: 100 }, () => "Running");

function ending(properties: number, polls = 1): Operation {
  return scriptedOperation([
    ...running.slice(0, polls),
    { status: properties % 2 === 0 ? "Succeeded" : "Failed", properties },
  ]);
}

describe("a group with keepFinished: false", () => {
  test("keeps nothing of the operations that are over, and counts them", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    const controller = new AbortController();
    group.add(scriptedOperation(running));
    const end = settled(group.pollUntilDone({ abortSignal: controller.signal }));
    const operations: WeakRef<Operation>[] = [];
    for (let count = 0; count < 200; count++) {
      const operation = ending(count);
      operations.push(new WeakRef(operation));
      group.add(operation);
      if (count % 20 === 19) await clock.advance(2000);
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (typeof collectGarbage === "function") collectGarbage();
    expect(operations.filter((operation) => operation.deref() !== undefined).length).toBeLessThan(10);
    expect(group.progress).toMatchObject({
      total: 201,
      finished: 200,
      states: { Running: 1, Succeeded: 100, Failed: 100 },
    });
    expect(group.progress.percentComplete).toBeCloseTo((100 * 200) / 201);
    controller.abort("enough");
    expect(await end).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  test("gives the result to an iteration under way and to the operation's poller, and later to none", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    const poller = group.add(ending(2));
    group.add(ending(4, 3));
    const results: unknown[] = [];
    const iteration = (async () => {
      for await (const { result } of group) results.push(result);
    })();
    await clock.runUntilSettled(iteration);
    expect(results).toEqual([
      { status: "fulfilled", value: 2 },
      { status: "fulfilled", value: 4 },
    ]);
    expect(await poller.pollUntilDone()).toBe(2);
    expect(await group.pollUntilDone()).toEqual([]);
    for await (const { operation } of group) expect.unreachable(operation.id);
  });

  test("polls an operation again that is added again", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    const operation = scriptedOperation(["Succeeded", "Succeeded"]);
    const poller = group.add(operation);
    await clock.runUntilSettled(group.pollUntilDone());
    expect(group.add(operation)).not.toBe(poller);
    await clock.runUntilSettled(group.pollUntilDone());
    operation.assertFinished();
    expect(group.progress).toMatchObject({ total: 2, finished: 2 });
  });

  test("polls every member, however many end while others start", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3 }), { maxLength: 1500, minLength: 900 }), async (polls) => {
        const clock = createVirtualClock();
        const group = createPollerGroup(settings(clock));
        for (const count of polls) group.add(ending(0, count));
        let finished = 0;
        const iteration = (async () => {
          for await (const { result } of group) finished += result.status === "fulfilled" ? 1 : 0;
        })();
        await clock.runUntilSettled(iteration);
        expect(finished).toBe(polls.length);
        expect(group.progress).toMatchObject({ total: polls.length, finished: polls.length });
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 5 },
    );
  });
});
