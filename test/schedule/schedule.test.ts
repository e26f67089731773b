import * as fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { adaptive, exponential, fixed } from "../../src/index.ts";
import type { AdaptiveScheduleOptions, PollHistory, ProgressHistory } from "../../src/index.ts";
import { observeProgress } from "../../src/schedule/progress-history.ts";
import { withJitterUpTo } from "../../src/schedule/schedule.ts";
import { estimateRemaining } from "../../src/schedule/remaining-time.ts";
import { backoffAfterFailure } from "../../src/schedule/backoff.ts";
import { forecastsOf } from "../../src/schedule/forecast.ts";

const withoutJitter = (): number => 0;
const open: AdaptiveScheduleOptions = { minDelayInMs: 0, maxDelayInMs: Infinity };

/** The progress history of a percentage that was reported at moments in seconds. */
function progressOf(
  reported: readonly (readonly [seconds: number, percent: number])[],
): ProgressHistory | undefined {
  return reported.reduce<ProgressHistory | undefined>(
    (progress, [seconds, percentComplete]) =>
      observeProgress(progress, { elapsedInMs: seconds * 1000, percentComplete }),
    undefined,
  );
}

function historyAt(seconds: number, pollCount: number, progress?: ProgressHistory): PollHistory {
  return { elapsedInMs: seconds * 1000, pollCount, progress };
}

/** A percentage that is right to the percent, polled every `step` seconds until `seconds`. */
function truthful(duration: number, seconds: number, step: number): ProgressHistory | undefined {
  const moments = Array.from({ length: Math.floor(seconds / step) }, (_, i) => (i + 1) * step);
  return progressOf(moments.map((moment) => [moment, Math.floor((100 * moment) / duration)]));
}

const reported = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1e5, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true })),
  {
    maxLength: 40,
  },
);
const reportedPercentages = fc.oneof(
  reported,
  reported.map((list) => list.map(([at, percent]): [number, number] => [at, Math.round(percent)])),
  reported.map((list) => list.map(([at, percent]): [number, number] => [at, percent / 100])),
);
const histories = fc
  .record({
    reported: reportedPercentages,
    beyond: fc.double({ min: 0, max: 1e6, noNaN: true }),
    pollCount: fc.nat(5000),
  })
  .map(({ reported: list, beyond, pollCount }) => {
    const ordered = list.toSorted(([a], [b]) => a - b);
    return historyAt((ordered.at(-1)?.[0] ?? 0) + beyond, pollCount, progressOf(ordered));
  });
const pasts = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { maxLength: 30 });

