import { hasEnded, leastOf } from "./past-durations.ts";
import type { PastDuration } from "./past-durations.ts";

/** The logarithm of a past duration. */
export interface LogDuration {
  readonly inMs: number;
  readonly log: number;
  /** Whether the operation ended then, or still ran. */
  readonly hasEnded: boolean;
}

/** A normal distribution of logarithms. */
export interface Normal {
  readonly log: number;
  readonly width: number;
}

/** Returns the logarithms in rising order; of equal ones, those that ended come first. */
export function distributionOfLogs(past: readonly PastDuration[]): readonly LogDuration[] {
  return past
    .map((one) => ({ inMs: leastOf(one), log: Math.log(leastOf(one)), hasEnded: hasEnded(one) }))
    .toSorted((a, b) => a.inMs - b.inMs || Number(b.hasEnded) - Number(a.hasEnded));
}

/**
 * Fits a normal distribution, by expectation and maximization where some still ran. Its width allows for their small
 * number.
 */
export function normalFit(logs: readonly LogDuration[]): Normal | undefined {
  const count = logs.filter(({ hasEnded: isEnd }) => isEnd).length;
  if (count < 3) return undefined;
  const steps = count === logs.length ? 1 : 30;
  let fit: Normal = { log: logs[count >> 1]?.log ?? 0, width: 0.5 };
  for (let step = 0; step < steps; step++) {
    let [sum, squares] = [0, 0];
    const { log: center, width } = fit;
    for (const { log, hasEnded: isEnd } of logs) {
      const past = log - center;
      const excess = isEnd ? past : width * hazardOf(past / width);
      sum += excess;
      squares += past * excess + (isEnd ? 0 : width ** 2);
    }
    const mean = sum / logs.length;
    fit = { log: center + mean, width: Math.max(1e-3, Math.sqrt(squares / logs.length - mean ** 2)) };
  }
  return { log: fit.log, width: fit.width * Math.sqrt((count + 1) / (count - 1)) };
}

const standard: Normal = { log: 0, width: 1 };

/** The density of the standard normal law over its survival. */
function hazardOf(z: number): number {
  return z > 5 ? z + 1 / z : densityAt(standard, z) / longerThan(standard, z);
}

/** Returns the share above `log`, to four digits. */
export function longerThan({ log: center, width }: Normal, log: number): number {
  const z = (log - center) / width;
  return 1 / (1 + Math.exp(z * (1.5976 + 0.07056 * z * z)));
}

/** Returns the logarithm that a share is above. */
export function whereLonger(normal: Normal, share: number): number {
  let [low, high] = [normal.log - 8 * normal.width, normal.log + 8 * normal.width];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (longerThan(normal, middle) > share) low = middle;
    else high = middle;
  }
  return low;
}

/** Returns the density at `log`. */
export function densityAt({ log: center, width }: Normal, log: number): number {
  const z = (log - center) / width;
  return Math.exp((-z * z) / 2) / (2.5066 * width);
}
