import { describe, expect, it } from "vitest";
import { seeded } from "../../bench/schedule/random.ts";
import { models } from "../../src/schedule/progress-models.ts";
import type { Fit, Model, Sample } from "../../src/schedule/progress-models.ts";

const [proportional, latestSpeed, power] = models;

function fitOf(
  model: Model | undefined,
  samples: readonly Sample[],
  count: number = samples.length,
): Fit | undefined {
  return model?.(samples)[count - 1];
}

function sample(t: number, y: number, weight = 1): Sample {
  // Without bounds, the least squares decide.
  return { t, y, weight, blur: 0, min: -Infinity, max: -Infinity };
}

const times = [1000, 4000, 9000, 20_000, 26_000];
const rising = (levelAt: (t: number) => number): readonly Sample[] => times.map((t) => sample(t, levelAt(t)));

describe.each([
  ["through the origin", proportional, (t: number) => t / 500],
  ["at a constant speed from anywhere", latestSpeed, (t: number) => 7 + t / 500],
  ["by a power of the time", power, (t: number) => 3 * (t / 1000) ** 0.8],
])("a percentage that moves %s", (_, model, levelAt) => {
  it("is fitted exactly, forward and backward", () => {
    const fit = fitOf(model, rising(levelAt));
    for (const t of [2000, 26_000, 45_000]) expect(fit?.timeOf(levelAt(t))).toBeCloseTo(t, 3);
  });

  it("is fitted by the first samples only, if so asked", () => {
    const known = rising(levelAt).slice(0, 4);
    const fit = fitOf(model, [...known, sample(26_000, 99)], 4);
    expect(fit?.timeOf(levelAt(40_000))).toBeCloseTo(40_000, 3);
    expect(fit?.errorOf(60)).toBeCloseTo(fitOf(model, known)?.errorOf(60) ?? NaN, 6);
  });
});

describe("a percentage that does not rise", () => {
  it.each([
    ["is at 0", proportional, () => 0],
    ["stands still", latestSpeed, () => 40],
    ["falls", latestSpeed, (t: number) => 90 - t / 1000],
    ["stands still", power, () => 40],
    ["falls", power, (t: number) => 90 - t / 1000],
  ])("%s: has no fit", (_, model, levelAt) => {
    expect(fitOf(model, rising(levelAt))).toBeUndefined();
  });

  it("needs three samples for a line, but only one for a line through the origin", () => {
    const samples = rising((t) => t / 500);
    for (const model of [latestSpeed, power]) {
      expect(fitOf(model, samples, 2)).toBeUndefined();
      expect(fitOf(model, samples, 3)).toBeDefined();
    }
    expect(fitOf(proportional, samples, 1)?.timeOf(100)).toBe(50_000);
  });
});

/** The solution of the normal equations of weighted least squares, by Cramer's rule. */
function leastSquares(points: readonly (readonly [x: number, y: number, w: number])[]): {
  readonly at: number;
  readonly slope: number;
  readonly varianceAt: (x: number) => number;
} {
  const sumOf = (term: (x: number, y: number) => number): number =>
    points.reduce((sum, [x, y, w]) => sum + w * term(x, y), 0);
  const [s, sx, sxx] = [sumOf(() => 1), sumOf((x) => x), sumOf((x) => x * x)];
  const [sy, sxy] = [sumOf((_, y) => y), sumOf((x, y) => x * y)];
  const determinant = s * sxx - sx * sx;
  return {
    at: (sxx * sy - sx * sxy) / determinant,
    slope: (s * sxy - sx * sy) / determinant,
    varianceAt: (x) => (sxx - 2 * x * sx + x * x * s) / determinant,
  };
}

/** Samples off the line by many times what their weights say. */
function noisy(): readonly Sample[] {
  const random = seeded(7);
  return times.map((t) => sample(t, 5 + t / 400 + 20 * random(), 0.5 + random()));
}

function scatter(samples: readonly Sample[], levelAt: (t: number) => number, parameters: number): number {
  const squares = samples.map(({ t, y, weight }) => weight * (y - levelAt(t)) ** 2);
  return (1 + squares.reduce((sum, square) => sum + square, 0)) / (samples.length - parameters);
}

describe("the error of a moment is that of weighted least squares", () => {
  it("through the origin", () => {
    const samples = noisy();
    const [ty, tt] = [0, 1].map((i) =>
      samples.reduce((sum, { t, y, weight }) => sum + weight * t * (i === 0 ? y : t), 0),
    );
    const speed = (ty ?? NaN) / (tt ?? NaN);
    const fit = fitOf(proportional, samples);
    const deviation = Math.sqrt(scatter(samples, (t) => speed * t, 1) / (tt ?? NaN));
    expect(fit?.timeOf(100)).toBeCloseTo(100 / speed, 6);
    expect(fit?.errorOf(100)).toBeCloseTo((100 / speed / speed) * deviation, 6);
  });

  it("at the latest speed, with less weight for old samples", () => {
    const samples = noisy();
    const faded = samples.map(({ t, y, weight }) => [t, y, weight * Math.exp((t - 26_000) / 7800)] as const);
    const { at, slope, varianceAt } = leastSquares(faded);
    const end = (100 - at) / slope;
    const fit = fitOf(latestSpeed, samples);
    expect(fit?.timeOf(100)).toBeCloseTo(end, 3);
    const variance = scatter(samples, (t) => at + slope * t, 2) * varianceAt(end);
    expect(fit?.errorOf(100)).toBeCloseTo(Math.sqrt(variance) / slope, 3);
  });

  it("by a power of the time, in logarithms", () => {
    const samples = noisy();
    const logs = samples.map(({ t, y, weight }) => ({
      t: Math.log(t),
      y: Math.log(y),
      weight: weight * y * y,
      blur: 0,
      min: -Infinity,
      max: -Infinity,
    }));
    const { at, slope, varianceAt } = leastSquares(logs.map(({ t, y, weight }) => [t, y, weight]));
    const end = (Math.log(100) - at) / slope;
    const fit = fitOf(power, samples);
    expect(fit?.timeOf(100)).toBeCloseTo(Math.exp(end), 3);
    const variance = scatter(logs, (t) => at + slope * t, 2) * varianceAt(end);
    expect(fit?.errorOf(100)).toBeCloseTo((Math.exp(end) * Math.sqrt(variance)) / slope, 3);
  });

  it("never below that of the weights", () => {
    const exact = rising((t) => t / 500).map((one) => ({ ...one, weight: 0.01 }));
    const tt = exact.reduce((sum, { t }) => sum + 0.01 * t * t, 0);
    expect(fitOf(proportional, exact)?.errorOf(100)).toBeCloseTo((100 * 500 * 500) / Math.sqrt(tt), 3);
    const one = fitOf(proportional, [sample(1000, 2, 0.01)]);
    expect(one?.errorOf(100)).toBeCloseTo((100 * 500 * 500) / Math.sqrt(0.01 * 1e6), 3);
  });
});

it("fits a percentage that hardly moves with an end far off, instead of none", () => {
  const hardly = fitOf(power, [sample(1000, 1), sample(1e6, 1.0001), sample(1e9, 1.0002)]);
  expect(hardly?.timeOf(100)).toBe(Math.exp(60));
  expect(hardly?.errorOf(100)).toBeLessThan(Infinity);
});
