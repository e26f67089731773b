import { describe, expect, it } from "vitest";
import { adaptive } from "lro-poller";
import type { PastDuration, RemainingEstimate } from "lro-poller";

const minute = 60_000;
const past = [8, 9, 9.5, 10, 10, 10.5, 11, 11.5, 12, 13].map((minutes) => minutes * minute);

function estimateAt(
  minutes: number,
  pastDurationsInMs: readonly PastDuration[],
): RemainingEstimate | undefined {
  return adaptive({ pastDurationsInMs }).estimate?.({ elapsedInMs: minutes * minute, pollCount: 3 });
}

describe("the 80 % interval of past durations", () => {
  it("is undefined where fewer than four are longer than the elapsed time", () => {
    expect(estimateAt(11, past)?.estimatedRemainingRangeInMs).toBeUndefined();
    expect(estimateAt(10.6, past)?.estimatedRemainingRangeInMs).toBeDefined();
    expect(estimateAt(0, past.slice(0, 3))?.estimatedRemainingRangeInMs).toBeUndefined();
  });

  it("does not depend on failures", () => {
    const failures = [1, 1, 1, 2, 2].map((minutes) => ({ failedAfterInMs: minutes * minute }));
    expect(estimateAt(0, [...past, ...failures])).toEqual(estimateAt(0, past));
    const [, max = 0] = estimateAt(0, [...past, minute, minute, minute])?.estimatedRemainingRangeInMs ?? [];
    expect(max).toBeGreaterThan(11 * minute);
  });

  it("is later the more operations still ran when their waits ended", () => {
    const running = [10, 10, 10, 10].map((minutes) => ({ atLeastInMs: minutes * minute }));
    const [withRunning, withEnds] = [running, running.map(({ atLeastInMs }) => atLeastInMs)].map(
      (more) => estimateAt(0, [...past, ...more])?.estimatedRemainingInMs ?? NaN,
    );
    expect(withRunning).toBeGreaterThan((withEnds ?? NaN) + 0.3 * minute);
  });

  it("extends beyond waits that all ended early", () => {
    const cut = past.map((inMs) => (inMs > 11 * minute ? { atLeastInMs: 11 * minute } : inMs));
    const [, max] = estimateAt(0, cut)?.estimatedRemainingRangeInMs ?? [];
    expect(max).toBeGreaterThan(11 * minute);
    expect(max).toBeLessThan(16 * minute);
  });
});

describe("an operation is overdue", () => {
  it("beyond the upper end of the interval before its start", () => {
    const [, max = 0] = estimateAt(0, past)?.estimatedRemainingRangeInMs ?? [];
    expect(estimateAt(max / minute - 0.01, past)?.isOverdue).toBe(false);
    expect(estimateAt(max / minute + 0.01, past)?.isOverdue).toBe(true);
    expect(estimateAt(100, past)?.isOverdue).toBe(true);
  });

  it("never where no interval could be had", () => {
    expect(estimateAt(100, past.slice(0, 3))?.isOverdue).toBe(false);
    expect(estimateAt(100, [])).toBeUndefined();
  });
});

it("a past duration out of range is named", () => {
  const create = (): unknown => adaptive({ pastDurationsInMs: [minute, { atLeastInMs: 0 }] });
  expect(create).toThrow("pastDurationsInMs: expected milliseconds from 1 to 1000000000000, got 0");
});

it.each([{}, { atLeast: minute }, { atLeastInMs: minute, failedAfterInMs: minute }])(
  "a past duration needs one of its fields, unlike %o",
  (value) => {
    // @ts-expect-error: no past duration
    const wrong: PastDuration = value;
    expect(() => adaptive({ pastDurationsInMs: [minute, wrong] })).toThrow(
      new RangeError("pastDurationsInMs: expected either atLeastInMs or failedAfterInMs, got an object"),
    );
  },
);
