import { models } from "./progress-models.ts";
import type { Fit, Model, Sample } from "./progress-models.ts";
import type { ProgressHistory, ProgressPoint } from "./progress-history.ts";

/** One way to read the bar: when it says that the operation ends, and how far off that may be. */
export interface Forecast {
  /** Milliseconds since the wait began. */
  readonly endInMs: number;
  /** The scale of the logistic law around it, in milliseconds. */
  readonly scaleInMs: number;
  /** How far it is believed; what the forecasts together lack of 1 is doubt. */
  readonly weight: number;
  /** How many seconds it was off for each second that it looked ahead, so far. */
  readonly slip: number;
}

/** How many seconds off per second looked ahead: a bar without a record; and as how many looks back that counts. */
const [priorSlip, priorLooks] = [0.15, 1];
/** Knowing nothing is as good as a forecast that slips by this much, and is thought half as likely to begin with. */
const [slipOfDoubt, priorDoubt] = [0.5, 0.5];
/** What is always left to "it ends without a warning", however good the record. */
const leastDoubt = 0.1;
/** No bar earns trust for slipping less than this. */
const finestSlip = 0.03;
/** More looks back than this do not make a record any stronger: they see the same mistake again. */
const mostLooks = 4;

/** What the bar says of the end, in each way of reading it, with the trust that it earned on this operation. */
export function forecastsOf(record: ProgressHistory, elapsedInMs: number): readonly Forecast[] {
  const samples = samplesOf(record, elapsedInMs);
  const latest = samples.at(-1);
  if (latest === undefined || latest.y <= 0 || elapsedInMs <= 0) return [];
  const judged = models.flatMap((model) => judge(model, samples, latest) ?? []);
  const strength = Math.min(mostLooks, samples.length - 1);
  const merit = judged.reduce((sum, { slip }) => sum + slip ** -strength, 0);
  const trust = ((1 - leastDoubt) * merit) / (merit + priorDoubt * slipOfDoubt ** -strength);
  const precision = judged.reduce((sum, { scaleInMs }) => sum + scaleInMs ** -2, 0);
  return judged.map(({ endInMs, scaleInMs, slip }) => ({
    endInMs,
    scaleInMs,
    weight: (trust * scaleInMs ** -2) / precision,
    slip,
  }));
}

type Judged = Omit<Forecast, "weight">;

/** The standard deviation of a logistic law of scale 1 is 1.81. */
const scaleOfDeviation = 0.55;
/** The end is nowhere known better than to a 500th of the whole wait. */
const finestScale = 0.002;

function judge(model: Model, samples: readonly Sample[], latest: Sample): Judged | undefined {
  const prepared = model.prepare(samples);
  const fit = model.fit(prepared, samples.length);
  if (fit === undefined) return undefined;
  const said = Math.max(0, fit.timeOf(100) - latest.t);
  const looks = samples.slice(0, -1).map((_, i) => model.fit(prepared, i + 1));
  const { bias, slip, overdueInMs } = trackRecord(looks, samples, latest, said);
  // A mistake made steadily is put right; one made now and then only widens the law.
  const steadiness = (bias / slip) ** 2;
  const aheadInMs = said / (1 - Math.min(0.8, bias * steadiness));
  const endInMs = latest.t + aheadInMs;
  const deviation = Math.hypot(fit.errorOf(100), slip * aheadInMs, overdueInMs);
  const scaleInMs = scaleOfDeviation * deviation + finestScale * endInMs;
  if (!Number.isFinite(endInMs + scaleInMs)) return undefined;
  return { endInMs, scaleInMs, slip: Math.hypot(slip, finestSlip) };
}

/** How right a model was so far. */
interface TrackRecord {
  /** How late the bar was, on the average, for each second that the model looked ahead; below 0 for early. */
  readonly bias: number;
  /** The same whether late or early: the root of the mean square. */
  readonly slip: number;
  /** How late the bar is by the model's latest look ahead. */
  readonly overdueInMs: number;
}

/** Asks the fits of each earlier moment for the moment of the level that is reached now. */
function trackRecord(
  fits: readonly (Fit | undefined)[],
  samples: readonly Sample[],
  latest: Sample,
  aheadInMs: number,
): TrackRecord {
  let [looks, sum, squares, overdueInMs] = [priorLooks, 0, priorSlip ** 2 * priorLooks, 0];
  for (const [i, fit] of fits.entries()) {
    const waited = latest.t - (samples[i]?.t ?? 0);
    if (fit === undefined || waited <= 0) continue;
    const late = latenessOf(fit, latest);
    const miss = Math.max(-3, late / waited);
    // A look over a shorter way than the one ahead says less.
    const weight = Math.min(1, waited / (aheadInMs + 1));
    sum += weight * miss;
    squares += weight * miss * miss;
    looks += weight;
    overdueInMs = Math.max(0, late);
  }
  return { bias: sum / looks, slip: Math.sqrt(squares / looks), overdueInMs };
}

/** How much later the latest level came than expected, apart from what the level may be off. */
function latenessOf(fit: Fit, latest: Sample): number {
  const expected = fit.timeOf(latest.y);
  const blurInMs = Math.abs(fit.timeOf(latest.y + latest.blur) - expected);
  const late = latest.t - expected;
  return Math.sign(late) * Math.max(0, Math.abs(late) - blurInMs);
}

/** Steps larger than this are jumps, not the grid of the bar. */
const coarsestStep = 25;

function samplesOf(record: ProgressHistory, elapsedInMs: number): readonly Sample[] {
  const { points, quantum, latestInMs } = record;
  const last = points.at(-1);
  if (last === undefined) return [];
  const pace = last.percent / Math.max(1, last.atInMs);
  const step = Math.min(quantum, coarsestStep);
  const jitter = jitterOf(record);
  const samples = points
    .filter(({ atInMs, percent }) => atInMs > 0 && percent > 0)
    .map((point) => sampleOf(point, Math.min(step, pace * (point.atInMs - point.afterInMs) || step), jitter));
  const isHeld = latestInMs > last.atInMs && elapsedInMs > 0;
  return isHeld ? [...samples, sampleOf({ ...last, atInMs: latestInMs }, step, jitter)] : samples;
}

/** No level is taken to be more exact than this, in percent. */
const leastError = 0.1;

/** A bar shows a level from the moment on when it is reached: the truth is up to `width` above. */
function sampleOf({ atInMs, percent, levels }: ProgressPoint, width: number, jitter: number): Sample {
  const half = width / 2;
  const variance = half ** 2 / 3 + leastError ** 2 + jitter ** 2 / levels;
  return { t: atInMs, y: percent + half, blur: half + 1.5 * jitter, weight: 1 / variance };
}

/** The mean of the square roots of the size of standard normal deviates. */
const meanRootOfNormal = 0.822;

/** How much the bar goes up and down from reading to reading, in percent. */
function jitterOf({ roughness }: ProgressHistory): number {
  return (roughness.meanRoot / meanRootOfNormal) ** 2;
}