describe("adaptive", () => {
  it("spaces polls by the square root of the age without information", () => {
    const schedule = adaptive({ ...open, pollCostInMs: 3000 });
    let elapsedInMs = 0;
    for (let n = 1; n <= 50; n++) {
      elapsedInMs += schedule({ elapsedInMs, pollCount: n - 1 }, withoutJitter);
      // From h = 0.75/(t + c/4): the root grows by √(c/1.5).
      const root = Math.sqrt(750) + n * Math.sqrt(3000 / 1.5);
      expect(elapsedInMs).toBeCloseTo(root * root - 750, 3);
    }
  });

  it("is finite, within its bounds and pure, for any history", () => {
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

  it("adds jitter upward only", () => {
    fc.assert(
      fc.property(histories, fc.double({ min: 0, max: 0.999, noNaN: true }), (history, chance) => {
        const schedule = adaptive({ maxDelayInMs: Infinity });
        const [min, some] = [schedule(history, withoutJitter), schedule(history, () => chance)];
        expect(some).toBeGreaterThanOrEqual(min);
        expect(some).toBeLessThanOrEqual(min * 1.1 + 1e-6);
      }),
    );
  });

  it("polls less often the higher the price of a poll", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 100, max: 10_000 }), (seconds, pollCostInMs) => {
        const history = historyAt(seconds, 3);
        const cheap = adaptive({ ...open, pollCostInMs });
        const expensive = adaptive({ ...open, pollCostInMs: 2 * pollCostInMs });
        expect(expensive(history, withoutJitter)).toBeGreaterThan(cheap(history, withoutJitter));
      }),
    );
  });

  it("waits longer for a truthful percentage far from its end, and polls soon after the end", () => {
    const schedule = adaptive({ ...open });
    const without = schedule(historyAt(300, 20), withoutJitter);
    expect(schedule(historyAt(300, 15, truthful(1000, 300, 20)), withoutJitter)).toBeGreaterThan(
      1.2 * without,
    );
    const last = schedule(historyAt(980, 25, truthful(1000, 980, 20)), withoutJitter) / 1000;
    expect(last).toBeGreaterThan(3);
    expect(last).toBeLessThan(30);
  });

  it("polls as without a percentage when the percentage has stood still for long", () => {
    const schedule = adaptive({ ...open });
    const stuck = progressOf([
      [20, 20],
      [40, 40],
      [60, 60],
      [90, 90],
      [200, 90],
      [400, 90],
      [2000, 90],
    ]);
    const ratio =
      schedule(historyAt(2000, 60, stuck), withoutJitter) / schedule(historyAt(2000, 60), withoutJitter);
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.5);
  });

  // Ends 10^150 ms ahead, and some 10^300 scales ago.
  const hardlyStarted = historyAt(
    323,
    0,
    progressOf([
      [0, 1e-147],
      [323, 1e-147],
    ]),
  );
  const longOver = historyAt(323, 0, progressOf([[5.6e-312, 1]]));

  it("never polls more often because of a percentage than the saved polls pay for", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const schedule = adaptive({ ...open });
        const overspent = { ...history, pollCount: 1_000_000 };
        expect(schedule(overspent, withoutJitter)).toBeGreaterThanOrEqual(
          0.999 * schedule({ ...overspent, progress: undefined }, withoutJitter),
        );
      }),
      { examples: [[hardlyStarted], [longOver]] },
    );
  });

  it("waits no longer for a Retry-After in the moment in which a wait joins an operation", () => {
    const joined = (ownMs: number): number =>
      adaptive()(
        {
          ...historyAt(60 + ownMs / 1000, 1, progressOf([[60 + ownMs / 1000, 40]])),
          ageAtStartInMs: 60_000,
          retryAfterInMs: 10_000,
        },
        withoutJitter,
      );
    expect(joined(0)).toBeCloseTo(joined(1), 0);
  });

  it("waits for the second mode once the first is past", () => {
    const minutes = [1, 0.9, 1.1, 1, 1.2, 45, 44, 47, 43, 50, 46, 45, 44, 48];
    const schedule = adaptive({ ...open, pastDurationsInMs: minutes.map((minute) => minute * 60_000) });
    expect(schedule(historyAt(55, 5), withoutJitter)).toBeLessThan(15_000);
    expect(schedule(historyAt(120, 10), withoutJitter)).toBeGreaterThan(3 * 60_000);
    expect(schedule(historyAt(45 * 60, 12), withoutJitter)).toBeLessThan(60_000);
  });

  it("is uninformed beyond the past durations", () => {
    const schedule = adaptive({ ...open, pastDurationsInMs: [60_000, 70_000, 80_000] });
    const ratio =
      schedule(historyAt(36_000, 99), withoutJitter) / adaptive(open)(historyAt(36_000, 99), withoutJitter);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.25);
  });

  it("needs no more work for thousands of past durations than for a few hundred", () => {
    const exp = vi.spyOn(Math, "exp");
    onTestFinished(() => exp.mockRestore());
    const history = historyAt(300, 20, truthful(1000, 300, 7));
    const workWith = (count: number): number => {
      const past = Array.from({ length: count }, (_, i) => 60_000 + (500_000 * i) / count);
      exp.mockClear();
      adaptive({ pastDurationsInMs: past })(history, withoutJitter);
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
  ])("rejects %o and names the option", (options, name) => {
    expect(() => adaptive(options)).toThrow(RangeError);
    expect(() => adaptive(options)).toThrow(name);
  });
});

describe("observeProgress", () => {
  it("keeps a history of a fixed size that survives JSON", () => {
    fc.assert(
      fc.property(reported, (list) => {
        const progress = progressOf(list.toSorted(([a], [b]) => a - b));
        expect(progress?.points.length ?? 0).toBeLessThanOrEqual(8);
        expect(JSON.parse(JSON.stringify({ progress }))).toEqual({ progress });
      }),
    );
    const long = truthful(1e6, 9e5, 10);
    expect(long?.points).toHaveLength(8);
    expect(JSON.stringify(long).length).toBeLessThan(2000);
  });

  it("ignores responses without a percentage", () => {
    expect(observeProgress(undefined, { elapsedInMs: 1000 })).toBeUndefined();
    const progress = progressOf([[1, 5]]);
    expect(observeProgress(progress, { elapsedInMs: 2000 })).toBe(progress);
  });

  it("finds the steps of the percentage", () => {
    expect(
      progressOf([
        [1, 0],
        [2, 20],
        [3, 30],
      ])?.quantum,
    ).toBe(10);
    expect(
      progressOf([
        [1, 0],
        [2, 20],
        [3, 31],
      ])?.quantum,
    ).toBe(1);
    expect(
      progressOf([
        [1, 0.5],
        [2, 0.75],
      ])?.quantum,
    ).toBeCloseTo(0.25);
  });
});

