import * as fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { adaptive, exponential, fixed } from "../../src/index.ts";
import type { AdaptiveScheduleOptions, PollHistory, ProgressHistory } from "../../src/index.ts";
import { observeProgress } from "../../src/schedule/progress-history.ts";
import { spreadUpTo } from "../../src/schedule/schedule.ts";
import { estimateRemaining } from "../../src/schedule/remaining-time.ts";
import { backoffAfterFailure } from "../../src/schedule/backoff.ts";

const unspread = (): number => 0;
const open: AdaptiveScheduleOptions = { minDelayInMs: 0, maxDelayInMs: Infinity };

/** The record of a bar that was read at moments in seconds. */
function recordOf(
  readings: readonly (readonly [seconds: number, percent: number])[],
): ProgressHistory | undefined {
  return readings.reduce<ProgressHistory | undefined>(
    (record, [seconds, percentComplete]) =>
      observeProgress(record, { elapsedInMs: seconds * 1000, percentComplete }),
    undefined,
  );
}

function historyAt(seconds: number, pollCount: number, progress?: ProgressHistory): PollHistory {
  return { elapsedInMs: seconds * 1000, pollCount, progress };
}

/** A bar that is right to the percent, read every `step` seconds until `seconds`. */
function truthful(duration: number, seconds: number, step: number): ProgressHistory | undefined {
  const moments = Array.from({ length: Math.floor(seconds / step) }, (_, i) => (i + 1) * step);
  return recordOf(moments.map((moment) => [moment, Math.floor((100 * moment) / duration)]));
}

const readings = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1e5, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true })),
  {
    maxLength: 40,
  },
);
const percentReadings = fc.oneof(
  readings,
  readings.map((list) => list.map(([at, percent]): [number, number] => [at, Math.round(percent)])),
  readings.map((list) => list.map(([at, percent]): [number, number] => [at, percent / 100])),
);
const histories = fc
  .record({
    readings: percentReadings,
    beyond: fc.double({ min: 0, max: 1e6, noNaN: true }),
    pollCount: fc.nat(5000),
  })
  .map(({ readings: list, beyond, pollCount }) => {
    const ordered = list.toSorted(([a], [b]) => a - b);
    return historyAt((ordered.at(-1)?.[0] ?? 0) + beyond, pollCount, recordOf(ordered));
  });
const pasts = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { maxLength: 30 });

