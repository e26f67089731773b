import { normal } from "./random.ts";

/** How long the operations of a class take, in seconds. */
export interface Law {
  readonly name: string;
  /** A duration, drawn. */
  draw(random: () => number): number;
  /** The share that takes longer than `seconds`; known only where the law is a formula. */
  survival(seconds: number): number;
}

/** Most kinds of operations: the logarithm of the duration is normal. `sigma` 0.4 is half to double, mostly. */
export function logNormal(name: string, median: number, sigma: number): Law {
  return {
    name,
    draw: (random) => median * Math.exp(sigma * normal(random)),
    survival: (seconds) => 1 - normalBelow(Math.log(seconds / median) / sigma),
  };
}

/** Ends at any moment with the same chance. */
export function exponentialLaw(name: string, mean: number): Law {
  return {
    name,
    draw: (random) => -mean * Math.log(1 - random()),
    survival: (seconds) => Math.exp(-seconds / mean),
  };
}

/** Anything from `least` to `most`, alike. */
export function uniform(name: string, least: number, most: number): Law {
  return {
    name,
    draw: (random) => least + (most - least) * random(),
    survival: (seconds) => Math.min(1, Math.max(0, (most - seconds) / (most - least))),
  };
}

/** Wears out (`shape` above 1) or fails young (below). */
export function weibull(name: string, scale: number, shape: number): Law {
  return {
    name,
    draw: (random) => scale * (-Math.log(1 - random())) ** (1 / shape),
    survival: (seconds) => Math.exp(-((seconds / scale) ** shape)),
  };
}

/** Two kinds in one: `share` of the operations follow the first law. */
export function mixture(name: string, share: number, first: Law, second: Law): Law {
  return {
    name,
    draw: (random) => (random() < share ? first : second).draw(random),
    survival: (seconds) => share * first.survival(seconds) + (1 - share) * second.survival(seconds),
  };
}

/**
 * The least that any schedule can cost on the average, in seconds: `∫ √(2c·h(t))·S(t) dt`, with h the hazard and S
 * the survival (pollers.md §4.3). In leading order, for a schedule that knows the law and nothing else.
 */
export function lowerBound(law: Law, pollCost: number): number {
  let total = 0;
  const step = 1.0005;
  for (let from = 1e-3; from < 1e7 && law.survival(from) > 1e-9; from *= step) {
    const to = from * step;
    const [before, after] = [law.survival(from), law.survival(to)];
    // √(h)·S·dt = √(density·S)·dt
    total +=
      Math.sqrt(2 * pollCost * ((before - after) / (to - from)) * ((before + after) / 2)) * (to - from);
  }
  return total;
}

/** The standard normal law up to `z`, to seven digits (Abramowitz and Stegun 7.1.26). */
function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const upper = (polynomial * Math.exp(-x * x)) / 2;
  return z > 0 ? 1 - upper : upper;
}
