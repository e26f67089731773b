import { models } from "./progress-models.ts";
import type { Fit, Model, Sample } from "./progress-models.ts";
import type { ProgressHistory, ProgressPoint } from "./progress-history.ts";

/** When one model of the percentage expects the operation to end, and how exactly. */
export interface Forecast {
  /** In milliseconds, as `elapsedInMs`. */
  readonly endInMs: number;
  /** The scale of the logistic distribution around the end, in milliseconds. */
  readonly scaleInMs: number;
  /** The trust in this forecast, from 0 to 1. The rest of 1 that all forecasts together leave is doubt. */
  readonly weight: number;
  /** The error of the model so far: seconds off for each second that it predicted ahead. */
  readonly relativeError: number;
}

/** The relative error of a percentage without a record, and how many predictions that assumption counts as. */
const [priorError, priorCount] = [0.15, 1];
/** Having no forecast is as good as one with this relative error, and starts half as likely. */
const [errorOfDoubt, priorDoubt] = [0.5, 0.5];
/** The least weight of an end without warning, however good the record is. */
const minDoubt = 0.1;
/** The most that all forecasts together are trusted. */
export const maxTrust: number = 1 - minDoubt;
/** A relative error below this earns no more trust. */
const minRelativeError = 0.03;
/** More predictions than this do not make a record stronger: they repeat the same error. */
const maxPredictions = 4;

/** Returns the forecast of each model, weighted by how right the model has been on this operation. */
export function forecastsOf(progress: ProgressHistory | undefined, elapsedInMs: number): readonly Forecast[] {
  if (progress === undefined) return [];
  const noise = noiseOf(progress);
  const samples = samplesOf(progress, noise);
  const latest = samples.at(-1);
  if (latest === undefined || latest.y <= 0 || elapsedInMs < firstInMs) return [];
  const present = smoothed(samples, latest, noise);
  const forecasts = models.flatMap((model) => unweightedForecast(model, samples, present, elapsedInMs) ?? []);
  const strength = Math.min(maxPredictions, samples.length - 1);
  const merit = forecasts.reduce((sum, { relativeError }) => sum + relativeError ** -strength, 0);
  const trust = (maxTrust * merit) / (merit + priorDoubt * errorOfDoubt ** -strength);
  const precision = forecasts.reduce((sum, { scaleInMs }) => sum + scaleInMs ** -2, 0);
  return forecasts.map(({ endInMs, scaleInMs, relativeError }) => ({
    endInMs,
    scaleInMs,
    weight: (trust * scaleInMs ** -2) / precision,
    relativeError,
  }));
}

/** Returns how much forecasts are trusted together, from 0 to {@link maxTrust}. */
export function trustIn(forecasts: readonly Forecast[]): number {
  return forecasts.reduce((sum, { weight }) => sum + weight, 0);
}

/** The standard deviation of a logistic distribution of scale 1 is 1.81. */
const scaleOfDeviation = 0.55;
/** The end is nowhere known better than to a 500th of the whole wait. */
const minScale = 0.002;

function unweightedForecast(
  model: Model,
  samples: readonly Sample[],
  latest: Sample,
  elapsedInMs: number,
): Omit<Forecast, "weight"> | undefined {
  const fits = model(samples);
  const fit = fits.at(-1);
  if (fit === undefined) return undefined;
  const predictedInMs = Math.max(0, fit.timeOf(100) - latest.t);
  const { bias, relativeError, overdueInMs } = trackRecord(fits.slice(0, -1), samples, latest, predictedInMs);
  // A steady error is corrected; an occasional one only widens the distribution.
  const steadiness = (bias / relativeError) ** 2;
  const aheadInMs = predictedInMs / (1 - Math.min(0.8, bias * steadiness));
  const endInMs = latest.t + aheadInMs;
  const deviation = Math.hypot(fit.errorOf(100), relativeError * aheadInMs, overdueInMs);
  const scaleInMs = scaleOfDeviation * deviation + minScale * Math.max(endInMs, elapsedInMs);
  // So far ahead, the arithmetic of a plan has no milliseconds left.
  if (!(endInMs + scaleInMs < Number.MAX_SAFE_INTEGER)) return undefined;
  return { endInMs, scaleInMs, relativeError: Math.hypot(relativeError, minRelativeError) };
}

/** How right a model has been so far. */
interface TrackRecord {
  /** The mean lateness of the percentage for each second predicted ahead; below 0 for early. */
  readonly bias: number;
  /** The root mean square of the same. */
  readonly relativeError: number;
  /** How late the percentage is by the model's latest prediction. */
  readonly overdueInMs: number;
}

