import type { Queue } from "bullmq";
import { RateEstimator } from "../limiter/rate-estimator.ts";
import { isObject } from "../operation/json-fields.ts";
import { redisTimeInMs } from "./redis-state.ts";
import { SharedRates, adoptRate, minIntervalAfterHoldInMs } from "./shared-rates.ts";

/** A host that the workers of a queue do not poll now, or only at an interval. */
export interface QueueHold {
  /** The origin, such as `https://management.azure.com`. Empty for operations without a URL. */
  readonly origin: string;
  /** When polls continue; `undefined` if the host is polled, at an interval. */
  readonly until?: Date | undefined;
  /** The status of the response that asked to wait: 429 or 503. `undefined` if rate headers set the limit. */
  readonly statusCode?: number | undefined;
  /** The minimum time between two polls of all workers, in milliseconds; 0 for no limit. */
  readonly intervalInMs: number;
}

/** Returns the holds and limits of a queue. */
export async function readHolds(queue: Queue): Promise<QueueHold[]> {
  const [now, rates] = await Promise.all([redisTimeInMs(queue), new SharedRates(queue).read()]);
  return Array.from(rates, ([origin, record]) => {
    const estimator = new RateEstimator();
    adoptRate(estimator, record);
    const { throttledUntil } = estimator;
    const until = throttledUntil > now ? new Date(throttledUntil) : undefined;
    const { statusCode } = record;
    return { origin, until, statusCode, intervalInMs: Math.round(estimator.intervalInMs(now)) };
  }).filter(({ until, intervalInMs }) => until !== undefined || intervalInMs > 0);
}

/** Lifts a hold, and lets the jobs that wait for their turn come back. Returns whether there was one. */
export async function liftHold(queue: Queue, origin: string): Promise<boolean> {
  const rates = new SharedRates(queue);
  if (!(await rates.lift(origin))) return false;
  let delayInMs = 0;
  for await (const jobIds of rates.heldJobs(origin)) {
    const moves = jobIds.map((jobId) => changeDelay(queue, jobId, (delayInMs += minIntervalAfterHoldInMs)));
    await Promise.all(moves);
  }
  return true;
}

async function changeDelay(queue: Queue, jobId: string, delayInMs: number): Promise<void> {
  try {
    await queue.backend.changeDelay(jobId, delayInMs);
  } catch (error) {
    // A worker has it, or it was removed.
    const isGone = isObject(error) && (error["code"] === -1 || error["code"] === -3);
    if (!isGone) throw error;
  }
}
