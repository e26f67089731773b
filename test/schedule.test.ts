import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exponential, fixed, pricedSchedule } from "lro-poller";
import type { Schedule } from "lro-poller";

const noJitter = (): number => 0;

/** The moments of the reads that a schedule asks for, from the first at 0. */
function readsUntil(endInMs: number, schedule: Schedule): number[] {
  const reads = [0];
  for (let elapsedInMs = 0; elapsedInMs < endInMs;) {
    elapsedInMs += schedule({ elapsedInMs, pollCount: reads.length }, noJitter);
    reads.push(Math.round(elapsedInMs));
  }
  return reads;
}

describe("the priced schedule", () => {
  test("without knowledge puts the n-th read at price·n²/2", () => {
    const schedule = pricedSchedule({ pollCostInMs: 1000, minDelayInMs: 0, maxDelayInMs: Infinity });
    expect(readsUntil(12_000, schedule)).toEqual([0, 500, 2000, 4500, 8000, 12_500]);
  });

  test("keeps its defaults: a second at least, thirty seconds at most", () => {
    const reads = readsUntil(3_600_000, pricedSchedule());
    const gaps = reads.slice(1).map((read, index) => read - (reads[index] ?? 0));
    expect(Math.min(...gaps)).toBe(1000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30_000);
    expect(gaps.at(-1)).toBeGreaterThan(27_000);
  });

  test.each<[string, () => Schedule]>([
    [
      "pollCostInMs: expected a positive finite number of milliseconds, got 0",
      () => pricedSchedule({ pollCostInMs: 0 }),
    ],
    [
      "minDelayInMs: expected a non-negative finite number of milliseconds, got -1",
      () => pricedSchedule({ minDelayInMs: -1 }),
    ],
    [
      "maxDelayInMs: expected a non-negative number of milliseconds, got NaN",
      () => pricedSchedule({ maxDelayInMs: NaN }),
    ],
    [
      "minDelayInMs (9) must not be above maxDelayInMs (8)",
      () => pricedSchedule({ minDelayInMs: 9, maxDelayInMs: 8 }),
    ],
    ["factor: expected a number of at least 1, got 0", () => exponential({ factor: 0 })],
    ["delayInMs: expected a non-negative finite number of milliseconds, got Infinity", () => fixed(Infinity)],
  ])("%s", (message, make) => {
    expect(make).toThrow(new RangeError(message));
  });
});

describe("simple schedules", () => {
  test("exponential doubles from a second to thirty", () => {
    const gaps = [1, 2, 3, 4, 5, 6, 7].map((pollCount) =>
      exponential()({ elapsedInMs: 0, pollCount }, noJitter),
    );
    expect(gaps.map(Math.round)).toEqual([1000, 2000, 4000, 8000, 16_000, 27_273, 27_273]);
  });

  test("fixed is fixed to the millisecond", () => {
    expect(fixed(2500)({ elapsedInMs: 1e6, pollCount: 9 }, () => 0.5)).toBe(2500);
  });
});

test("whatever the history, the delay is within its bounds", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e12, noNaN: true }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 0, max: 1e6 }),
      (elapsedInMs, chance, minDelayInMs, range) => {
        const maxDelayInMs = minDelayInMs + range;
        const delay = pricedSchedule({ minDelayInMs, maxDelayInMs })(
          { elapsedInMs, pollCount: 1 },
          () => chance,
        );
        expect(delay).toBeGreaterThanOrEqual(minDelayInMs);
        expect(delay).toBeLessThanOrEqual(maxDelayInMs);
      },
    ),
  );
});
