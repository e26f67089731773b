import { sleepInMs } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { Limiter, RequestResult } from "../operation/limiter.ts";
import { checkDuration, checkPositiveInteger } from "../validate.ts";
import { RateEstimator } from "./rate-estimator.ts";
import { RequestQueue } from "./request-queue.ts";

/** Options of a {@link RequestLimiter}. */
export interface RequestLimiterOptions {
  /** Requests under way at the same time. Default 64. */
  readonly maxConcurrency?: number;
  /** Default: as many as the service accepts. */
  readonly requestsPerMinute?: number;
}

/** Less than all of it: a short queue leaves no slot of the service unused (`npm run bench:many`: 87 % used, not 80 %). */
const stretchedShare = 0.85;

/**
 * Requests started one after the other, if that takes a millisecond or more: the responses of more would block the event
 * loop together.
 */
const maxStartsInTurn = 16;
/** A turn is over after this time: a few requests now and then need no pause. */
const maxTurnInMs = 50;

/** The starts of a burst that need no spreading, and the time to spread it: no moment has more than a twentieth. */
const unspreadStarts = 25;
const startSpreadInMs = 1100;

/**
 * Limits the rate of the requests to one origin. After a 429 or 503 all requests wait, and then start one after the
 * other.
 *
 * While requests are short, all polling intervals are stretched by the same factor, so that operations about to end,
 * which are polled often, keep their precedence: with hazards h and intervals δ, Σh·δ/2 is least for a given Σ1/δ where
 * every δ is √(2λ/h), λ being the price that all pay.
 *
 * No operation starves. Between two responses for one operation lie at most the `maxDelayInMs` of its schedule times
 * {@link RequestLimiter.stretch}, and its turn in the queue. The queue has at most one request for each operation and
 * starts them in the order in which they came. Only a Retry-After comes on top of that.
 */
export class RequestLimiter implements Limiter {
  readonly #clock: Clock;
  readonly #maxConcurrency: number;
  readonly #fixedIntervalInMs: number;
  readonly #rates = new RateEstimator();
  readonly #queue = new RequestQueue();
  #inFlight = 0;
  #isDispatching = false;
  /** Requests started since then. */
  #startsInTurn = 0;
  #turnStartedAt = -Infinity;
  #cancelTurn: (() => void) | undefined;
  /** The earliest time of the next request, by the interval between requests. */
  #nextAt = -Infinity;
  #cancelTimer: (() => void) | undefined;
  /** When the machine last woke from a sleep, in which no request could be sent. */
  #wokeAt = -Infinity;
  #nextStart = -Infinity;
  #starts = 0;
  /** Polls for each millisecond that would be sent if no interval were stretched. */
  #demand = 0;

  constructor(
    clock: Clock,
    { maxConcurrency = 64, requestsPerMinute = Infinity }: RequestLimiterOptions = {},
  ) {
    checkDuration("requestsPerMinute", requestsPerMinute, { positive: true, allowInfinity: true });
    checkPositiveInteger("maxConcurrency", maxConcurrency);
    this.#clock = clock;
    this.#maxConcurrency = maxConcurrency;
    this.#fixedIntervalInMs = 60_000 / requestsPerMinute;
  }

  /** The factor by which polling intervals must grow while requests are short; at least 1. */
  get stretch(): number {
    const sustainedInMs = this.#rates.sustainedIntervalInMs(this.#clock.now());
    const intervalInMs = Math.max(this.#fixedIntervalInMs, sustainedInMs);
    return Math.max(1, this.#demand * intervalInMs * stretchedShare);
  }

  /** How much longer the service accepts no request, in milliseconds. */
  get throttledForInMs(): number {
    return Math.max(0, this.#rates.throttledUntil - this.#clock.now());
  }

  /** Returns whether the service has accepted a request since this time, or has asked for the wait, or the machine slept. */
  hasAcceptedSince(time: number): boolean {
    return this.#wokeAt > time || this.#rates.hasAcceptedSince(time);
  }

  /** Adds to the polls for each millisecond that pollers want. */
  changeDemand(pollsPerMs: number): void {
    this.#demand = Math.max(0, this.#demand + pollsPerMs);
  }

  /** Returns how long a new wait should delay its first poll, in milliseconds, so that thousands don't start at once. */
  startDelayInMs(): number {
    const now = this.#clock.now();
    if (now >= this.#nextStart) {
      this.#nextStart = now;
      this.#starts = 0;
    }
    // In whole milliseconds: V8 keeps a fraction in an object of its own.
    const delayInMs = Math.floor(this.#nextStart - now);
    this.#nextStart += startSpreadInMs / (unspreadStarts + this.#starts++);
    return delayInMs;
  }

  /** Calls back when a request may be sent, possibly at once. Returns a function that withdraws the request. */
  acquire(start: () => void): () => void {
    const remove = this.#queue.add(start);
    this.#dispatch();
    return () => {
      remove();
      if (!this.#queue.isEmpty) return;
      this.#cancelTimer?.();
      this.#cancelTurn?.();
      this.#cancelTurn = undefined;
    };
  }

  /** Ends a request; `undefined` where it had no response. */
  release(result: RequestResult | undefined): void {
    this.#inFlight--;
    if (result) this.#rates.record(this.#clock.now(), result);
    this.#dispatch();
  }

  #dispatch(): void {
    // A request that throws at once is released while it starts: a call deeper for each would end the stack.
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      while (this.#inFlight < this.#maxConcurrency && !this.#queue.isEmpty) {
        const now = this.#clock.now();
        const notBefore = Math.max(this.#rates.throttledUntil, this.#nextAt);
        if (now < notBefore) return this.#wakeIn(notBefore - now);
        if (!this.#isInTurn(now)) return this.#startTurn();
        this.#nextAt = now + Math.max(this.#fixedIntervalInMs, this.#rates.intervalInMs(now));
        this.#inFlight++;
        this.#queue.startFirst();
      }
    } finally {
      this.#isDispatching = false;
    }
  }

  /** Counts a start, and returns whether the event loop can take it in this turn. Virtual time stands still in one. */
  #isInTurn(now: number): boolean {
    if (now > this.#turnStartedAt + maxTurnInMs) {
      this.#turnStartedAt = now;
      this.#startsInTurn = 0;
    }
    return ++this.#startsInTurn <= maxStartsInTurn || now === this.#turnStartedAt;
  }

  #startTurn(): void {
    this.#cancelTurn ??= this.#clock.setTimer(() => {
      this.#cancelTurn = undefined;
      this.#turnStartedAt = -Infinity;
      this.#dispatch();
    }, 0);
  }

  #wakeIn(delayInMs: number): void {
    this.#cancelTimer?.();
    const dueAt = this.#clock.now() + delayInMs;
    this.#cancelTimer = this.#clock.setTimer(() => {
      const now = this.#clock.now();
      if (now > dueAt + sleepInMs) this.#wokeAt = now;
      this.#dispatch();
    }, delayInMs);
  }
}
