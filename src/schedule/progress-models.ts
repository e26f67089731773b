/** A level of the percentage with its error, at a moment. */
export interface Sample {
  /** Milliseconds since the wait started. */
  readonly t: number;
  /** Percent. */
  readonly y: number;
  /** The inverse of the level's variance. */
  readonly weight: number;
  /** The likely error of the level, in percent. */
  readonly blur: number;
  /** The bounds of the level if the percentage has no noise, in percent. */
  readonly min: number;
  readonly max: number;
}

/** A curve fitted to samples. */
export interface Fit {
  /** Returns the moment at which the curve reaches a level. */
  timeOf(level: number): number;
  /** Returns the standard error of that moment. */
  errorOf(level: number): number;
}

/** A model of how the percentage moves. */
export interface Model {
  /** Transforms the samples before they are fitted. */
  prepare(samples: readonly Sample[]): readonly Sample[];
  /** Fits prepared samples; `undefined` if they are too few, or do not rise. */
  fit(prepared: readonly Sample[]): Fit | undefined;
}

const unchanged = (samples: readonly Sample[]): readonly Sample[] => samples;

/** The percentage starts with the operation and moves at a constant speed. */
const proportional: Model = {
  prepare: unchanged,
  fit: (samples) => {
    let [ty, tt] = [0, 0];
    for (const { t, y, weight } of samples) {
      ty += weight * t * y;
      tt += weight * t * t;
    }
    const speed = ty / tt;
    if (!(speed > 0)) return undefined;
    const bounded = withinBounds(samples);
    if (bounded) return bounded;
    return {
      timeOf: (level) => level / speed,
      errorOf: (level) => (level / speed / speed) * Math.sqrt(scatterOf(samples, (t) => speed * t, 1) / tt),
    };
  },
};

/** The standard deviation of a uniform distribution over a length of 1. */
const uniformDeviation = 1 / Math.sqrt(12);

/**
 * Fits the speeds that explain every sample: of coarse steps they leave a far narrower end than their mean does.
 * `undefined` if there are none.
 */
function withinBounds(samples: readonly Sample[]): Fit | undefined {
  let [min, max] = [0, Infinity];
  for (const sample of samples) {
    min = Math.max(min, sample.min / sample.t);
    max = Math.min(max, sample.max / sample.t);
  }
  if (!(min < max)) return undefined;
  const [first, last] = [1 / max, 1 / min];
  return {
    timeOf: (level) => (level * (first + last)) / 2,
    errorOf: (level) => level * (last - first) * uniformDeviation,
  };
}

/** A sample older by this share of the whole wait counts a third of a new one. */
const memory = 0.3;

/** The percentage continues at its latest speed, whatever it did before. */
const latestSpeed: Model = {
  prepare: unchanged,
  fit: (samples) => {
    const now = samples.at(-1)?.t ?? 0;
    return line(samples, (t) => Math.exp((t - now) / (memory * now)));
  },
};

/** The logarithm of more than any wait in milliseconds, and far below an overflow. */
const maxLog = 60;

/** The percentage follows a power of the time: it slows down or speeds up. */
const power: Model = {
  prepare: (samples) =>
    samples.map((sample) => ({
      ...sample,
      t: Math.log(sample.t),
      y: Math.log(sample.y),
      weight: sample.weight * sample.y ** 2,
    })),
  fit: (logs) => {
    const fit = line(logs);
    if (fit === undefined) return undefined;
    const timeOf = (level: number): number => Math.exp(Math.min(maxLog, fit.timeOf(Math.log(level))));
    return { timeOf, errorOf: (level) => timeOf(level) * fit.errorOf(Math.log(level)) };
  },
};

export const models: readonly Model[] = [proportional, latestSpeed, power];

/** Fits a weighted straight line to three samples or more, from the level to the moment. */
function line(samples: readonly Sample[], fading: (t: number) => number = () => 1): Fit | undefined {
  if (samples.length < 3) return undefined;
  let [w, wt, wy, wtt, wty] = [0, 0, 0, 0, 0];
  const start = samples[0]?.t ?? 0;
  for (const { t, y, weight } of samples) {
    const [since, share] = [t - start, weight * fading(t)];
    w += share;
    wt += share * since;
    wy += share * y;
    wtt += share * since * since;
    wty += share * since * y;
  }
  const [t0, y0] = [start + wt / w, wy / w];
  const tt = wtt - (wt * wt) / w;
  const ty = wty - (wt * wy) / w;
  const speed = ty / tt;
  if (!(speed > 0)) return undefined;
  const timeOf = (level: number): number => t0 + (level - y0) / speed;
  return {
    timeOf,
    errorOf: (level) => {
      const scatter = scatterOf(samples, (t) => y0 + speed * (t - t0), 2);
      return Math.sqrt(scatter * (1 / w + (timeOf(level) - t0) ** 2 / tt)) / speed;
    },
  };
}

/** How many times larger than expected the squared errors are; a little more with few samples. */
function scatterOf(samples: readonly Sample[], levelAt: (t: number) => number, parameters: number): number {
  let sum = 1;
  for (const { t, y, weight } of samples) sum += weight * (y - levelAt(t)) ** 2;
  return Math.max(1, sum / Math.max(1, samples.length - parameters));
}
