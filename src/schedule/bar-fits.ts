/** A level of the bar with its error, at a moment. */
export interface Sample {
  /** Milliseconds since the wait began. */
  readonly t: number;
  /** Percent. */
  readonly y: number;
  /** The inverse of the level's variance. */
  readonly weight: number;
  /** How far off the level may well be, in percent. */
  readonly blur: number;
}

/** Samples read as a curve. */
export interface Fit {
  /** When the curve reaches a level. */
  timeOf(level: number): number;
  /** The standard error of that moment. */
  errorOf(level: number): number;
}

/** A way to read samples; `undefined` where there are too few, or they do not rise. */
export type Model = (samples: readonly Sample[]) => Fit | undefined;

/** The bar began with the operation and goes on at one pace. */
const proportional: Model = (samples) => {
  let [ty, tt] = [0, 0];
  for (const { t, y, weight } of samples) {
    ty += weight * t * y;
    tt += weight * t * t;
  }
  const pace = ty / tt;
  if (!(pace > 0)) return undefined;
  const scatter = scatterOf(samples, (t) => pace * t, 1);
  return {
    timeOf: (level) => level / pace,
    errorOf: (level) => (level / pace / pace) * Math.sqrt(scatter / tt),
  };
};

/** A sample this share of the whole wait ago counts a third of a new one. */
const memory = 0.3;

/** The bar goes on at its latest pace, whatever it did before. */
const latestPace: Model = (samples) => {
  const now = samples.at(-1)?.t ?? 0;
  if (samples.length < 3) return undefined;
  return line(
    samples.map((sample) => ({
      ...sample,
      weight: sample.weight * Math.exp((sample.t - now) / (memory * now)),
    })),
  );
};

/** More than any wait in milliseconds, and still far from where a number overflows. */
const longestLog = 60;

/** The bar follows a power of the time: it crawls more and more, or runs ever faster. */
const power: Model = (samples) => {
  const logs = samples
    .filter(({ t, y }) => t > 0 && y > 0)
    .map(({ t, y, weight, blur }) => ({ t: Math.log(t), y: Math.log(y), weight: weight * y * y, blur }));
  const fit = logs.length < 3 ? undefined : line(logs);
  if (fit === undefined) return undefined;
  const timeOf = (level: number): number => Math.exp(Math.min(longestLog, fit.timeOf(Math.log(level))));
  return { timeOf, errorOf: (level) => timeOf(level) * fit.errorOf(Math.log(level)) };
};

export const models: readonly Model[] = [proportional, latestPace, power];

/** A weighted straight line, read backwards: from the level to the moment. */
function line(samples: readonly Sample[]): Fit | undefined {
  let [w, wt, wy] = [0, 0, 0];
  for (const { t, y, weight } of samples) {
    w += weight;
    wt += weight * t;
    wy += weight * y;
  }
  const [t0, y0] = [wt / w, wy / w];
  let [tt, ty] = [0, 0];
  for (const { t, y, weight } of samples) {
    tt += weight * (t - t0) ** 2;
    ty += weight * (t - t0) * (y - y0);
  }
  const pace = ty / tt;
  if (!(pace > 0)) return undefined;
  const scatter = scatterOf(samples, (t) => y0 + pace * (t - t0), 2);
  const timeOf = (level: number): number => t0 + (level - y0) / pace;
  return {
    timeOf,
    errorOf: (level) => Math.sqrt(scatter * (1 / w + (timeOf(level) - t0) ** 2 / tt)) / pace,
  };
}

/** How many times larger than expected the squared errors are; a little more where few samples say so. */
function scatterOf(samples: readonly Sample[], levelAt: (t: number) => number, parameters: number): number {
  let sum = 1;
  for (const { t, y, weight } of samples) sum += weight * (y - levelAt(t)) ** 2;
  return Math.max(1, sum / Math.max(1, samples.length - parameters));
}
