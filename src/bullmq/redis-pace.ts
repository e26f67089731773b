import { randomUUID } from "node:crypto";
import type { Queue } from "bullmq";
import { RateEstimator } from "../limiter/rate-estimator.ts";
import type { Pace, PaceRequest, PaceResult } from "../durable/pace.ts";
import { RedisClock } from "./redis-state.ts";
import { SharedRates, adoptRate, sharedRateOf } from "./shared-rates.ts";
import type { RateRecord } from "./shared-rates.ts";

/** How old the state of Redis may be when a poll starts. */
const maxAgeInMs = 2000;
/** A hint that differs by less is not told to the others: each costs a command. */
const negligibleChange = 0.1;
const negligibleHoldInMs = 1000;

const weightOfOnePoll = 0.05;

/**
 * Shares the rate of the polls of each origin among all workers of a queue, in Redis. A worker uses Redis for it only
 * while there is a hold or a limit for the origin. The others learn of both when they next read the state of the queue.
 */
export class RedisPace implements Pace {
  readonly clock: RedisClock = new RedisClock();
  readonly #shared: SharedRates;
  readonly #concurrency: number;
  readonly #report: (error: unknown) => void;
  readonly #workerId = randomUUID();
  readonly #rates = new Map<string, OriginRate>();
  #workers = 1;
  #waiting = 0;
  /** A moving average of how long a poll occupies one of this worker's slots. */
  #pollInMs = 0;
  #refreshedAt = -Infinity;
  #refreshing: Promise<void> | undefined;

  constructor(queue: Queue, concurrency: number, report: (error: unknown) => void) {
    this.#shared = new SharedRates(queue);
    this.#concurrency = concurrency;
    this.#report = report;
  }

  /** Reads the state of Redis. */
  async start(): Promise<void> {
    await this.#refresh();
  }

  /** Reads the state of Redis before a poll if it is old: the clocks may have drifted apart since. */
  async refreshIfOld(ageInMs: number = maxAgeInMs): Promise<void> {
    if (this.clock.now() - this.#refreshedAt <= ageInMs) return;
    this.#refreshing ??= this.#refresh()
      .catch(this.#report)
      .finally(() => {
        this.#refreshing = undefined;
      });
    await this.#refreshing;
  }

  /**
   * Adds to the price of a poll what it costs the others: each job that waits for its turn or for a worker waits longer
   * by one poll. Intervals grow with the square root of the price, as those of the schedule do.
   */
  stretch(origin: string, pollCostInMs: number): number {
    const pollInMs = this.#pollInMs / (this.#concurrency * this.#workers);
    const turnsInMs = this.#rateOf(origin).turnsInMs(this.clock.timestamp());
    return Math.sqrt(1 + (turnsInMs + this.#waiting * pollInMs) / pollCostInMs);
  }

  async turn({ origin, isReserved }: PaceRequest): Promise<number> {
    const rate = this.#rateOf(origin);
    const now = this.clock.timestamp();
    if (!isReserved && !rate.isLimited(now)) return 0;
    const intervals = {
      intervalInMs: rate.estimator.intervalInMs(now),
      sustainedInMs: rate.estimator.sustainedIntervalInMs(now),
    };
    const { waitInMs, record } = await this.#shared.reserve(origin, intervals, isReserved);
    if (record) rate.adopt(record);
    // Redis may have lost the hold, or never got it.
    const heldInMs = rate.estimator.throttledUntil - this.clock.timestamp();
    return heldInMs > negligibleHoldInMs ? Math.max(waitInMs, heldInMs) : waitInMs;
  }

  async learn(origin: string, result: PaceResult): Promise<void> {
    this.#pollInMs += (result.durationInMs - this.#pollInMs) * weightOfOnePoll;
    const rate = this.#rateOf(origin);
    const now = this.clock.timestamp();
    rate.estimator.record(now, result, this.#workers);
    if (!result.isThrottled && !rate.hasNewHint(now)) return;
    const throttledBy = result.isThrottled ? (result.statusCode ?? 429) : undefined;
    rate.adopt(await this.#shared.learn(origin, sharedRateOf(rate.estimator), rate.liftedAt, throttledBy));
  }

  /** Asks Redis: a job comes back before its turn because of a lift a moment ago. */
  async liftedAt(origin: string): Promise<number> {
    const rate = this.#rateOf(origin);
    const record = await this.#shared.readOne(origin);
    if (record) rate.adopt(record);
    return rate.liftedAt;
  }

  async #refresh(): Promise<void> {
    const now = this.clock.now();
    const { timeInMs, waiting, workers, rates } = await this.#shared.refresh(this.#workerId);
    this.clock.learn(timeInMs, now, this.clock.now());
    this.#waiting = waiting;
    this.#workers = Math.max(1, workers);
    for (const [origin, record] of rates) this.#rateOf(origin).adopt(record);
    this.#refreshedAt = now;
  }

  #rateOf(origin: string): OriginRate {
    const known = this.#rates.get(origin);
    if (known) return known;
    const rate = new OriginRate();
    this.#rates.set(origin, rate);
    return rate;
  }
}

/** The rate of one origin, as this worker knows it. */
class OriginRate {
  estimator = new RateEstimator();
  liftedAt = 0;
  #nextAt = 0;
  /** The hint that the other workers know. */
  #told = { intervalInMs: 0, until: 0, exhaustedUntil: 0 };

  /** Returns whether the service has asked to wait, or accepts only so many requests. */
  isLimited(now: number): boolean {
    return this.estimator.throttledUntil > now || this.estimator.intervalInMs(now) > 0;
  }

  /** How long a new turn would wait for those that are reserved, in milliseconds, the hold aside. */
  turnsInMs(now: number): number {
    return Math.max(0, this.#nextAt - Math.max(now, this.estimator.throttledUntil));
  }

  hasNewHint(now: number): boolean {
    const { hintedInMs, hintedUntil, exhaustedUntil } = sharedRateOf(this.estimator);
    const hintInMs = now < hintedUntil ? hintedInMs : 0;
    const toldInMs = now < this.#told.until ? this.#told.intervalInMs : 0;
    const isHeldLonger = exhaustedUntil > Math.max(now, this.#told.exhaustedUntil) + negligibleHoldInMs;
    return isHeldLonger || Math.abs(hintInMs - toldInMs) > negligibleChange * toldInMs;
  }

  adopt(record: RateRecord): void {
    // Redis alone knows what holds after a lift.
    if (record.liftedAt > this.liftedAt) this.estimator = new RateEstimator();
    this.liftedAt = Math.max(this.liftedAt, record.liftedAt);
    adoptRate(this.estimator, record);
    this.#nextAt = record.nextAt;
    this.#told = {
      intervalInMs: record.hintedInMs,
      until: record.hintedUntil,
      exhaustedUntil: record.exhaustedUntil,
    };
  }
}
