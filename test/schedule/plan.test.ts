import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uninformed } from "../../src/schedule/hazard.ts";
import { posteriorOf, cheapestPlan, momentsAhead } from "../../src/schedule/plan.ts";
import type { Survival } from "../../src/schedule/plan.ts";

const terms = { pollCostInMs: 3000, minDelayInMs: 0, maxDelayInMs: Infinity };
const prior = uninformed(terms);
const forecast = { endInMs: 100_000, scaleInMs: 2000, weight: 0.7, relativeError: 0.1 };

describe("the posterior", () => {
  it("is the prior given the age, where no forecast is trusted", () => {
    const posterior = posteriorOf(prior, [], 30_000);
    expect(posterior(30_000)).toBe(1);
    expect(posterior(90_000)).toBeCloseTo(prior.survival(90_000) / prior.survival(30_000), 12);
  });

  it("is 1 now, whatever the forecast", () => {
    for (const elapsedInMs of [50_000, 99_000, 140_000]) {
      expect(posteriorOf(prior, [forecast], elapsedInMs)(elapsedInMs)).toBeCloseTo(1, 9);
    }
  });

  it("halves the weight of a forecast at its end, and follows the logistic distribution around it", () => {
    const doubt = (at: number): number => (0.3 * prior.survival(at)) / prior.survival(50_000);
    const posterior = posteriorOf(prior, [forecast], 50_000);
    expect(posterior(100_000) - doubt(100_000)).toBeCloseTo(0.35, 6);
    expect(posterior(102_000) - doubt(102_000)).toBeCloseTo(0.7 / (1 + Math.E), 6);
    const late = posteriorOf(prior, [forecast], 100_000);
    const since = prior.survival(102_000) / prior.survival(100_000);
    expect(late(102_000)).toBeCloseTo(0.3 * since + (0.7 * 2) / (1 + Math.E), 6);
  });
});

describe("the moments to consider", () => {
  it("are in order, from now on, at polls of the prior and around each forecast's end", () => {
    const moments = momentsAhead(prior, [forecast], 60_000);
    expect(moments[0]).toBe(60_000);
    expect([...moments].toSorted((a, b) => a - b)).toEqual([...moments]);
    expect(new Set(moments).size).toBe(moments.length);
    for (const polls of [0.07, 1, 9]) expect(moments).toContain(prior.ahead(60_000, polls));
    for (const scales of [-3, -1.5, -0.7, 0, 0.7, 1.4, 8]) {
      const moment = 100_000 + scales * 2000;
      expect(Math.min(...moments.map((other) => Math.abs(other - moment)))).toBeLessThan(0.2 * 2000);
    }
  });

  it("are those of one forecast where two agree", () => {
    const other = { ...forecast, endInMs: 100_100 };
    const moments = momentsAhead(prior, [forecast], 60_000);
    expect(momentsAhead(prior, [forecast, other], 60_000)).toEqual(moments);
    const later = { ...forecast, endInMs: 150_000 };
    expect(momentsAhead(prior, [forecast, later], 60_000).length).toBeGreaterThan(moments.length + 8);
  });

  it("leave out past moments", () => {
    const moments = momentsAhead(prior, [forecast], 99_000);
    expect(Math.min(...moments)).toBe(99_000);
    expect(moments).toContain(prior.ahead(99_000, 0.07));
  });
});

/** Returns the mean cost of polls at these moments, and from the last one on of the prior's. */
function costOf(path: readonly number[], posterior: Survival, all: readonly number[]): number {
  return path.slice(0, -1).reduce(
    (sum, from, i) => {
      const to = path[i + 1] ?? NaN;
      return sum + 3000 * posterior(from) + latenessIn(from, to, posterior, all);
    },
    posterior(path.at(-1) ?? NaN) * prior.costToGo(path.at(-1) ?? NaN),
  );
}

/** Takes an end between two moments to be in the middle between them. */
function latenessIn(from: number, to: number, posterior: Survival, all: readonly number[]): number {
  const inside = all.filter((moment) => moment >= from && moment <= to);
  return inside.slice(1).reduce((sum, moment, i) => {
    const before = inside[i] ?? NaN;
    return sum + (posterior(before) - posterior(moment)) * (to - (before + moment) / 2);
  }, 0);
}

/** Returns every way through the moments, but for steps shorter than the minimum delay. */
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
          const posterior = posteriorOf(prior, [{ ...forecast, endInMs }], 20_000);
          const plan = cheapestPlan(moments, posterior, prior, {
            ...terms,
            minDelayInMs,
          });
          const costs = pathsThrough(moments, minDelayInMs).map((path) => ({
            path,
            cost: costOf(path, posterior, moments),
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
