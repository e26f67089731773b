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

/** Fits a model of how the percentage moves to the first sample, to the first two, and so on to all. */
export type Model = (samples: readonly Sample[]) => readonly (Fit | undefined)[];

/** The percentage starts with the operation and moves at a constant speed. */
const proportional: Model = (samples) => {
  const sums = new Sums(origin);
  let [slowest, fastest] = [0, Infinity];
  return samples.map((sample) => {
    sums.add(sample, sample.weight);
    slowest = Math.max(slowest, sample.min / sample.t);
    fastest = Math.min(fastest, sample.max / sample.t);
    const speed = sums.ty / sums.tt;
    if (!(speed > 0)) return undefined;
    // Of coarse steps, the speeds that explain every sample leave a far narrower end than their mean does.
    if (slowest < fastest) return fitBetween(1 / fastest, 1 / slowest);
    return fitOf({ ...origin, speed, w: Infinity, tt: sums.tt, scatter: sums.scatterOf(origin, speed, 1) });
  });
};

/** The standard deviation of a uniform distribution over a length of 1. */
const uniformDeviation = 1 / Math.sqrt(12);

/** A percent takes a time between these two, and each of them is as likely. */
function fitBetween(shortest: number, longest: number): Fit {
  return {
    timeOf: (level) => (level * (shortest + longest)) / 2,
    errorOf: (level) => level * (longest - shortest) * uniformDeviation,
  };
}

/** A sample older by this share of the whole wait counts a third of a new one. */
const memory = 0.3;

/** The percentage continues at its latest speed, whatever it did before. */
const latestSpeed: Model = (samples) => {
  const sums = new Sums(samples[0]);
  return samples.map((latest, i) => {
    sums.add(latest, latest.weight);
    if (i < 2) return undefined;
    const faded = new Sums(samples[0]);
    for (const sample of samples.slice(0, i + 1)) {
      faded.add(sample, sample.weight * Math.exp((sample.t - latest.t) / (memory * latest.t)));
    }
    return risingLine(faded, sums);
  });
};

/** The logarithm of more than any wait in milliseconds, and far below an overflow. */
const maxLog = 60;

/** The percentage follows a power of the time: it slows down or speeds up. */
const power: Model = (samples) => {
  const logs = samples.map(({ t, y, weight }) => ({
    t: Math.log(t),
    y: Math.log(y),
    weight: weight * y ** 2,
  }));
  const sums = new Sums(logs[0]);
  return logs.map((log, i) => {
    sums.add(log, log.weight);
    const fit = i < 2 ? undefined : risingLine(sums, sums);
    if (fit === undefined) return undefined;
    const timeOf = (level: number): number => Math.exp(Math.min(maxLog, fit.timeOf(Math.log(level))));
    return { timeOf, errorOf: (level) => timeOf(level) * fit.errorOf(Math.log(level)) };
  });
};

export const models: readonly Model[] = [proportional, latestSpeed, power];

type Point = Pick<Sample, "t" | "y">;

const origin: Point = { t: 0, y: 0 };

/** Weighted sums over samples. They count from a point nearby, so that small differences stay exact. */
class Sums {
  readonly #from: Point;
  w = 0;
  t = 0;
  y = 0;
  tt = 0;
  ty = 0;
  #yy = 0;
  #count = 0;

  constructor(from: Point = origin) {
    this.#from = from;
  }

  add(point: Point, weight: number): void {
    const [t, y] = [point.t - this.#from.t, point.y - this.#from.y];
    this.w += weight;
    this.t += weight * t;
    this.y += weight * y;
    this.tt += weight * t * t;
    this.ty += weight * t * y;
    this.#yy += weight * y * y;
    this.#count++;
  }

  /** The mean of the samples. */
  mean(): Point {
    return { t: this.#from.t + this.t / this.w, y: this.#from.y + this.y / this.w };
  }

  /** How many times larger than expected the squared errors from a line are; a little more with few samples. */
  scatterOf({ t, y }: Point, speed: number, parameters: number): number {
    const level = y - this.#from.y - speed * (t - this.#from.t);
    const mixed = level * this.y + speed * this.ty - level * speed * this.t;
    const squares = this.#yy - 2 * mixed + level ** 2 * this.w + speed ** 2 * this.tt;
    return Math.max(1, (1 + squares) / Math.max(1, this.#count - parameters));
  }
}

/** Returns the line of least squares, with the error that the scatter of all samples leads to. */
function risingLine(fitted: Sums, all: Sums): Fit | undefined {
  const { w, t, y } = fitted;
  const tt = fitted.tt - (t * t) / w;
  const speed = (fitted.ty - (t * y) / w) / tt;
  if (!(speed > 0)) return undefined;
  const mean = fitted.mean();
  return fitOf({ ...mean, speed, w, tt, scatter: all.scatterOf(mean, speed, 2) });
}

/** A line through a point: its speed, and what its error depends on. */
interface Line extends Point {
  readonly speed: number;
  readonly w: number;
  readonly tt: number;
  readonly scatter: number;
}

function fitOf({ t, y, speed, w, tt, scatter }: Line): Fit {
  const timeOf = (level: number): number => t + (level - y) / speed;
  return { timeOf, errorOf: (level) => Math.sqrt(scatter * (1 / w + (timeOf(level) - t) ** 2 / tt)) / speed };
}
