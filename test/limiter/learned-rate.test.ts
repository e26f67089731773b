import { describe, expect, test } from "vitest";
import { pollLimited } from "../../bench/many/limited-fleet.ts";
import { limitPerMinute } from "../../bench/many/limited-service.ts";

const withHeaders = { hasRateHeaders: true, hasRetryAfter: true } as const;
const withRetryAfter = { hasRateHeaders: false, hasRetryAfter: true } as const;
const withNeither = { hasRateHeaders: false, hasRetryAfter: false } as const;

describe("600 operations at a service that accepts 300 requests a minute", () => {
  test.each([
    ["in windows, with rate headers", withHeaders, 0],
    ["in windows, with Retry-After alone", withRetryAfter, 0.01],
    ["in windows, with neither", withNeither, 0.01],
    [
      "in windows that end at another time, with Retry-After alone",
      { ...withRetryAfter, firstResetInMs: 7000 },
      0.01,
    ],
    ["in windows that end at another time, with neither", { ...withNeither, firstResetInMs: 50_000 }, 0.01],
    ["from a bucket, with Retry-After alone", { ...withRetryAfter, kind: "bucket" as const }, 0.01],
    ["from a bucket, with neither", { ...withNeither, kind: "bucket" as const }, 0.01],
  ])("%s: hardly any poll gets a 429 from the third minute on", async (_, options, mostThrottled) => {
    const { service, rejected } = await pollLimited({ count: 600, minutes: [30, 90], ...options });
    expect(rejected).toBe(0);
    const { requests, throttled } = service.countOf(2);
    expect(throttled / requests).toBeLessThanOrEqual(mostThrottled);
    // After the first ten minutes, in which all wait for their second poll.
    const busy = service.countOf(10, 30);
    expect(busy.requests / (20 * limitPerMinute)).toBeGreaterThan(0.85);
    expect(service.longestGapInMs).toBeLessThan(15 * 60_000);
  });
});

test.each([
  ["with rate headers", withHeaders],
  ["with Retry-After alone", withRetryAfter],
  ["with neither", withNeither],
])("none of 3,000 operations is rejected because its polls wait for their turn, %s", async (_, options) => {
  const { service, rejected } = await pollLimited({ count: 3000, minutes: [5, 20], ...options });
  expect(rejected).toBe(0);
  expect(service.longestGapInMs).toBeLessThan(20 * 60_000);
});
