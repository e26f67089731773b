import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RequestLimiter, createPollerGroup, fixed, pollAll } from "lro-poller";
import type { Operation, PollAllOptions } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { settled, microtasks } from "../support/rejections.ts";
import { down, forever } from "../support/scripted-poller.ts";

const settings = (clock: VirtualClock): PollAllOptions => ({ clock, schedule: fixed(1000), random: () => 0 });
const succeeded = { status: "Succeeded", properties: 1 } as const;
/** More than are needed: a poll that is aborted uses up its reply. */
const manySuccesses = Array.from({ length: 60 }, () => succeeded);

describe("stopOnFailure", () => {
  test("names the failed operation in the error of every other, however many they are", async () => {
    const clock = createVirtualClock();
    const failed = scriptedOperation(["Running", "Failed"]);
    const others = Array.from({ length: 5000 }, () => scriptedOperation(["Running", "Running", "Running"]));
    const all = pollAll([failed, ...others], { ...settings(clock), stopOnFailure: true });
    const [, ...results] = await clock.runUntilSettled(all);
    const reasons = new Set(results.map((result) => result.status === "rejected" && String(result.reason)));
    expect(Array.from(reasons)).toEqual([expect.stringContaining(failed.id)]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("an operation that is added", () => {
  test("by a listener when all others are over is also waited for", async () => {
    const clock = createVirtualClock();
    const next = scriptedOperation(["Running", succeeded]);
    const group = createPollerGroup(settings(clock));
    group.onProgress(({ total, finished }) => {
      if (total === 1 && finished === 1) group.add(next);
    });
    group.add(scriptedOperation(["Running", succeeded]));
    const results = await clock.runUntilSettled(group.pollUntilDone());
    expect(results).toMatchObject([{ value: 1 }, { value: 1 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([
    [0, 700],
    [600, 700],
  ])("while member %d of %d starts is polled once, and waited for", async (at, size) => {
    const clock = createVirtualClock();
    const group = createPollerGroup(settings(clock));
    const late = scriptedOperation(["Running", succeeded]);
    for (let count = 0; count < size; count++) {
      const operation = scriptedOperation(["Running", succeeded]);
      group.add(count === at ? onPoll(operation, () => void group.add(late)) : operation);
    }
    const results = await clock.runUntilSettled(group.pollUntilDone());
    expect(results).toHaveLength(size + 1);
    expect(results.every(({ status }) => status === "fulfilled")).toBe(true);
    late.assertFinished();
    expect(group.progress).toMatchObject({ total: size + 1, finished: size + 1 });
  });
});

/** Calls a function with each poll, the first of which comes as soon as a caller waits. */
function onPoll<P>(operation: Operation<P>, act: () => void): Operation<P> {
  return {
    ...operation,
    // With a limiter of its own its first poll is not delayed.
    limiterFor: (clock) => new RequestLimiter(clock),
    getStatus: (options) => {
      act();
      return operation.getStatus(options);
    },
  };
}

describe("a group whose wait is aborted while its members start", () => {
  test("polls none of the members that have not started", async () => {
    const clock = createVirtualClock();
    const controller = new AbortController();
    const others = Array.from({ length: 9 }, () => scriptedOperation(["Running"]));
    const first = onPoll(scriptedOperation(["Running"]), () => controller.abort("enough"));
    const all = pollAll([first, ...others], { ...settings(clock), abortSignal: controller.signal });
    expect(await settled(all)).toBe("enough");
    await clock.advance(600_000);
    expect(others.flatMap(({ polls }) => polls)).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("and started again at once waits for each member once", async () => {
    const clock = createVirtualClock();
    const controller = new AbortController();
    const group = createPollerGroup(settings(clock));
    const waits: Promise<PromiseSettledResult<unknown>[]>[] = [];
    const first = onPoll(scriptedOperation([succeeded, succeeded]), () => {
      if (controller.signal.aborted) return;
      controller.abort("enough");
      waits.push(group.pollUntilDone());
    });
    group.add(first);
    for (let count = 0; count < 5; count++) group.add(scriptedOperation(["Running", succeeded]));
    expect(await settled(group.pollUntilDone({ abortSignal: controller.signal }))).toBe("enough");
    await clock.advance(10_000);
    expect(group.progress).toMatchObject({ total: 6, finished: 6 });
    const [results] = await Promise.all(waits);
    expect(results?.map(({ status }) => status)).toEqual(Array(6).fill("fulfilled"));
    expect(clock.pendingTimers).toBe(0);
  });
});

test("an iterator over a group that is returned while its next() is pending ends at once, and stops the group", async () => {
  const clock = createVirtualClock();
  const group = createPollerGroup(settings(clock));
  const operation = scriptedOperation(["Running", "Running"]);
  group.add(operation);
  const iterator = group[Symbol.asyncIterator]();
  const next = iterator.next();
  await clock.advance(0);
  expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
  expect(await next).toEqual({ done: true, value: undefined });
  await clock.advance(60_000);
  expect(operation.polls).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});

test("polls that throw synchronously all reject, however many are queued", async () => {
  const clock = createVirtualClock();
  const getStatus = (): never => {
    throw new TypeError("x is not a function");
  };
  const slow = scriptedOperation([forever, succeeded]);
  const broken = Array.from({ length: 3000 }, () => ({ ...scriptedOperation([]), getStatus }));
  const limits = { maxConcurrency: 1, requestTimeoutInMs: 5000 };
  const all = pollAll<unknown>([slow, ...broken], { ...settings(clock), ...limits });
  const [first, ...others] = await clock.runUntilSettled(all);
  expect(first).toMatchObject({ status: "fulfilled", value: 1 });
  const reasons = others.map((result) => result.status === "rejected" && String(result.reason));
  expect(reasons.filter((reason) => String(reason).includes("x is not a function"))).toHaveLength(3000);
  expect(clock.pendingTimers).toBe(0);
});

test("whatever callers do, nothing is left behind, and the next wait resolves with every result", async () => {
  const reply = fc.constantFrom<ScriptedReply>("Running", down(), down({ retryAfterInMs: 3000 }), forever);
  const action = fc.oneof(
    fc.constantFrom("wait", "iterate", "pollOne", "listen"),
    fc.record({ add: fc.array(reply, { maxLength: 4 }) }),
    fc.record({ abort: fc.nat() }),
    fc.record({ advance: fc.integer({ min: 0, max: 4000 }) }),
    fc.record({ microtasks: fc.nat({ max: 12 }) }),
  );
  const script = fc.record({
    actions: fc.array(action, { maxLength: 40 }),
    maxConcurrency: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(script, async ({ actions, maxConcurrency }) => {
      const clock = createVirtualClock();
      const inFlight = new Set<object>();
      let maxInFlight = 0;
      const counted =
        (one: ScriptedReply): ScriptedReply =>
        async (poll) => {
          inFlight.add(poll);
          maxInFlight = Math.max(maxInFlight, inFlight.size);
          poll.abortSignal.addEventListener("abort", () => inFlight.delete(poll));
          await Promise.resolve();
          const response = await (typeof one === "function" ? one(poll) : one);
          inFlight.delete(poll);
          return response;
        };
      const group = createPollerGroup({ ...settings(clock), maxConcurrency, requestTimeoutInMs: 2500 });
      const callers: AbortController[] = [];
      const ends: Promise<unknown>[] = [];
      const pollers = [group.add(scriptedOperation(manySuccesses.map(counted)))];
      for (const step of actions) {
        const caller = new AbortController();
        const options = { abortSignal: caller.signal };
        if (step === "listen") group.onProgress(({ total }) => total);
        else if (step === "wait") {
          callers.push(caller);
          ends.push(settled(group.pollUntilDone(options)));
        } else if (step === "iterate") {
          ends.push(firstOf(group));
        } else if (step === "pollOne") {
          callers.push(caller);
          ends.push(settled(pollers[callers.length % pollers.length]?.poll(options) ?? Promise.resolve()));
        } else if ("add" in step) {
          pollers.push(group.add(scriptedOperation([...step.add, ...manySuccesses].map(counted))));
        } else if ("abort" in step) callers[step.abort % Math.max(1, callers.length)]?.abort();
        else if ("advance" in step) await clock.advance(step.advance);
        else await microtasks(step.microtasks);
      }
      for (const caller of callers) caller.abort();
      const results = await clock.runUntilSettled(group.pollUntilDone());
      await clock.advance(0);
      await Promise.all(ends);
      expect(results.map(({ status }) => status)).toEqual(pollers.map(() => "fulfilled"));
      expect(group.progress).toMatchObject({ total: pollers.length, finished: pollers.length });
      expect(clock.pendingTimers).toBe(0);
      expect(inFlight.size).toBe(0);
      expect(maxInFlight).toBeLessThanOrEqual(maxConcurrency);
    }),
  );
});

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

test("an iterator whose next() is called by the first poll is one caller, and leaves nothing when it is returned", async () => {
  const clock = createVirtualClock();
  const group = createPollerGroup(settings(clock));
  const iterator = group[Symbol.asyncIterator]();
  const ends: Promise<unknown>[] = [];
  const operation = scriptedOperation(["Running", "Running", succeeded]);
  group.add(onPoll(operation, () => ends.length < 2 && ends.push(iterator.next())));
  ends.push(iterator.next());
  await clock.advance(500);
  await iterator.return?.();
  await Promise.all(ends);
  expect(clock.pendingTimers).toBe(0);
  expect(operation.polls).toHaveLength(1);
});
