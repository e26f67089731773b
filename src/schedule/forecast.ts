import type { ProgressPoint, ProgressRecord } from "./progress-record.ts";

/** One way to read the bar: when it says that the operation ends, and how far off that may be. */
export interface Forecast {
  /** Milliseconds since the wait began. */
  readonly endInMs: number;
  /** The scale of the logistic law around it, in milliseconds. */
  readonly scaleInMs: number;
  /** How much it is believed; what is missing from 1 over all forecasts belongs to no forecast at all. */
  readonly weight: number;
}

/** A level of the bar with its error, at a moment. */
interface Sample {
  readonly t: number;
  readonly y: number;
  /** The inverse of the level's variance. */
  readonly weight: number;
  /** How far off the level may well be, in percent. */
  readonly blur: number;
}

/** A reading of samples as a curve. */
interface Fit {
  /** When the curve reaches a level. */
  timeOf(level: number): number;
  /** The standard error of that moment. */
  errorOf(level: number): number;
}

type Model = (samples: readonly Sample[]) => Fit | undefined;

/** The bar began with the operation and goes on at one pace. */
function proportional(samples: readonly Sample[]): Fit | undefined {
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
}

/** The share of the whole wait over which an older sample counts a third of a new one. */
const memory = 0.3;

/** The bar goes on at its latest pace, whatever it did before. */
function latestPace(samples: readonly Sample[]): Fit | undefined {
  const now = samples.at(-1)?.t ?? 0;
  if (samples.length < 3) return undefined;
  return line(samples.map((s) => ({ ...s, weight: s.weight * Math.exp((s.t - now) / (memory * now)) })));
}

/** The bar follows a power of the time: it crawls more and more, or runs ever faster. */
function power(samples: readonly Sample[]): Fit | undefined {
  const logs = samples
    .filter(({ t, y }) => t > 0 && y > 0)
    .map((s) => ({ ...s, t: Math.log(s.t), y: Math.log(s.y), weight: s.weight * s.y * s.y }));
  const fit = logs.length < 3 ? undefined : line(logs);
  return (
    fit && {
      timeOf: (level) => Math.exp(Math.min(60, fit.timeOf(Math.log(level)))),
      errorOf: (level) => Math.exp(Math.min(60, fit.timeOf(Math.log(level)))) * fit.errorOf(Math.log(level)),
    }
  );
}

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

const models: readonly Model[] = [proportional, latestPace, power];

/** How far a forecast slips for each second waited, before it has a record: a tenth. And how much that counts. */
const [priorSlip, priorWeight] = [0.15, 1];
/** The slip of knowing nothing: a forecast that slips more is worse than none. */
const slipOfNoForecast = 0.5;
/** What remains to "it ends without a warning", however good the bar's record. */
const leastDoubt = 0.15;
const finestSlip = 0.03;
/** A level is read as at least this much off. */
const leastError = 0.1;

/** What the bar says of the end, each way of reading it with the trust that it earned on this operation. */
export function forecastsOf(record: ProgressRecord, elapsedInMs: number): readonly Forecast[] {
  const samples = samplesOf(record, elapsedInMs);
  const latest = samples.at(-1);
  if (latest === undefined || latest.y <= 0 || elapsedInMs <= 0) return [];
  const judged = models.flatMap((model) => judge(model, samples, latest) ?? []);
  const strength = Math.min(4, samples.length - 1);
  const doubt = slipOfNoForecast ** -strength;
  const total = judged.reduce((sum, { slip }) => sum + slip ** -strength, 0);
  const trust = ((1 - leastDoubt) * total) / (total + doubt * 0.5);
  const shares = judged.reduce((sum, { scaleInMs }) => sum + scaleInMs ** -2, 0);
  return judged.map(({ endInMs, scaleInMs }) => ({
    endInMs,
    scaleInMs,
    weight: (trust * scaleInMs ** -2) / shares,
  }));
}

function judge(
  model: Model,
  samples: readonly Sample[],
  latest: Sample,
): { endInMs: number; scaleInMs: number; slip: number } | undefined {
  const fit = model(samples);
  if (fit === undefined) return undefined;
  const endInMs = Math.max(latest.t, fit.timeOf(100));
  const ahead = endInMs - latest.t;
  const slip = slipOf(model, samples, latest, ahead);
  const scaleInMs = 0.55 * Math.hypot(fit.errorOf(100), slip * ahead) + 0.002 * endInMs;
  return Number.isFinite(endInMs + scaleInMs)
    ? { endInMs, scaleInMs, slip: Math.hypot(slip, finestSlip) }
    : undefined;
}

/**
 * Seconds that the model was wrong by for each second it looked ahead, when asked at each earlier sample for the
 * moment of the level that is reached now.
 */
function slipOf(model: Model, samples: readonly Sample[], latest: Sample, ahead: number): number {
  let [sum, weights] = [priorSlip ** 2 * priorWeight, priorWeight];
  for (let known = 1; known < samples.length; known++) {
    const before = samples[known - 1];
    const fit = model(samples.slice(0, known));
    if (before === undefined || fit === undefined) continue;
    const waited = latest.t - before.t;
    const blur = Math.abs(fit.timeOf(latest.y + latest.blur) - fit.timeOf(latest.y));
    const miss = Math.max(0, Math.abs(fit.timeOf(latest.y) - latest.t) - blur) / waited;
    const weight = Math.min(waited, ahead) / Math.max(waited, ahead);
    sum += weight * Math.min(3, miss) ** 2;
    weights += weight;
  }
  return Math.sqrt(sum / weights);
}

function samplesOf({ points, quantum, latestInMs }: ProgressRecord, elapsedInMs: number): readonly Sample[] {
  const last = points.at(-1);
  if (last === undefined) return [];
  const pace = last.percent / Math.max(1, last.atInMs);
  const step = Math.min(quantum, 25);
  const jitter = jitterOf(points);
  const samples = points
    .filter(({ atInMs, percent }) => atInMs > 0 && percent > 0)
    .map((point) => sampleOf(point, Math.min(step, pace * (point.atInMs - point.afterInMs) || step), jitter));
  const held = { ...last, atInMs: Math.max(latestInMs, last.atInMs) };
  return held.atInMs > last.atInMs && elapsedInMs > 0 ? [...samples, sampleOf(held, step, jitter)] : samples;
}

/** The bar shows a level from the moment it is reached: the truth is up to `width` above. */
function sampleOf({ atInMs, percent, levels }: ProgressPoint, width: number, jitter: number): Sample {
  const half = width / 2;
  const variance = (half * half) / 3 + leastError ** 2 + (jitter * jitter) / levels;
  return { t: atInMs, y: percent + half, blur: half + 1.5 * jitter, weight: 1 / variance };
}

/** How much a bar goes up and down from reading to reading, in percent: how far levels are from between their neighbours. */
function jitterOf(points: readonly ProgressPoint[]): number {
  const squares = points.slice(1, -1).map((point, i) => {
    const [before, after] = [points[i] ?? point, points[i + 2] ?? point];
    const share = (point.atInMs - before.atInMs) / (after.atInMs - before.atInMs);
    const between = before.percent + share * (after.percent - before.percent);
    const variance = 1 / point.levels + (1 - share) ** 2 / before.levels + share ** 2 / after.levels;
    return (point.percent - between) ** 2 / variance;
  });
  // Of the squares of normal deviates, the median is 0.45. One jump among many steps is no jitter.
  return Math.sqrt((squares.toSorted((a, b) => a - b)[squares.length >> 1] ?? 0) / 0.45);
}
