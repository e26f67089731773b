import type { Queue } from "bullmq";
import { RateEstimator } from "../limiter/rate-estimator.ts";
import type { Pace, PaceResult } from "../durable/pace.ts";
import { RedisClock, readRedisState } from "./redis-state.ts";
import type { QueueRateLimit } from "./redis-state.ts";

/** How old the state of Redis may be when a poll starts. */
const maxAgeInMs = 2000;
/** In effect no limit: BullMQ's `rateLimit` stops workers only if the queue has a limit. */
const noLimit = 1_000_000;
/** The count of polls that `rateLimit` sets, which no real count reaches. */
const moreThanAnyLimit = 1_000_000_000;
const periodInMs = 1000;
/** A limit that would change by less stays as it is: each change costs a command. */
const negligibleChange = 0.1;

const weightOfOnePoll = 0.05;

/**
 * Limits the rate of the polls of all workers of a queue, by BullMQ's own limit in Redis. A hint of the service to one
 * worker about the requests it still accepts counts for all. So does a 429.
 */
export class SharedLimiter implements Pace {
  readonly clock: RedisClock = new RedisClock();
  readonly #queue: Queue;
  readonly #concurrency: number;
  readonly #report: (error: unknown) => void;
  /** The service's hints, which count for the polls of all workers. */
  readonly #hinted = new RateEstimator();
  /** The rate learned from 429s, which counts for this worker's share of the polls. */
  readonly #learned = new RateEstimator();
  #workers = 1;
  #waiting = 0;
  /** A moving average of how long a poll occupies one of this worker's slots. */
  #pollInMs = 0;
  #refreshedAt = -Infinity;
  #limit: QueueRateLimit = { max: 0, periodInMs };
  #retryAfterUntil = -Infinity;
  #refreshing: Promise<void> | undefined;

  constructor(queue: Queue, concurrency: number, report: (error: unknown) => void) {
    this.#queue = queue;
    this.#concurrency = concurrency;
    this.#report = report;
  }

  /** Reads the state of Redis, and makes sure that the queue has a limit. */
  async start(): Promise<void> {
    await this.#refresh();
    if (this.#limit.max === 0) await this.#setLimit(0);
  }

  /** Reads the state of Redis before a poll if it is old: the clocks may have drifted apart since. */
  async refreshIfOld(): Promise<void> {
    if (this.clock.now() - this.#refreshedAt <= maxAgeInMs) return;
    this.#refreshing ??= this.#refresh()
      .catch(this.#report)
      .finally(() => {
        this.#refreshing = undefined;
      });
    await this.#refreshing;
  }

  /**
   * Adds to the price of a poll what it costs the others: each waiting job waits longer by one poll. Intervals grow with
   * the square root of the price, as those of the schedule do.
   */
  stretch(_origin: string, pollCostInMs: number): number {
    const turnInMs = this.#pollInMs / (this.#concurrency * this.#workers);
    const spacingInMs = Math.max(this.#spacingInMs(this.clock.now()), turnInMs);
    return Math.sqrt(1 + (this.#waiting * spacingInMs) / pollCostInMs);
  }

  /** BullMQ's limit gives the turns. */
  turn(): number {
    return 0;
  }

  async learn(_origin: string, { rateLimit, durationInMs, ...result }: PaceResult): Promise<void> {
    this.#pollInMs += (durationInMs - this.#pollInMs) * weightOfOnePoll;
    const now = this.clock.now();
    this.#hinted.record(now, { isThrottled: false, rateLimit });
    this.#learned.record(now, result);
    await this.#applyRates(now);
  }

  async #applyRates(now: number): Promise<void> {
    const pauseInMs = Math.max(this.#hinted.throttledUntil, this.#learned.throttledUntil) - now;
    if (pauseInMs > 0) await this.#pauseFor(pauseInMs);
    await this.#setLimit(this.#spacingInMs(now));
  }

  async #pauseFor(durationInMs: number): Promise<void> {
    const until = this.clock.now() + durationInMs;
    if (until <= this.#retryAfterUntil) return;
    this.#retryAfterUntil = until;
    // Another worker may have had a longer Retry-After.
    if ((await this.#queue.getRateLimitTtl(moreThanAnyLimit)) >= durationInMs) return;
    await this.#queue.rateLimit(Math.ceil(durationInMs));
  }

  #spacingInMs(now: number): number {
    return Math.max(this.#hinted.intervalInMs(now), this.#learned.intervalInMs(now) / this.#workers);
  }

  async #setLimit(spacingInMs: number): Promise<void> {
    const limit = limitOf(spacingInMs);
    const change = Math.abs(rateOf(limit) / rateOf(this.#limit) - 1);
    if (change <= negligibleChange) return;
    this.#limit = limit;
    await this.#queue.setGlobalRateLimit(limit.max, limit.periodInMs);
  }

  async #refresh(): Promise<void> {
    const now = this.clock.now();
    const { timeInMs, waiting, workers, limit } = await readRedisState(this.#queue, this.#report);
    this.clock.learn(timeInMs, now, this.clock.now());
    this.#waiting = waiting;
    this.#workers = Math.max(1, workers ?? this.#workers);
    // The worker that set the limit may be gone, and would never lift it.
    this.#limit = limit;
    this.#refreshedAt = now;
  }
}

/** Allows several polls in each period of about a second: workers wake up less often than with one at a time. */
function limitOf(spacingInMs: number): QueueRateLimit {
  if (spacingInMs <= 1) return { max: noLimit, periodInMs };
  const max = Math.max(1, Math.floor(periodInMs / spacingInMs));
  return { max, periodInMs: Math.ceil(max * spacingInMs) };
}

function rateOf(limit: QueueRateLimit): number {
  return limit.max / limit.periodInMs;
}
