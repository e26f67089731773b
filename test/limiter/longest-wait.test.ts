import { describe, expect, test } from "vitest";
import { RequestError, createPoller, fixed, parseRetryAfter } from "lro-poller";
import type { Operation, StatusResponse } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { RateEstimator } from "../../src/limiter/rate-estimator.ts";
import { RequestLimiter } from "../../src/limiter/request-limiter.ts";
import { resumePoller } from "../../src/poller/poller.ts";
import { settled } from "../support/rejections.ts";
import { down } from "../support/scripted-poller.ts";

const day = 86_400_000;
const requests: readonly number[] = ["18446744073709551615", "4294967295", "31536000", "86401"].map(
  (seconds) => parseRetryAfter((name) => (name === "retry-after" ? seconds : undefined), 0) ?? NaN,
);
/** A transport may be the user's own, and skip the parser. */
const unparsed = [4_294_967_295_000, Number.MAX_VALUE, Infinity];
const waits = [...new Set([...requests, ...unparsed])];

describe.each(waits)("a Retry-After of %d ms is a day", (retryAfterInMs) => {
  test("for the wait that got it with a response", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation([{ status: "Running", retryAfterInMs }, "Succeeded"], { clock });
    const options = { clock, schedule: fixed(1000), random: () => 0 };
    await clock.runUntilSettled(createPoller(operation, options).pollUntilDone());
    expect(operation.polls.map(({ startedAt }) => startedAt)).toEqual([0, day]);
  });

  test("for its token", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation([{ status: "Running", retryAfterInMs }, "Succeeded"], { clock });
    const options = { clock, schedule: fixed(1000), random: () => 0 };
    const poller = createPoller(operation, options);
    await clock.runUntilSettled(poller.poll());
    const resumed = resumePoller(operation, poller.toJSON(), options);
    await clock.runUntilSettled(resumed.pollUntilDone());
    expect(clock.now()).toBeLessThanOrEqual(day + 1);
  });

  test("for every wait of its client after a 429", async () => {
    const clock = createVirtualClock();
    const limiter = new RequestLimiter(clock);
    const limited = (replies: Parameters<typeof scriptedOperation>[0]): Operation => ({
      ...scriptedOperation(replies, { clock }),
      limiterFor: () => limiter,
    });
    const throttled = down({ statusCode: 429, retryAfterInMs });
    const one = createPoller(limited([throttled, "Succeeded"]), { clock });
    const other = createPoller(limited(["Succeeded"]), { clock });
    const waiting = settled(one.pollUntilDone());
    await clock.advance(0);
    await clock.runUntilSettled(other.pollUntilDone());
    expect(clock.now()).toBe(day);
    expect(await clock.runUntilSettled(waiting)).toBeUndefined();
  });
});

test("a hint that ends in a thousand years counts for five minutes, and its window for a day", () => {
  const estimator = new RateEstimator();
  estimator.record(0, { isThrottled: false, rateLimit: { remaining: 100, resetInMs: day } });
  estimator.record(0, { isThrottled: false, rateLimit: { remaining: 1, resetInMs: 3e13 } });
  expect(estimator.intervalInMs(299_999)).toBeGreaterThan(0);
  expect(estimator.intervalInMs(300_000)).toBe(0);
  expect(estimator.sustainedIntervalInMs(1)).toBeLessThanOrEqual(day / 100);
});

test("a limiter asks no wait for longer than a day, even if a poll fails so again and again", async () => {
  const clock = createVirtualClock();
  const getStatus = async (): Promise<StatusResponse> => {
    throw new RequestError("429", { kind: "transient", statusCode: 429, retryAfterInMs: Infinity });
  };
  const operation: Operation = { id: "7", toJSON: () => ({}), getStatus };
  const poller = createPoller(operation, { clock, random: () => 0, timeoutInMs: 3.5 * day });
  await clock.runUntilSettled(settled(poller.pollUntilDone()));
  expect(poller.toJSON().pollCount).toBe(4);
});