describe("the estimate", () => {
  it("is right for a truthful percentage, and has the truth in its interval", () => {
    const estimate = estimateRemaining(historyAt(600, 20, truthful(1000, 600, 30)));
    expect(estimate?.estimatedRemainingInMs).toBeGreaterThan(360_000);
    expect(estimate?.estimatedRemainingInMs).toBeLessThan(450_000);
    const [min = NaN, max = NaN] = estimate?.estimatedRemainingRangeInMs ?? [];
    expect(min).toBeLessThan(400_000);
    expect(max).toBeGreaterThan(400_000);
  });

  it("is absent if it would be a guess", () => {
    expect(estimateRemaining(historyAt(600, 20))).toBeUndefined();
    expect(
      estimateRemaining(
        historyAt(
          600,
          20,
          progressOf([
            [1, 0],
            [600, 0],
          ]),
        ),
      ),
    ).toBeUndefined();
    const jumping = progressOf([
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

  it("comes from past durations without a percentage", () => {
    const minutes = [8, 9, 10, 10, 10, 11, 12];
    const { estimate } = adaptive({ pastDurationsInMs: minutes.map((minute) => minute * 60_000) });
    const remaining = estimate?.(historyAt(60, 3));
    expect(remaining?.estimatedRemainingInMs).toBeGreaterThan(8.5 * 60_000);
    expect(remaining?.estimatedRemainingInMs).toBeLessThan(9.5 * 60_000);
  });

  it("has no percentage within the first millisecond, whose reciprocals overflow", () => {
    const [first, later] = [4.94e-321, 2.781342325993e-312];
    const points = [
      { atInMs: first, afterInMs: first, percent: 5e-324, levels: 1 },
      { atInMs: later, afterInMs: first, percent: 0.0005, levels: 1 },
    ];
    const roughness = { meanRoot: 0, count: 0 };
    const history = { points, latestInMs: later, quantum: 0.001, roughness };
    for (const elapsedInMs of [later, 1000]) expect(forecastsOf(history, elapsedInMs)).toEqual([]);
  });

  it("is in order and finite, for any history", () => {
    fc.assert(
      fc.property(histories, pasts, (history, past) => {
        const estimate = adaptive({ pastDurationsInMs: past }).estimate?.(history);
        if (estimate?.estimatedRemainingRangeInMs === undefined) return;
        const [min, max] = estimate.estimatedRemainingRangeInMs;
        const median = estimate.estimatedRemainingInMs ?? NaN;
        expect(min).toBeGreaterThanOrEqual(0);
        expect(median).toBeGreaterThanOrEqual(min);
        expect(max).toBeGreaterThanOrEqual(median);
        expect(max).toBeLessThan(Infinity);
      }),
    );
  });
});

describe("an overflow", () => {
  it.each([NaN, Infinity, Number.MAX_SAFE_INTEGER])(
    "makes a delay of %s half a minute, within its bounds",
    (delayInMs) => {
      expect(withJitterUpTo(60_000, delayInMs, 0, () => 0.5)).toBe(30_000);
      expect(withJitterUpTo(10_000, delayInMs, 0, () => 0.5)).toBe(10_000);
      expect(withJitterUpTo(Infinity, delayInMs, 50_000, () => 0.5)).toBe(50_000);
    },
  );

  it("has no shorter delay by a tolerance that rounding has made negative", () => {
    expect(withJitterUpTo(60_000, 0, 0, () => 0.5, -1e-6)).toBe(0);
    expect(withJitterUpTo(60_000, 1000, 1000, () => 0.5, -1e-6)).toBe(1000);
  });

  it("is never below the minimum delay by the rounding of its own jitter", () => {
    const tolerances = Array.from({ length: 1000 }, (_, i) => i / 7);
    const delays = tolerances.map((tolerance) => withJitterUpTo(60_000, 1000, 1000, () => 0, tolerance));
    expect(Math.min(...delays)).toBe(1000);
  });
});

describe("the simple schedules", () => {
  it("doubles up to the maximum delay", () => {
    const schedule = exponential({ initialDelayInMs: 1000, maxDelayInMs: 5000 });
    const delays = [1, 2, 3, 4, 5].map((pollCount) => schedule({ elapsedInMs: 0, pollCount }, withoutJitter));
    expect(delays.slice(0, 3)).toEqual([1000, 2000, 4000]);
    expect(delays[3]).toBeGreaterThan(4500);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5000);
    expect(() => exponential({ factor: 0.5 })).toThrow("factor");
    const long = exponential({ maxDelayInMs: 120_000 });
    const atMaximum = [8, 44, 45, 1100].map((pollCount) => long({ elapsedInMs: 0, pollCount }, () => 1));
    expect(new Set(atMaximum)).toEqual(new Set([120_000]));
  });

  it("stays at 0 from 0, after any number of polls", () => {
    const schedule = exponential({ initialDelayInMs: 0 });
    for (const pollCount of [1, 10, 1026, 1e9]) {
      expect(schedule({ elapsedInMs: 0, pollCount }, () => 0)).toBe(0);
    }
  });

  it("has a constant delay", () => {
    expect(fixed(1234)({ elapsedInMs: 0, pollCount: 7 }, Math.random)).toBe(1234);
    expect(() => fixed(-1)).toThrow("delayInMs");
  });

  it("backs off after failed polls, with jitter upward, never beyond the maximum", () => {
    expect(backoffAfterFailure(1, 30_000, withoutJitter)).toBe(1000);
    expect(backoffAfterFailure(3, 30_000, withoutJitter)).toBe(4000);
    expect(backoffAfterFailure(99, 30_000, () => 0.999)).toBeLessThanOrEqual(30_000);
  });
});
