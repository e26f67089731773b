import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uninformed } from "../../src/schedule/hazard.ts";
import { beliefOf, cheapestPlan, momentsAhead } from "../../src/schedule/plan.ts";
import type { Survival } from "../../src/schedule/plan.ts";

const terms = { pollCostInMs: 3000, minDelayInMs: 0, maxDelayInMs: Infinity };
const background = uninformed(terms);
const forecast = { endInMs: 100_000, scaleInMs: 2000, weight: 0.7, slip: 0.1 };

describe("the belief", () => {
  it("is that of the background, as of now, where no bar is trusted", () => {
    const belief = beliefOf(background, [], 30_000);
    expect(belief(30_000)).toBe(1);
    expect(belief(90_000)).toBeCloseTo(background.survival(90_000) / background.survival(30_000), 12);
  });

  it("is 1 now, whatever is forecast", () => {
    for (const elapsedInMs of [50_000, 99_000, 140_000]) {
      expect(beliefOf(background, [forecast], elapsedInMs)(elapsedInMs)).toBeCloseTo(1, 9);
    }
  });

  it("halves what a forecast weighs at its end, and follows the logistic law around it", () => {
    const doubt = (at: number): number => (0.3 * background.survival(at)) / background.survival(50_000);
    const belief = beliefOf(background, [forecast], 50_000);
    expect(belief(100_000) - doubt(100_000)).toBeCloseTo(0.35, 6);
    expect(belief(102_000) - doubt(102_000)).toBeCloseTo(0.7 / (1 + Math.E), 6);
    const late = beliefOf(background, [forecast], 100_000);
    const since = background.survival(102_000) / background.survival(100_000);
    expect(late(102_000)).toBeCloseTo(0.3 * since + (0.7 * 2) / (1 + Math.E), 6);
  });
});

describe("the moments to look at", () => {
  it("are in order, from now on, in reads of the background and around each forecast's end", () => {
    const moments = momentsAhead(background, [forecast], 60_000);
    expect(moments[0]).toBe(60_000);
    expect([...moments].toSorted((a, b) => a - b)).toEqual([...moments]);
    expect(new Set(moments).size).toBe(moments.length);
    expect(moments).toHaveLength(1 + 24 + 14);
    for (const reads of [0.05, 1, 11]) expect(moments).toContain(background.ahead(60_000, reads));
    for (const scales of [-4, -2.5, -1.5, -0.8, -0.2, 0.4, 1, 8.5])
      expect(moments).toContain(100_000 + scales * 2000);
  });

  it("leave out what is past", () => {
    const moments = momentsAhead(background, [forecast], 99_000);
    expect(Math.min(...moments)).toBe(99_000);
    expect(moments).toHaveLength(1 + 24 + 10);
  });
});

/** What it costs on the average to read at these moments, and from the last one on as the background does. */
function costOf(path: readonly number[], belief: Survival, all: readonly number[]): number {
  return path.slice(0, -1).reduce(
    (sum, from, i) => {
      const to = path[i + 1] ?? NaN;
      return sum + 3000 * belief(from) + latenessIn(from, to, belief, all);
    },
    belief(path.at(-1) ?? NaN) * background.costToGo(path.at(-1) ?? NaN),
  );
}

/** An end between two of the moments is in the middle between them. */
function latenessIn(from: number, to: number, belief: Survival, all: readonly number[]): number {
  const inside = all.filter((moment) => moment >= from && moment <= to);
  return inside.slice(1).reduce((sum, moment, i) => {
    const before = inside[i] ?? NaN;
    return sum + (belief(before) - belief(moment)) * (to - (before + moment) / 2);
  }, 0);
}

/** Every way through the moments, but for steps shorter than the shortest delay. */
function pathsThrough(moments: readonly number[], minDelayInMs: number): readonly (readonly number[])[] {
  const [first = NaN, ...rest] = moments;
  if (rest.length === 0) return [[first]];
  const last = rest.at(-1);
  return rest.flatMap((next, i) => {
    if (next - first < minDelayInMs && next !== last) return [];
    return pathsThrough(rest.slice(i), minDelayInMs).map((path) => [first, ...path]);
  });
}

describe("the plan", () => {
  it("is the cheapest of all ways through the moments", () => {
    const gaps = fc.array(fc.integer({ min: 100, max: 40_000 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1000, max: 200_000 }),
        fc.constantFrom(0, 5000),
        (list, endInMs, minDelayInMs) => {
          const moments = [20_000];
          for (const gap of list) moments.push((moments.at(-1) ?? NaN) + gap);
          const belief = beliefOf(background, [{ ...forecast, endInMs }], 20_000);
          const plan = cheapestPlan(Float64Array.from(moments), belief, background, {
            ...terms,
            minDelayInMs,
          });
          const costs = pathsThrough(moments, minDelayInMs).map((path) => ({
            path,
            cost: costOf(path, belief, moments),
          }));
          const { path } = costs.reduce((best, other) => (other.cost < best.cost ? other : best));
          const [first = NaN, second = NaN, third] = path;
          expect(plan.gapInMs).toBe(second - first);
          expect(plan.gapAfterInMs).toBe(third === undefined ? second - first : third - second);
        },
      ),
    );
  });
});