/** Compares the earlier fits with the moment at which the present level was reached. */
function trackRecord(
  fits: readonly (Fit | undefined)[],
  samples: readonly Sample[],
  latest: Sample,
  aheadInMs: number,
): TrackRecord {
  let [count, sum, squares, overdueInMs] = [priorCount, 0, priorError ** 2 * priorCount, 0];
  for (const [i, fit] of fits.entries()) {
    const waited = latest.t - (samples[i]?.t ?? 0);
    if (fit === undefined || waited <= 0) continue;
    const late = latenessOf(fit, latest);
    const error = Math.max(-3, late / waited);
    // A prediction over less time than is left now says less.
    const weight = Math.min(1, waited / (aheadInMs + 1));
    sum += weight * error;
    squares += weight * error * error;
    count += weight;
    overdueInMs = Math.max(0, late);
  }
  return { bias: sum / count, relativeError: Math.sqrt(squares / count), overdueInMs };
}

/** How much later the latest level came than predicted, beyond what its blur and the error of the fit explain. */
function latenessOf(fit: Fit, latest: Sample): number {
  const expected = fit.timeOf(latest.y);
  const blurInMs = fit.timeOf(latest.y + latest.blur) - expected;
  const fitErrorInMs = fit.errorOf(latest.y);
  const likelyInMs = Math.hypot(blurInMs, Number.isFinite(fitErrorInMs) ? 2 * fitErrorInMs : 0);
  const late = latest.t - expected;
  return Math.sign(late) * Math.max(0, Math.abs(late) - likelyInMs);
}

/** With noise of 2 % and more, samples that are older by this share of the wait count a third in the present level. */
const [fullNoise, smoothingShare] = [2, 0.1];

/** Returns the latest sample with the level that its noisy neighbours agree on. */
function smoothed(samples: readonly Sample[], latest: Sample, noise: number): Sample {
  const memoryInMs = smoothingShare * latest.t * Math.min(1, noise / fullNoise);
  if (memoryInMs === 0) return latest;
  const speed = latest.y / latest.t;
  let [weights, levels, variance] = [0, 0, 0];
  for (const { t, y, weight } of samples) {
    const share = weight * Math.exp((t - latest.t) / memoryInMs);
    weights += share;
    levels += share * (y + speed * (latest.t - t));
    variance += share ** 2 / weight;
  }
  const blur = Math.sqrt(variance) / weights + (latest.max - latest.min) / 2;
  return { ...latest, y: levels / weights, blur: Math.min(latest.blur, blur) };
}

/** Larger steps are jumps, not the resolution of the percentage. */
const maxStep = 25;
/** A level before this time says nothing of the speed, and its reciprocal may overflow. */
const firstInMs = 1;

function samplesOf({ points, quantum, latestInMs }: ProgressHistory, noise: number): readonly Sample[] {
  const last = points.at(-1);
  if (last === undefined) return [];
  const speed = last.percent / Math.max(1, last.atInMs);
  const step = Math.min(quantum, maxStep);
  const samples = points
    .filter(({ atInMs, percent }) => atInMs >= firstInMs && percent > 0)
    .map((point) => {
      const width = Math.min(step, speed * (point.atInMs - point.afterInMs) || step);
      return sampleOf(point, width, step, noise);
    });
  const isHeld = latestInMs > last.atInMs && latestInMs >= firstInMs;
  return isHeld ? [...samples, sampleOf({ ...last, atInMs: latestInMs }, step, step, noise)] : samples;
}

/** The least standard error of a level, in percent. */
const minError = 0.1;

/** A service shows a level from the moment on when it is reached: the true percentage is up to `width` above. */
function sampleOf(
  { atInMs, percent, levels }: ProgressPoint,
  width: number,
  step: number,
  noise: number,
): Sample {
  const half = width / 2;
  const variance = half ** 2 / 3 + minError ** 2 + noise ** 2 / levels;
  const [y, blur] = [percent + half, half + 1.5 * noise];
  return { t: atInMs, y, blur, weight: 1 / variance, min: percent, max: percent + step };
}

/** The mean of the square roots of the absolute values of standard normal deviates. */
const meanRootOfNormal = 0.822;

/** How much the percentage goes up and down from poll to poll, in percent. */
export function noiseOf({ roughness }: ProgressHistory): number {
  return (roughness.meanRoot / meanRootOfNormal) ** 2;
}
