/** The distribution of the durations of a kind of operations, in seconds. */
export interface Law {
  readonly name: string;
  /** Returns the duration that a share of all operations, from 0 to 1, stays below. */
  quantile(part: number): number;
  /** Returns the share that takes longer than `seconds`. */
  survival(seconds: number): number;
}

/** Log-normal, as most kinds of operations are. With a `sigma` of 0.4 most take half to double the median. */
export function logNormal(name: string, median: number, sigma: number): Law {
  return {
    name,
    quantile: (part) => median * Math.exp(sigma * normalQuantile(part)),
    survival: (seconds) => 1 - normalBelow(Math.log(seconds / median) / sigma),
  };
}

/** Exponential: a constant hazard. */
export function exponentialLaw(name: string, mean: number): Law {
  return {
    name,
    quantile: (part) => -mean * Math.log(1 - part),
    survival: (seconds) => Math.exp(-seconds / mean),
  };
}

/** Uniform from `min` to `max`. */
export function uniform(name: string, min: number, max: number): Law {
  return {
    name,
    quantile: (part) => min + (max - min) * part,
    survival: (seconds) => Math.min(1, Math.max(0, (max - seconds) / (max - min))),
  };
}

/** Weibull: the hazard rises with the age for a `shape` above 1, and falls below 1. */
export function weibull(name: string, scale: number, shape: number): Law {
  return {
    name,
    quantile: (part) => scale * (-Math.log(1 - part)) ** (1 / shape),
    survival: (seconds) => Math.exp(-((seconds / scale) ** shape)),
  };
}

/** Falls as a power beyond `min`: a few take very long. */
export function pareto(name: string, min: number, exponent: number): Law {
  return {
    name,
    quantile: (part) => min * (1 - part) ** (-1 / exponent),
    survival: (seconds) => Math.min(1, (seconds / min) ** -exponent),
  };
}

/** A mixture: `share` of the operations follow the first law, which must be the faster one. */
export function mixture(name: string, share: number, first: Law, second: Law): Law {
  return {
    name,
    quantile: (part) =>
      part < share ? first.quantile(part / share) : second.quantile((part - share) / (1 - share)),
    survival: (seconds) => share * first.survival(seconds) + (1 - share) * second.survival(seconds),
  };
}

/** Returns a stratified sample: one duration from each of `count` equal parts of the law, in random order. */
export function durations(law: Law, count: number, random: () => number): readonly number[] {
  return Array.from({ length: count }, (_, i) => ({
    seconds: law.quantile((i + random()) / count),
    at: random(),
  }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ seconds }) => seconds);
}

/** Returns `count` durations, each drawn on its own, as a user's past durations are. */
export function records(law: Law, count: number, random: () => number): readonly number[] {
  return Array.from({ length: count }, () => law.quantile(random()));
}

/**
 * Returns the least mean cost of any schedule that knows only the law, in seconds. In leading order it is
 * `∫ √(2c·h(t))·S(t) dt`, with h the hazard and S the survival (Keller 1974).
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

/** The inverse, by bisection. */
function normalQuantile(part: number): number {
  let [low, high] = [-8, 8];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < part) low = middle;
    else high = middle;
  }
  return low;
}
