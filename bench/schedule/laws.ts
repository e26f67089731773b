/** How long the operations of a class take, in seconds. */
export interface Law {
  readonly name: string;
  /** The duration that a part of all operations, from 0 to 1, stays below. */
  quantile(part: number): number;
  /** The share that takes longer than `seconds`. */
  survival(seconds: number): number;
}

/** Most kinds of operations: the logarithm of the duration is normal. `sigma` 0.4 is half to double, mostly. */
export function logNormal(name: string, median: number, sigma: number): Law {
  return {
    name,
    quantile: (part) => median * Math.exp(sigma * normalQuantile(part)),
    survival: (seconds) => 1 - normalBelow(Math.log(seconds / median) / sigma),
  };
}

/** Ends at any moment with the same chance. */
export function exponentialLaw(name: string, mean: number): Law {
  return {
    name,
    quantile: (part) => -mean * Math.log(1 - part),
    survival: (seconds) => Math.exp(-seconds / mean),
  };
}

/** Anything from `least` to `most`, alike. */
export function uniform(name: string, least: number, most: number): Law {
  return {
    name,
    quantile: (part) => least + (most - least) * part,
    survival: (seconds) => Math.min(1, Math.max(0, (most - seconds) / (most - least))),
  };
}

/** Wears out (`shape` above 1) or fails young (below). */
export function weibull(name: string, scale: number, shape: number): Law {
  return {
    name,
    quantile: (part) => scale * (-Math.log(1 - part)) ** (1 / shape),
    survival: (seconds) => Math.exp(-((seconds / scale) ** shape)),
  };
}

/** Two kinds in one: `share` of the operations follow the first law, which has to be the faster one. */
export function mixture(name: string, share: number, first: Law, second: Law): Law {
  return {
    name,
    quantile: (part) =>
      part < share ? first.quantile(part / share) : second.quantile((part - share) / (1 - share)),
    survival: (seconds) => share * first.survival(seconds) + (1 - share) * second.survival(seconds),
  };
}

/** As many durations as asked for, one from each equal part of the law, in random order. */
export function durations(law: Law, count: number, random: () => number): readonly number[] {
  return Array.from({ length: count }, (_, i) => ({
    seconds: law.quantile((i + random()) / count),
    at: random(),
  }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ seconds }) => seconds);
}

/** As many durations as asked for, drawn each on its own, as a user's records are. */
export function records(law: Law, count: number, random: () => number): readonly number[] {
  return Array.from({ length: count }, () => law.quantile(random()));
}

/**
 * The least that any schedule can cost on the average, in seconds: `∫ √(2c·h(t))·S(t) dt`, with h the hazard and S
 * the survival (Keller 1974). In leading order, for a schedule that knows the law and nothing else.
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

/** The inverse, by halving. */
function normalQuantile(part: number): number {
  let [low, high] = [-8, 8];
  for (let halvings = 0; halvings < 40; halvings++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < part) low = middle;
    else high = middle;
  }
  return low;
}
