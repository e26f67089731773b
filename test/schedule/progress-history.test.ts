import { describe, expect, it } from "vitest";
import { observeProgress } from "../../src/schedule/progress-history.ts";
import type { ProgressHistory } from "../../src/schedule/progress-history.ts";

function progressOf(
  ...reported: readonly (readonly [elapsedInMs: number, percentComplete: number])[]
): ProgressHistory {
  const history = reported.reduce<ProgressHistory | undefined>(
    (before, [elapsedInMs, percentComplete]) => observeProgress(before, { elapsedInMs, percentComplete }),
    undefined,
  );
  if (history === undefined) throw new Error("Nothing was reported.");
  return history;
}

describe("a level", () => {
  it("is kept with the moment of its poll, and that of the poll before", () => {
    expect(progressOf([1000, 5], [2500, 9]).points).toEqual([
      { atInMs: 1000, afterInMs: 1000, percent: 5, levels: 1 },
      { atInMs: 2500, afterInMs: 1000, percent: 9, levels: 1 },
    ]);
  });

  it("that is reported again changes only the time of the last report", () => {
    const once = progressOf([1000, 5], [2000, 9], [3000, 10]);
    expect(progressOf([1000, 5], [2000, 9], [3000, 10], [7000, 10])).toEqual({ ...once, latestInMs: 7000 });
    expect(progressOf([1000, 5], [7000, 5], [9000, 6]).points.at(-1)?.afterInMs).toBe(7000);
  });
});

describe("roughness", () => {
  it("is 0 before there are three levels", () => {
    expect(progressOf([1000, 5], [2000, 9], [3000, 9]).roughness).toEqual({ meanRoot: 0, count: 0 });
  });

  it("is the distance of a level from the line between its neighbours", () => {
    // A quarter of the way in time, 12.5 % above a quarter of the way up.
    const { roughness } = progressOf([0, 0], [10, 20], [40, 30]);
    expect(roughness.count).toBe(1);
    expect(roughness.meanRoot).toBeCloseTo(Math.sqrt(12.5 / Math.hypot(1, 0.75, 0.25)), 9);
    expect(progressOf([1000, 10], [2000, 20], [4000, 40]).roughness).toEqual({ meanRoot: 0, count: 1 });
  });

  it("is the mean of all so far, whether above or below", () => {
    const [first, second] = [12.5 / Math.hypot(1, 0.75, 0.25), 25 / Math.hypot(1, 0.5, 0.5)];
    // 30 is 25 below the middle between 20 and 90.
    const { roughness } = progressOf([0, 0], [10, 20], [40, 30], [70, 90]);
    expect(roughness.count).toBe(2);
    expect(roughness.meanRoot).toBeCloseTo((Math.sqrt(first) + Math.sqrt(second)) / 2, 9);
  });

  it("takes levels of one moment to be evenly spaced", () => {
    expect(progressOf([5, 0], [5, 20], [5, 20.5]).roughness.meanRoot).toBeCloseTo(
      Math.sqrt(9.75 / Math.hypot(1, 0.5, 0.5)),
      9,
    );
  });
});

describe("a history of more levels than it keeps", () => {
  const doubling = Array.from({ length: 8 }, (_, i): [number, number] => [1000 * 2 ** i, i]);

  it("keeps all levels, up to eight", () => {
    expect(progressOf(...doubling).points.map(({ percent }) => percent)).toEqual(
      doubling.map(([, level]) => level),
    );
  });

  it("merges the two that are nearest to each other for their age", () => {
    const crowded = progressOf(...doubling.slice(0, 4), [9000, 3.5], ...doubling.slice(4));
    expect(crowded.points).toHaveLength(8);
    expect(crowded.points[3]).toEqual({ atInMs: 8500, afterInMs: 6000, percent: 3.25, levels: 2 });
    expect(crowded.points.map(({ percent }) => percent)).toEqual([0, 1, 2, 3.25, 4, 5, 6, 7]);
  });

  it("weights a mean by its levels when it is merged again", () => {
    const crowded = progressOf(...doubling.slice(0, 4), [9000, 3.5], [9200, 3.8], ...doubling.slice(4));
    const [merged] = crowded.points.filter(({ levels }) => levels === 3);
    expect(merged?.atInMs).toBeCloseTo((8000 + 9000 + 9200) / 3, 6);
    expect(merged?.percent).toBeCloseTo((3 + 3.5 + 3.8) / 3, 9);
    expect(merged?.afterInMs).toBeCloseTo((4000 + 8000 + 9000) / 3, 6);
  });

  it("never merges the newest, and merges the first of several equally near", () => {
    const last = progressOf(...doubling.slice(0, 6), [32_001, 5.1], [32_002, 5.2], [32_003, 5.3]);
    expect(last.points.slice(-2).map(({ percent }) => percent)).toEqual([5.2, 5.3]);
    const evenly = progressOf(...Array.from({ length: 9 }, (_, i): [number, number] => [0, i]));
    expect(evenly.points[0]).toEqual({ atInMs: 0, afterInMs: 0, percent: 0.5, levels: 2 });
  });
});
