import type { Queue } from "bullmq";
import type { PollEvent } from "../state/state-machine.ts";
import { RateEstimator, throttlingBackoffInMs } from "../limiter/rate-estimator.ts";
import type { WorkerContext } from "./poll-job.ts";
import { readRedisState } from "./redis-state.ts";
import type { Limit } from "./redis-state.ts";
import { RedisClock } from "./redis-clock.ts";

/** How old what is known of Redis may be. */
const maxAgeInMs = 2000;
/** As good as none: BullMQ holds workers back by `rateLimit` only where the queue has a limit. */
const noLimit = 1_000_000;
/** What `rateLimit` counts as, and no count of reads comes to. */
const moreThanAnyLimit = 1_000_000_000;
const periodInMs = 1000;
/** A limit that would move by less than this stays as it is: each costs a command. */
const negligibleChange = 0.1;

const weightOfOnePoll = 0.05;

/**
 * The pace that all workers of a queue keep, in BullMQ's own limit, which is in Redis. What one of them is told of how
 * much the service still takes holds for all; so does its 429.
 */
export class SharedLimiter implements WorkerContext {
  readonly clock: RedisClock = new RedisClock();
  readonly #queue: Queue;
  readonly #concurrency: number;
  readonly #report: (error: unknown) => void;
  /** What the service says is left counts for all who ask it. */
  readonly #hinted = new RateEstimator();
  /** What was too fast counts for this worker's part of the reads. */
  readonly #learned = new RateEstimator();
  #workers = 1;
  #waiting = 0;
  /** How long a read keeps one of this worker's places, of late. */
  #pollInMs = 0;
  #refreshedAt = -Infinity;
  #limit: Limit = { max: 0, durationInMs: periodInMs };
  #retryAfterUntil = -Infinity;
  #throttlings = 0;
  #refreshing: Promise<void> | undefined;

  constructor(queue: Queue, concurrency: number, report: (error: unknown) => void) {
    this.#queue = queue;
    this.#concurrency = concurrency;
    this.#report = report;
  }

  /** Looks at Redis, and makes sure that there is a limit. */
  async start(): Promise<void> {
    await this.#refresh();
    if (this.#limit.max === 0) await this.#setLimit(0);
  }

  /** Looks at Redis before a read where that was long ago: meanwhile the clocks may have gone apart. */
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
   * A read makes all who wait for their turn wait longer by one read's time: that is what it costs, on top of what it is
   * worth to who asked. Waits grow with the root of the price, as the schedule's own do.
   */
  stretchAt(pollCostInMs: number): number {
    const turnInMs = this.#pollInMs / (this.#concurrency * this.#workers);
    const spacingInMs = Math.max(this.#spacingInMs(this.clock.now()), turnInMs);
    return Math.sqrt(1 + (this.#waiting * spacingInMs) / pollCostInMs);
  }

  /** Rejects never: the read is to be saved, though nobody were told of its pace. */
  async onPoll(event: PollEvent, tookInMs: number): Promise<void> {
    await this.#learn(event, tookInMs).catch(this.#report);
  }

  async #learn(event: PollEvent, tookInMs: number): Promise<void> {
    const now = this.clock.now();
    this.#pollInMs += (tookInMs - this.#pollInMs) * weightOfOnePoll;
    this.#learned.countRequest(now);
    const { rateLimit } = event.type === "response" ? event.response : event.failure;
    if (rateLimit) this.#hinted.learnLimit(now, rateLimit);
    if (event.type === "failed" && event.failure.isThrottled)
      await this.#throttle(event.failure.retryAfterInMs);
    else this.#throttlings = 0;
    await this.#applyRates(now);
  }

  /** The service said "too many": no worker asks before it says. */
  async #throttle(retryAfterInMs: number | undefined): Promise<void> {
    const now = this.clock.now();
    if (now >= this.#retryAfterUntil) {
      this.#throttlings++;
      this.#learned.slowDown(now);
    }
    await this.#pauseFor(retryAfterInMs ?? throttlingBackoffInMs(this.#throttlings));
  }

  async #applyRates(now: number): Promise<void> {
    const exhaustedInMs = this.#hinted.exhaustedUntil - now;
    if (exhaustedInMs > 0) await this.#pauseFor(exhaustedInMs);
    await this.#setLimit(this.#spacingInMs(now));
  }

  async #pauseFor(holdInMs: number): Promise<void> {
    const until = this.clock.now() + holdInMs;
    if (until <= this.#retryAfterUntil) return;
    this.#retryAfterUntil = until;
    // Another worker may have been told to hold back for longer.
    if ((await this.#queue.getRateLimitTtl(moreThanAnyLimit)) >= holdInMs) return;
    await this.#queue.rateLimit(Math.ceil(Math.min(holdInMs, longestRateLimitInMs)));
  }

  #spacingInMs(now: number): number {
    return Math.max(this.#hinted.intervalInMs(now), this.#learned.intervalInMs(now) / this.#workers);
  }

  async #setLimit(spacingInMs: number): Promise<void> {
    const limit = limitOf(spacingInMs);
    const change = Math.abs(rateOf(limit) / rateOf(this.#limit) - 1);
    if (change <= negligibleChange) return;
    this.#limit = limit;
    await this.#queue.setGlobalRateLimit(limit.max, limit.durationInMs);
  }

  async #refresh(): Promise<void> {
    const now = this.clock.now();
    const { timeInMs, waiting, workers, limit } = await readRedisState(this.#queue);
    this.clock.learn(timeInMs, now, this.clock.now());
    this.#waiting = waiting;
    this.#workers = Math.max(1, workers);
    // Who set it may be gone, and would else never lift it.
    this.#limit = limit;
    this.#refreshedAt = now;
  }
}

/** A service may ask for more than Redis can hold; what is left then is asked for again. */
const longestRateLimitInMs = 86_400_000;

/** So many in each period of about a second: fewer wake-ups of workers than one by one. */
function limitOf(spacingInMs: number): Limit {
  if (spacingInMs <= 1) return { max: noLimit, durationInMs: periodInMs };
  const max = Math.max(1, Math.floor(periodInMs / spacingInMs));
  return { max, durationInMs: Math.ceil(max * spacingInMs) };
}

function rateOf({ max, durationInMs }: Limit): number {
  return max / durationInMs;
}
