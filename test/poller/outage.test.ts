import { RequestLimiter } from "../../src/limiter/request-limiter.ts";
import { describe, expect, test } from "vitest";
import {
  PollingError,
  RequestError,
  createPoller,
  createPollerGroup,
  fixed,
  pollAll,
  pollUntilDone,
} from "lro-poller";
import type { Operation, StatusResponse } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply } from "lro-poller/testing";
import { resumePoller } from "../../src/poller/poller.ts";
import { rejection, settled } from "../support/rejections.ts";
import { down, scriptedPoller } from "../support/scripted-poller.ts";

const succeeded = { status: "Succeeded", properties: 1 };

function failures(count: number, failure: Error): ScriptedReply[] {
  return Array.from({ length: count }, () => failure);
}

describe("a Retry-After", () => {
  test("is no outage, however often it is asked for", async () => {
    const { clock, poller, pollTimes } = scriptedPoller(
      [...failures(20, down({ retryAfterInMs: 310_000 })), succeeded],
      { random: () => 0.99 },
    );
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(pollTimes()).toHaveLength(21);
  });

  test("of a response, which an early poll() ignores, is no outage either", async () => {
    const { clock, poller } = scriptedPoller([
      { status: "Running", retryAfterInMs: 400_000 },
      down(),
      down(),
      succeeded,
    ]);
    const waiting = poller.pollUntilDone();
    await clock.advance(1000);
    await clock.runUntilSettled(rejection(poller.poll()));
    expect(await clock.runUntilSettled(waiting)).toBe(1);
  });

  test("does not prolong an outage that is over", async () => {
    const { clock, poller } = scriptedPoller([down(), down(), down({ retryAfterInMs: 310_000 }), succeeded], {
      outageToleranceInMs: 3000,
    });
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(clock.now()).toBe(3000);
  });

  test("leaves the time around it in the outage", async () => {
    const replies = failures(100, down({ retryAfterInMs: 1000 }));
    const { clock, poller } = scriptedPoller(replies);
    const error = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(error.message).toMatch(/failed polls in 3\d\d s/);
    expect(clock.now()).toBeLessThan(340_000);
  });
});

/** A service that accepts so many requests in each minute, and says no more than Retry-After. */
function limitedService(clock: ReturnType<typeof createVirtualClock>, perMinute: number) {
  let [minute, accepted] = [0, 0];
  const operation = (name: string, durationInMs: number): Operation<number> => ({
    id: name,
    toJSON: () => ({ name }),
    async getStatus(): Promise<StatusResponse<number>> {
      const now = Math.floor(clock.now() / 60_000);
      if (now !== minute) [minute, accepted] = [now, 0];
      if (++accepted > perMinute) {
        const retryAfterInMs = (minute + 1) * 60_000 - clock.now();
        throw new RequestError("HTTP 429", { kind: "transient", statusCode: 429, retryAfterInMs });
      }
      const isOver = clock.now() >= durationInMs;
      return { status: { id: name, name, status: isOver ? "Succeeded" : "Running", properties: 1 } };
    },
  });
  return { operation };
}

test("waiting in the rate limiter is no outage: all of 3,000 operations end, at 300 polls a minute", async () => {
  const clock = createVirtualClock();
  const { operation } = limitedService(clock, 300);
  const operations = Array.from({ length: 3000 }, (_, index) => operation(`${index}`, 60_000 + index * 100));
  const results = await clock.runUntilSettled(pollAll(operations, { clock, random: () => 0.5 }));
  expect(results.filter(({ status }) => status === "rejected")).toEqual([]);
});

const codes = ["ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

function unreachable(code: string): RequestError {
  return new RequestError(`connect ${code} host`, { kind: "transient", code });
}

describe("an endpoint that was never reached", () => {
  test.each(codes)("is told after seconds: %s", async (code) => {
    const { clock, operation, poller, pollTimes } = scriptedPoller(failures(100, unreachable(code)));
    const error = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(error).toMatchObject({
      code,
      message: `Polling operation ${operation.id} failed (4 failed polls in 7 s): connect ${code} host. Check the endpoint.`,
    });
    expect(pollTimes()).toEqual([0, 1000, 3000, 7000]);
  });

  test("may have several causes", async () => {
    const { clock, poller } = scriptedPoller(codes.map(unreachable));
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(clock.now()).toBe(7000);
  });

  test("is told early again when the same poller waits again", async () => {
    const { clock, poller, pollTimes } = scriptedPoller(failures(100, unreachable("ENOTFOUND")));
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(pollTimes()).toHaveLength(8);
  });

  test("is told no later than the outage tolerance says", async () => {
    const options = { outageToleranceInMs: 1000 };
    const { clock, poller } = scriptedPoller(failures(100, unreachable("ENOTFOUND")), options);
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(clock.now()).toBe(1000);
  });

  test.each([
    [3_600_000, PollingError],
    [Infinity, undefined],
  ])("is told the later, the longer the outage tolerance is: %d ms", async (outageToleranceInMs, error) => {
    const options = { outageToleranceInMs, maxRetryDelayInMs: 30_000 };
    const { clock, poller } = scriptedPoller([...failures(50, unreachable("ENOTFOUND")), succeeded], options);
    const end = await clock.runUntilSettled(settled(poller.pollUntilDone()));
    expect(end).toEqual(error ? expect.any(error) : 1);
    if (error) expect(clock.now()).toBeLessThan(100_000);
    expect(clock.now()).toBeGreaterThan(60_000);
  });

  test("is told by poll(), too", async () => {
    const { clock, poller } = scriptedPoller([unreachable("ENOTFOUND")]);
    const error = await rejection(clock.runUntilSettled(poller.poll()), PollingError);
    expect(error.message).toMatch(/ENOTFOUND host\. Check the endpoint\.$/);
  });

  test("rejects each member of a group", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup({ clock });
    for (const code of ["ENOTFOUND", "ECONNREFUSED"])
      group.add(scriptedOperation(failures(100, unreachable(code))));
    const results = await clock.runUntilSettled(group.pollUntilDone());
    expect(results).toMatchObject(["ENOTFOUND", "ECONNREFUSED"].map((code) => ({ reason: { code } })));
    expect(clock.now()).toBeLessThan(10_000);
  });
});

