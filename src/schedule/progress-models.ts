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

/** A way to read samples. */
export interface Model {
  /** What the model makes of the samples before it fits any of them. */
  prepare(samples: readonly Sample[]): readonly Sample[];
  /** Fits the first `count` prepared samples; `undefined` where they are too few, or do not rise. */
  fit(prepared: readonly Sample[], count: number): Fit | undefined;
}

const asTheyAre = (samples: readonly Sample[]): readonly Sample[] => samples;

/** The bar began with the operation and goes on at one pace. */
const proportional: Model = {
  prepare: asTheyAre,
  fit: (samples, count) => {
    let [ty, tt] = [0, 0];
    for (const { t, y, weight } of samples.slice(0, count)) {
      ty += weight * t * y;
      tt += weight * t * t;
    }
    const pace = ty / tt;
    if (!(pace > 0)) return undefined;
    return {
      timeOf: (level) => level / pace,
      errorOf: (level) =>
        (level / pace / pace) * Math.sqrt(scatterOf(samples.slice(0, count), (t) => pace * t, 1) / tt),
    };
  },
};

/** A sample this share of the whole wait ago counts a third of a new one. */
const memory = 0.3;

/** The bar goes on at its latest pace, whatever it did before. */
const latestPace: Model = {
  prepare: asTheyAre,
  fit: (samples, count) => {
    const known = samples.slice(0, count);
    const now = known.at(-1)?.t ?? 0;
    return line(known, (t) => Math.exp((t - now) / (memory * now)));
  },
};

/** More than any wait in milliseconds, and still far from where a number overflows. */
const longestLog = 60;

/** The bar follows a power of the time: it crawls more and more, or runs ever faster. */
const power: Model = {
  prepare: (samples) =>
    samples.map(({ t, y, weight, blur }) => ({
      t: Math.log(t),
      y: Math.log(y),
      weight: weight * y * y,
      blur,
    })),
  fit: (logs, count) => {
    const fit = line(logs.slice(0, count), unfaded);
    if (fit === undefined) return undefined;
    const timeOf = (level: number): number => Math.exp(Math.min(longestLog, fit.timeOf(Math.log(level))));
    return { timeOf, errorOf: (level) => timeOf(level) * fit.errorOf(Math.log(level)) };
  },
};

const unfaded = (): number => 1;

export const models: readonly Model[] = [proportional, latestPace, power];

/** A weighted straight line through three samples or more, read backwards: from the level to the moment. */
function line(samples: readonly Sample[], fading: (t: number) => number): Fit | undefined {
  if (samples.length < 3) return undefined;
  let [w, wt, wy, wtt, wty] = [0, 0, 0, 0, 0];
  const begin = samples[0]?.t ?? 0;
  for (const { t, y, weight } of samples) {
    const [since, share] = [t - begin, weight * fading(t)];
    w += share;
    wt += share * since;
    wy += share * y;
    wtt += share * since * since;
    wty += share * since * y;
  }
  const [t0, y0] = [begin + wt / w, wy / w];
  const tt = wtt - (wt * wt) / w;
  const ty = wty - (wt * wy) / w;
  const pace = ty / tt;
  if (!(pace > 0)) return undefined;
  const timeOf = (level: number): number => t0 + (level - y0) / pace;
  return {
    timeOf,
    errorOf: (level) => {
      const scatter = scatterOf(samples, (t) => y0 + pace * (t - t0), 2);
      return Math.sqrt(scatter * (1 / w + (timeOf(level) - t0) ** 2 / tt)) / pace;
    },
  };
}

/** How many times larger than expected the squared errors are; a little more where few samples say so. */
function scatterOf(samples: readonly Sample[], levelAt: (t: number) => number, parameters: number): number {
  let sum = 1;
  for (const { t, y, weight } of samples) sum += weight * (y - levelAt(t)) ** 2;
  return Math.max(1, sum / Math.max(1, samples.length - parameters));
}