describe("adaptive", () => {
  it("spaces reads by the root of the age where nothing is known", () => {
    const schedule = adaptive({ ...open, pollCostInMs: 3000 });
    let elapsedInMs = 0;
    for (let n = 1; n <= 50; n++) {
      elapsedInMs += schedule({ elapsedInMs, pollCount: n - 1 }, unspread);
      // From h = 0.75/(t + c/4): the root grows by √(c/1.5).
      const root = Math.sqrt(750) + n * Math.sqrt(3000 / 1.5);
      expect(elapsedInMs).toBeCloseTo(root * root - 750, 3);
    }
  });

  it("stays between its bounds, finite, and gives the same for the same, whatever it is told", () => {
    fc.assert(
      fc.property(
        histories,
        pasts,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (history, past, chance) => {
          for (const maxDelayInMs of [30_000, 1e300]) {
            const schedule = adaptive({
              pollCostInMs: 4000,
              minDelayInMs: 700,
              maxDelayInMs,
              pastDurationsInMs: past,
            });
            const delay = schedule(history, () => chance);
            expect(delay).toBeGreaterThanOrEqual(700);
            expect(delay).toBeLessThanOrEqual(maxDelayInMs);
            expect(schedule(structuredClone(history), () => chance)).toBe(delay);
          }
        },
      ),
    );
  });

  it("spreads upward only", () => {
    fc.assert(
      fc.property(histories, fc.double({ min: 0, max: 0.999, noNaN: true }), (history, chance) => {
        const schedule = adaptive({ maxDelayInMs: Infinity });
        const [least, some] = [schedule(history, unspread), schedule(history, () => chance)];
        expect(some).toBeGreaterThanOrEqual(least);
        expect(some).toBeLessThanOrEqual(least * 1.1 + 1e-6);
      }),
    );
  });

  it("reads less often the more a read costs", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 100, max: 10_000 }), (seconds, pollCostInMs) => {
        const history = historyAt(seconds, 3);
        const cheap = adaptive({ ...open, pollCostInMs });
        const dear = adaptive({ ...open, pollCostInMs: 2 * pollCostInMs });
        expect(dear(history, unspread)).toBeGreaterThan(cheap(history, unspread));
      }),
    );
  });

  it("waits longer for a bar that is right and far from its end, and comes soon after it", () => {
    const schedule = adaptive({ ...open });
    const without = schedule(historyAt(300, 20), unspread);
    expect(schedule(historyAt(300, 15, truthful(1000, 300, 20)), unspread)).toBeGreaterThan(1.2 * without);
    const last = schedule(historyAt(980, 25, truthful(1000, 980, 20)), unspread) / 1000;
    expect(last).toBeGreaterThan(3);
    expect(last).toBeLessThan(30);
  });

  it("goes back to what it does without a bar when the bar has stood still for long", () => {
    const schedule = adaptive({ ...open });
    const stuck = recordOf([
      [20, 20],
      [40, 40],
      [60, 60],
      [90, 90],
      [200, 90],
      [400, 90],
      [2000, 90],
    ]);
    const ratio = schedule(historyAt(2000, 60, stuck), unspread) / schedule(historyAt(2000, 60), unspread);
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.5);
  });

  it("never lets a bar make it read more often than the saved reads pay for", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const schedule = adaptive({ ...open });
        const overspent = { ...history, pollCount: 1_000_000 };
        expect(schedule(overspent, unspread)).toBeGreaterThanOrEqual(
          0.999 * schedule({ ...overspent, progress: undefined }, unspread),
        );
      }),
    );
  });

  it("waits for the second kind once the first is past", () => {
    const minutes = [1, 0.9, 1.1, 1, 1.2, 45, 44, 47, 43, 50, 46, 45, 44, 48];
    const schedule = adaptive({ ...open, pastDurationsInMs: minutes.map((minute) => minute * 60_000) });
    expect(schedule(historyAt(55, 5), unspread)).toBeLessThan(15_000);
    expect(schedule(historyAt(120, 10), unspread)).toBeGreaterThan(3 * 60_000);
    expect(schedule(historyAt(45 * 60, 12), unspread)).toBeLessThan(60_000);
  });

  it("knows nothing beyond what was seen", () => {
    const schedule = adaptive({ ...open, pastDurationsInMs: [60_000, 70_000, 80_000] });
    const ratio = schedule(historyAt(36_000, 99), unspread) / adaptive(open)(historyAt(36_000, 99), unspread);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.25);
  });

  it("takes thousands of past durations for no more work than a few hundred", () => {
    const exp = vi.spyOn(Math, "exp");
    onTestFinished(() => exp.mockRestore());
    const history = historyAt(300, 20, truthful(1000, 300, 7));
    const workWith = (count: number): number => {
      const past = Array.from({ length: count }, (_, i) => 60_000 + (500_000 * i) / count);
      exp.mockClear();
      adaptive({ pastDurationsInMs: past })(history, unspread);
      return exp.mock.calls.length;
    };
    expect(workWith(5000)).toBeLessThan(1.2 * workWith(300));
  });

  it.each([
    [{ pollCostInMs: 0 }, "pollCostInMs"],
    [{ minDelayInMs: -1 }, "minDelayInMs"],
    [{ maxDelayInMs: NaN }, "maxDelayInMs"],
    [{ minDelayInMs: 2000, maxDelayInMs: 1000 }, "minDelayInMs"],
    [{ pastDurationsInMs: [1000, -5] }, "pastDurationsInMs"],
    [{ pastDurationsInMs: [Infinity] }, "pastDurationsInMs"],
  ])("refuses %o and names the option", (options, name) => {
    expect(() => adaptive(options)).toThrow(RangeError);
    expect(() => adaptive(options)).toThrow(name);
  });
});

describe("observeProgress", () => {
  it("keeps a record of a fixed size that survives JSON", () => {
    fc.assert(
      fc.property(readings, (list) => {
        const record = recordOf(list.toSorted(([a], [b]) => a - b));
        expect(record?.points.length ?? 0).toBeLessThanOrEqual(12);
        expect(JSON.parse(JSON.stringify({ record }))).toEqual({ record });
      }),
    );
    const long = truthful(1e6, 9e5, 10);
    expect(long?.points).toHaveLength(12);
    expect(JSON.stringify(long).length).toBeLessThan(2000);
  });

  it("passes over answers without a percentage", () => {
    expect(observeProgress(undefined, { elapsedInMs: 1000 })).toBeUndefined();
    const record = recordOf([[1, 5]]);
    expect(observeProgress(record, { elapsedInMs: 2000 })).toBe(record);
  });

  it("finds the steps of the bar", () => {
    expect(
      recordOf([
        [1, 0],
        [2, 20],
        [3, 30],
      ])?.quantum,
    ).toBe(10);
    expect(
      recordOf([
        [1, 0],
        [2, 20],
        [3, 31],
      ])?.quantum,
    ).toBe(1);
    expect(
      recordOf([
        [1, 0.5],
        [2, 0.75],
      ])?.quantum,
    ).toBeCloseTo(0.25);
  });
});