describe("an endpoint that was reached before", () => {
  const fails = [...failures(8, unreachable("ENOTFOUND")), succeeded];

  test.each<[string, ScriptedReply]>([
    ["a response", "Running"],
    ["a failed poll with another code", new RequestError("reset", { kind: "transient", code: "ECONNRESET" })],
    ["an HTTP error", down()],
    ["a body without a status", { status: "" }],
  ])("keeps the patience of the outage tolerance: after %s", async (_, first) => {
    const { clock, poller } = scriptedPoller([first, ...fails]);
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(clock.now()).toBeGreaterThan(100_000);
  });

  test("keeps it in a resumed wait, too", async () => {
    const { clock, operation, poller } = scriptedPoller(["Running", ...fails]);
    await clock.runUntilSettled(poller.poll());
    const resumed = resumePoller(operation, poller.toJSON(), { clock });
    expect(await clock.runUntilSettled(resumed.pollUntilDone())).toBe(1);
  });

  test("shows no advice about the endpoint", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation(["Running", ...failures(100, unreachable("ENOTFOUND"))]);
    const error = await rejection(clock.runUntilSettled(pollUntilDone(operation, { clock })), PollingError);
    expect(error.message).not.toContain("endpoint");
    expect(clock.now()).toBeGreaterThan(300_000);
  });
});

test("a result that stays pending is polled by the schedule", async () => {
  const clock = createVirtualClock();
  const times: number[] = [];
  const words = ["Running", "Succeeded", "Failed", "Running"];
  const operation: Operation = {
    id: "7",
    toJSON: () => ({}),
    async getStatus() {
      times.push(clock.now());
      const status = words[times.length % words.length] ?? "Succeeded";
      return { status: { id: "7", name: "7", status }, isResultPending: true };
    },
  };
  const poller = createPoller(operation, {
    clock,
    schedule: fixed(1000),
    random: () => 0,
    timeoutInMs: 10_500,
  });
  await rejection(clock.runUntilSettled(poller.pollUntilDone()));
  expect(times.length).toBeLessThan(15);
});

test("an outage of five minutes takes no longer where many operations share a limiter that backs off", async () => {
  const clock = createVirtualClock();
  const limiter = new RequestLimiter(clock);
  const busy = new RequestError("HTTP 503", { kind: "transient", statusCode: 503, isThrottled: true });
  const waits = Array.from({ length: 20 }, async (_, index) => {
    const operation: Operation = {
      id: String(index),
      toJSON: () => ({}),
      getStatus: () => Promise.reject(busy),
      limiterFor: () => limiter,
    };
    await rejection(createPoller(operation, { clock, random: () => 0 }).pollUntilDone());
    return clock.now();
  });
  const ends = await clock.runUntilSettled(Promise.all(waits));
  // Each polls a second time when its turn in the backoff of all comes.
  expect(Math.max(...ends)).toBeLessThan(30 * 60_000);
});

test("a wait that another operation's Retry-After asked for is no outage, although a 503 without one follows", async () => {
  const clock = createVirtualClock();
  const limiter = new RequestLimiter(clock);
  const day = 86_400_000;
  const busy = (retryAfterInMs?: number): RequestError =>
    new RequestError("HTTP 503", { kind: "transient", statusCode: 503, isThrottled: true, retryAfterInMs });
  const limited = (replies: readonly ScriptedReply[]): Operation =>
    Object.assign(scriptedOperation(replies), { limiterFor: () => limiter });
  const options = { clock, random: () => 0, schedule: fixed(1000) };
  const failed = new RequestError("HTTP 500", { kind: "transient", statusCode: 500 });
  const one = createPoller(limited(["Running", failed, busy(), "Succeeded"]), options);
  const waiting = one.pollUntilDone();
  await clock.advance(1500);
  await rejection(createPoller(limited([busy(day)]), options).poll());
  await clock.runUntilSettled(waiting);
  expect(clock.now()).toBeGreaterThan(day);
});

test.each([
  ["Running", "PollingError"],
  [undefined, "OperationNotFoundError"],
])("a resumed poller that saw %s takes its first 404 for a %s", async (state, name) => {
  const clock = createVirtualClock();
  const notFound = new RequestError("HTTP 404", { kind: "notFound", statusCode: 404 });
  const now = clock.timestamp();
  const times = { startedAt: now - 3_600_000, savedAt: now };
  const token = {
    version: 1,
    operation: {},
    ...times,
    status: state,
    pollCount: 1,
    failedPollCount: 0,
  } as const;
  const poller = resumePoller(scriptedOperation([notFound]), token, { clock });
  await expect(clock.runUntilSettled(poller.poll())).rejects.toMatchObject({ name });
});
