import { expect, test } from "vitest";
import { countLater, measure } from "../../bench/arm/measure.ts";
import { isLong } from "../support/long.ts";

// All 200 take minutes: `LONG=1 npx vitest run test/arm/requests.test.ts`, or `npm run bench:arm`.
const count = isLong ? 200 : 5;

test("a deployment of 60 parts takes few requests, and each part's end is seen soon", async () => {
  const { unobserved, observed, observedWithPast, azd, powerShell } = await measure("usual", count);
  expect(observed.requests).toBeLessThan(350);
  expect(observed.requests).toBeLessThan(Math.min(azd, powerShell) / 2);
  expect(observed.medianPartLatenessInMs).toBeLessThan(6000);
  expect(observed.p95PartLatenessInMs).toBeLessThan(25_000);
  expect(observed.unseenParts).toBe(0);
  expect(countLater(observed, unobserved)).toBe(0);
  expect(unobserved.requests).toBeLessThan(60);
  expect(unobserved.requests).toBe(unobserved.polls);

  expect(observedWithPast.requests).toBeLessThan(0.75 * observed.requests);
  expect(observedWithPast.costOfEndInMs).toBeLessThan(0.7 * unobserved.costOfEndInMs);
  expect(observedWithPast.medianPartLatenessInMs).toBeLessThan(6000);
  expect(observedWithPast.p95PartLatenessInMs).toBeLessThan(25_000);
  expect(observedWithPast.percentageError).toBeLessThan(20);
  expect(observed.percentageError).toBeGreaterThan(30);
}, 1_200_000);

test.each([
  ["many", 1],
  ["small", 5],
] as const)("so does one of the size %s", async (size, waits) => {
  const { unobserved, observed, azd } = await measure(size, waits);
  expect(observed.requests).toBeLessThan(azd);
  expect(observed.medianPartLatenessInMs).toBeLessThan(6000);
  expect(observed.p95PartLatenessInMs).toBeLessThan(25_000);
  expect(observed.unseenParts).toBe(0);
  expect(countLater(observed, unobserved)).toBe(0);
});