describe("the estimate", () => {
  it("is right for a bar that is right, and holds the truth in its range", () => {
    const estimate = estimateRemaining(historyAt(600, 20, truthful(1000, 600, 30)));
    expect(estimate?.estimatedRemainingInMs).toBeGreaterThan(360_000);
    expect(estimate?.estimatedRemainingInMs).toBeLessThan(450_000);
    const [least = NaN, most = NaN] = estimate?.estimatedRemainingRangeInMs ?? [];
    expect(least).toBeLessThan(400_000);
    expect(most).toBeGreaterThan(400_000);
  });

  it("is absent where it would be a guess", () => {
    expect(estimateRemaining(historyAt(600, 20))).toBeUndefined();
    expect(
      estimateRemaining(
        historyAt(
          600,
          20,
          recordOf([
            [1, 0],
            [600, 0],
          ]),
        ),
      ),
    ).toBeUndefined();
    const jumping = recordOf([
      [1, 80],
      [2, 10],
      [4, 90],
      [8, 5],
      [20, 70],
      [50, 20],
      [90, 95],
      [100, 3],
    ]);
    expect(estimateRemaining(historyAt(100, 8, jumping))).toBeUndefined();
  });

  it("comes from past durations where there is no bar", () => {
    const minutes = [8, 9, 10, 10, 10, 11, 12];
    const { estimate } = adaptive({ pastDurationsInMs: minutes.map((minute) => minute * 60_000) });
    const remaining = estimate?.(historyAt(60, 3));
    expect(remaining?.estimatedRemainingInMs).toBeGreaterThan(8.5 * 60_000);
    expect(remaining?.estimatedRemainingInMs).toBeLessThan(9.5 * 60_000);
  });

  it("is in order and finite, whatever it is told", () => {
    fc.assert(
      fc.property(histories, pasts, (history, past) => {
        const estimate = adaptive({ pastDurationsInMs: past }).estimate?.(history);
        if (estimate === undefined) return;
        const [least, most] = estimate.estimatedRemainingRangeInMs;
        expect(least).toBeGreaterThanOrEqual(0);
        expect(estimate.estimatedRemainingInMs).toBeGreaterThanOrEqual(least);
        expect(most).toBeGreaterThanOrEqual(estimate.estimatedRemainingInMs);
        expect(most).toBeLessThan(Infinity);
      }),
    );
  });
});

describe("what overflows", () => {
  it.each([NaN, Infinity, Number.MAX_SAFE_INTEGER])(
    "a wait of %s is half a minute, within its bounds",
    (delayInMs) => {
      expect(spreadUpTo(60_000, delayInMs, 0, () => 0.5)).toBe(30_000);
      expect(spreadUpTo(10_000, delayInMs, 0, () => 0.5)).toBe(10_000);
      expect(spreadUpTo(Infinity, delayInMs, 50_000, () => 0.5)).toBe(50_000);
    },
  );
});

describe("the simple schedules", () => {
  it("doubles, up to the longest wait", () => {
    const schedule = exponential({ initialDelayInMs: 1000, maxDelayInMs: 5000 });
    const delays = [1, 2, 3, 4, 5].map((pollCount) => schedule({ elapsedInMs: 0, pollCount }, unspread));
    expect(delays.slice(0, 3)).toEqual([1000, 2000, 4000]);
    expect(delays[3]).toBeGreaterThan(4500);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5000);
    expect(() => exponential({ factor: 0.5 })).toThrow("factor");
  });

  it("stays at nothing from nothing, however often it is asked", () => {
    const schedule = exponential({ initialDelayInMs: 0 });
    for (const pollCount of [1, 10, 1026, 1e9]) {
      expect(schedule({ elapsedInMs: 0, pollCount }, () => 0)).toBe(0);
    }
  });

  it("waits the same every time", () => {
    expect(fixed(1234)({ elapsedInMs: 0, pollCount: 7 }, Math.random)).toBe(1234);
    expect(() => fixed(-1)).toThrow("delayInMs");
  });

  it("backs off after failures, spread upward, never beyond the cap", () => {
    expect(backoffAfterFailure(1, 30_000, unspread)).toBe(1000);
    expect(backoffAfterFailure(3, 30_000, unspread)).toBe(4000);
    expect(backoffAfterFailure(99, 30_000, () => 0.999)).toBeLessThanOrEqual(30_000);
  });
});
