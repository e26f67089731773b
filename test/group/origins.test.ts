import { describe, expect, test } from "vitest";
import { RequestError, RequestLimiter, createPollerGroup, fixed } from "lro-poller";
import type { Operation, PollerGroupOptions } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedOperation, ScriptedPoll, ScriptedReply, VirtualClock } from "lro-poller/testing";
import { settled } from "../support/rejections.ts";

const settings = (clock: VirtualClock): PollerGroupOptions => ({
  clock,
  schedule: fixed(1000),
  random: () => 0,
});
const throttled = new RequestError("HTTP 429", {
  kind: "transient",
  isThrottled: true,
  retryAfterInMs: 600_000,
});
const running = Array.from({ length: 700 }, (): ScriptedReply => "Running");

/** Operations of one origin: they share a rate limiter. */
function origin(clock: VirtualClock, scripts: readonly (readonly ScriptedReply[])[]): ScriptedOperation[] {
  const limiter = new RequestLimiter(clock);
  return scripts.map((replies) =>
    Object.assign(scriptedOperation([...replies, ...running], { clock }), { limiterFor: () => limiter }),
  );
}

function timesOf(operations: readonly ScriptedOperation[]): number[] {
  return operations
    .flatMap(({ polls }) => polls.map(({ startedAt = NaN }) => startedAt))
    .toSorted((a, b) => a - b);
}

/** Polls the operations in one group, for so long. */
async function pollFor(
  durationInMs: number,
  clock: VirtualClock,
  operations: readonly Operation[],
  limits: PollerGroupOptions,
): Promise<void> {
  const controller = new AbortController();
  const group = createPollerGroup({ ...settings(clock), ...limits, abortSignal: controller.signal });
  for (const operation of operations) group.add(operation);
  const end = settled(group.pollUntilDone());
  await clock.advance(durationInMs);
  controller.abort("enough");
  expect(await end).toBe("enough");
  // Responses that are under way.
  await clock.advance(1000);
  expect(clock.pendingTimers).toBe(0);
}

describe("in a group with limits, a Retry-After", () => {
  test.each<[string, PollerGroupOptions]>([
    ["maxConcurrency", { maxConcurrency: 2 }],
    ["requestsPerMinute", { requestsPerMinute: 600 }],
    ["both", { maxConcurrency: 1, requestsPerMinute: 600 }],
  ])("of one origin delays no other origin: %s", async (_, limits) => {
    const clock = createVirtualClock();
    const first = origin(clock, [[throttled], [], []]);
    const second = origin(clock, [[], []]);
    await pollFor(300_000, clock, [...first, ...second], limits);
    // Those whose requests were sent before the 429 came.
    expect(timesOf(first).length).toBeLessThanOrEqual(3);
    expect(timesOf(second).length).toBeGreaterThan(500);
  });

  test("that the client got outside of the group delays the group too, and the other way round", async () => {
    const clock = createVirtualClock();
    const [one, other] = origin(clock, [[throttled], []]);
    if (one === undefined || other === undefined) throw new Error("expected two");
    await pollFor(100, clock, [one], { maxConcurrency: 4 });
    await pollFor(300_000, clock, [other], {});
    await pollFor(296_000, clock, [other], { maxConcurrency: 4 });
    expect(timesOf([other])).toEqual([]);
    await pollFor(10_000, clock, [other], { maxConcurrency: 4 });
    expect(timesOf([other])[0]).toBe(600_000);
  });
});

describe("the limits of a group count for all its origins together:", () => {
  test("maxConcurrency", async () => {
    const clock = createVirtualClock();
    const inFlight = new Set<AbortSignal>();
    let maxInFlight = 0;
    const slow = async ({ abortSignal }: ScriptedPoll): Promise<"Running"> => {
      maxInFlight = Math.max(maxInFlight, inFlight.add(abortSignal).size);
      abortSignal.addEventListener("abort", () => inFlight.delete(abortSignal));
      await new Promise<void>((resolve) => void clock.setTimer(resolve, 700));
      inFlight.delete(abortSignal);
      return "Running";
    };
    const script = Array.from({ length: 100 }, () => slow);
    const origins = [1, 2, 3].map(() => origin(clock, [script, script, script]));
    await pollFor(100_000, clock, origins.flat(), { maxConcurrency: 2 });
    expect(maxInFlight).toBe(2);
    const counts = origins.map((operations) => timesOf(operations).length);
    // All is used, and no origin has less than half of its share.
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(270);
    expect(Math.min(...counts)).toBeGreaterThan(45);
  });

  test("requestsPerMinute", async () => {
    const clock = createVirtualClock();
    const origins = [1, 2].map(() => origin(clock, [[], [], []]));
    await pollFor(600_000, clock, origins.flat(), { requestsPerMinute: 60 });
    const times = timesOf(origins.flat());
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000 - 1e-6);
    expect(times.length).toBeGreaterThan(450);
    for (const operations of origins) expect(timesOf(operations).length).toBeGreaterThan(times.length / 4);
  });
});
