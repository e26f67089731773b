import { describe, expect, test } from "vitest";
import { createPoller, pollAll } from "lro-poller";
import type { Operation } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { fallbackLogger } from "../../src/poller/subscribers.ts";
import { RequestLimiter } from "../../src/limiter/request-limiter.ts";

const bug = new RangeError("of the user");

function thrower(): never {
  throw bug;
}

const observer = { onResponse: thrower, onFailedPoll: thrower, onEnd: thrower };

/** Parts of an operation that throw, where nothing but the wait itself may notice. */
const harmless: readonly [string, (operation: Operation) => object][] = [
  ["observe", () => ({ observe: thrower })],
  ["an observer", () => ({ observe: () => observer })],
  [
    "an observer's getStatusOptions",
    () => ({ observe: () => Object.defineProperty({ ...observer }, "getStatusOptions", { get: thrower }) }),
  ],
  ["the getter of id", (operation) => Object.defineProperty({ ...operation }, "id", { get: thrower })],
  [
    "the getter of logger",
    (operation) => Object.defineProperty({ ...operation }, "logger", { get: thrower }),
  ],
  [
    "the getter of a logger's level",
    () => ({ logger: Object.defineProperty({ ...fallbackLogger }, "info", { get: thrower }) }),
  ],
  ["onAbandoned", () => ({ onAbandoned: thrower, logger: { ...fallbackLogger, error: thrower } })],
];

/** Parts that a poll needs: it fails, and is retried. */
const needed: readonly [string, (operation: Operation) => object][] = [
  // A poller reads it once when it is created.
  ["the getter of initialRequest", (operation) => failing(2, operation, "initialRequest", undefined)],
  ["the getter of needsNoRequest", (operation) => failingOnce(operation, "needsNoRequest", false)],
  [
    "the getter of needsNoRequest after the initial request",
    () => failingOnce({ initialRequest: Promise.resolve() }, "needsNoRequest", false),
  ],
  // A wait reads it first to spread the start of many.
  ["limiterFor", () => ({ limiterFor: failingTimes(2) })],
  ["limiterFor of the first poll", () => ({ limiterFor: failingTimes(1, 1) })],
  [
    "an observer's option",
    () => ({
      observe: () => ({ ...observer, getStatusOptions: failingOnce({}, "tracingOptions", undefined) }),
    }),
  ],
];

function failingOnce(target: object, name: string, value: unknown): object {
  return failing(1, target, name, value);
}

function failingTimes(times: number, after = 0): () => undefined {
  let calls = 0;
  return () => (++calls > after && calls <= after + times ? thrower() : undefined);
}

function failing(times: number, target: object, name: string, value: unknown): object {
  let reads = 0;
  const get = (): unknown => (reads++ < times ? thrower() : value);
  return Object.defineProperty({ ...target }, name, { get, enumerable: true });
}

/** The operation with these properties as they are: a spread of them would call the getters. */
function withParts(operation: Operation, parts: object): Operation {
  return Object.defineProperties({ ...operation }, Object.getOwnPropertyDescriptors(parts));
}

describe("an operation whose code throws", () => {
  test.each(harmless)("in %s is polled all the same", async (_, partsOf) => {
    const clock = createVirtualClock();
    const scripted = scriptedOperation(["Running", { status: "Succeeded", properties: 1 }]);
    const poller = createPoller(withParts(scripted, partsOf(scripted)), { clock });
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
    expect(scripted.polls).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each(needed)("in %s has a failed poll, and the wait goes on", async (_, partsOf) => {
    const clock = createVirtualClock();
    const scripted = scriptedOperation([{ status: "Succeeded", properties: 1 }]);
    const failedPolls: unknown[] = [];
    const poller = createPoller(withParts(scripted, partsOf(scripted)), {
      clock,
      onFailedPoll: ({ error }) => failedPolls.push(error.cause),
    });
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
    expect(failedPolls).toEqual([bug]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("each time in limiterFor ends its own wait, and no other", async () => {
    const clock = createVirtualClock();
    const bad = (error: Error): Operation => ({
      ...scriptedOperation(["Running"]),
      limiterFor: () => {
        throw error;
      },
    });
    const results = await clock.runUntilSettled(
      pollAll([bad(bug), bad(new TypeError("of the user")), scriptedOperation(["Running", "Succeeded"])], {
        clock,
      }),
    );
    const failed = { status: "rejected", reason: { name: "PollingError" } };
    expect(results).toMatchObject([failed, failed, { status: "fulfilled" }]);
    expect(String(results[0]?.status === "rejected" && results[0].reason)).toContain(bug.message);
    expect(clock.pendingTimers).toBe(0);
    const poll = createPoller(bad(bug), { clock }).poll();
    await expect(clock.runUntilSettled(poll)).rejects.toMatchObject({ name: "PollingError" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("in a limiter has a failed poll", async () => {
    const clock = createVirtualClock();
    const limiter = new RequestLimiter(clock);
    let calls = 0;
    const acquire = (start: () => void): (() => void) =>
      calls++ === 0 ? thrower() : new RequestLimiter(clock).acquire(start);
    const limiterFor = () => Object.defineProperty(limiter, "acquire", { value: acquire });
    const operation = { ...scriptedOperation([{ status: "Succeeded", properties: 1 }]), limiterFor };
    await expect(clock.runUntilSettled(createPoller(operation, { clock }).pollUntilDone())).resolves.toBe(1);
  });
});
