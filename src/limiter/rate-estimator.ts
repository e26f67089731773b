import type { RateLimit, RequestResult } from "../operation/limiter.ts";
import { validRetryAfter } from "../operation/retry-after.ts";
import { backoff } from "../schedule/backoff.ts";

/** The rate after a 429, as a share of that of the requests that the service accepted before it. */
const decrease = 0.95;
/** The rate after a 429 that this rate does not explain, as a share of the rate before. */
const fastDecrease = 0.7;
/** Fewer accepted requests say little about the rate. */
const minEvidence = 10;
/** A 429 at longer intervals has other reasons, unless more follow: with evidence, and without. */
const longestPlausibleInMs = 1000;
const longestUnprovenInMs = 100;
/** The rate grows by `e^(t/growthInMs)²` in the time after a 429: little for two minutes, and then to any rate. */
const growthInMs = 300_000;
const negligibleIntervalInMs = 1;
/** The rate is measured over at most this time, and the wait after it. */
const periodInMs = 120_000;

/** A hint may be wrong, and slowdowns add up: the estimated interval is never longer than this. */
const maxIntervalInMs = 60_000;
/** A hint that no response repeats is forgotten. */
const maxHintInMs = 300_000;
/** Hints count when less than this share of the highest grant so far remains. */
const scarceShare = 0.5;

/**
 * Estimates how many requests a service accepts, by its responses. It has no clock: times are passed in. All that it
 * has learned is in its public numbers, so that processes can share it as JSON.
 */
export class RateEstimator {
  /** The accepted requests in the current period, which starts anew after a 429. */
  accepted: number = 0;
  since: number = -Infinity;
  learnedInMs: number = 0;
  /** The learned interval when the last throttling began. */
  beforeInMs: number = 0;
  /** The end of the wait after the last 429; the rate grows from then on. */
  heldUntil: number = -Infinity;
  /** The 429s in a row, those of requests that were under way together counted once. */
  throttlings: number = 0;
  #acceptedAt = -Infinity;
  /** Whether the wait after the last 429 is the limiter's own choice. */
  #isOwnBackoff = false;
  maxRemaining: number = 0;
  maxResetInMs: number = 0;
  hintedInMs: number = 0;
  hintedUntil: number = -Infinity;
  exhaustedUntil: number = -Infinity;

  /**
   * Takes in a response.
   *
   * @param processes - how many processes send requests alike: an accepted one stands for one of each
   */
  record(now: number, result: RequestResult, processes = 1): void {
    if (result.rateLimit) this.#learnLimit(now, result.rateLimit);
    if (result.isThrottled) this.#slowDown(now, result);
    else this.#countAccepted(now, processes);
  }

  #countAccepted(now: number, processes: number): void {
    this.#acceptedAt = now;
    this.#isOwnBackoff = false;
    const isFirst = this.throttlings > 0 && now >= this.heldUntil;
    if (isFirst || now - this.since >= periodInMs) {
      this.accepted = 0;
      this.since = now;
    }
    if (isFirst) this.throttlings = 0;
    this.accepted += processes;
  }

  #slowDown(now: number, { statusCode, retryAfterInMs, maxRetryDelayInMs }: RequestResult): void {
    // The rate falls once, until requests are accepted again.
    if (this.throttlings === 0) this.beforeInMs = this.#learnedIntervalInMs(now);
    if (this.throttlings === 0 || now >= this.heldUntil) this.throttlings++;
    const requestedInMs = validRetryAfter(retryAfterInMs);
    const waitInMs = requestedInMs ?? backoff(this.throttlings, maxRetryDelayInMs);
    this.#isOwnBackoff = requestedInMs === undefined;
    const until = Math.max(this.heldUntil, now + waitInMs);
    this.heldUntil = until;
    // Nor does a long silence say what was accepted before it.
    if (statusCode === 503 || waitInMs > periodInMs) return;
    const longestInMs = this.accepted < minEvidence ? longestUnprovenInMs : longestPlausibleInMs;
    const measuredInMs = Math.min(
      Math.max(longestInMs, this.beforeInMs / fastDecrease),
      (until - this.since) / this.accepted,
    );
    this.learnedInMs = Math.min(maxIntervalInMs, Math.max(this.beforeInMs, measuredInMs) / decrease);
  }

  /** Takes in how many requests the service still accepts, as it says. */
  #learnLimit(now: number, { remaining, resetInMs }: RateLimit): void {
    // A transport may be the user's own: NaN would stay in here for good, and make every wait endless.
    if (!(remaining >= 0 && resetInMs >= 0 && remaining + resetInMs < Infinity)) return;
    const windowInMs = validRetryAfter(resetInMs) ?? 0;
    this.maxRemaining = Math.max(this.maxRemaining, remaining);
    this.maxResetInMs = Math.max(this.maxResetInMs, windowInMs);
    // The first hint may be that nothing remains, which is scarce whatever the grant was.
    const isScarce = remaining === 0 || remaining < this.maxRemaining * scarceShare;
    this.hintedInMs = isScarce ? windowInMs / Math.max(1, remaining) : 0;
    this.hintedUntil = now + Math.min(windowInMs, maxHintInMs);
    if (remaining === 0) this.exhaustedUntil = now + Math.min(windowInMs, maxIntervalInMs);
  }

  /** Returns whether the service has accepted a request since this time, or has asked for the wait after the last 429. */
  hasAcceptedSince(time: number): boolean {
    return this.#acceptedAt >= time || !this.#isOwnBackoff;
  }

  /** The time at which the service accepts requests again; in the past if it accepts them now. */
  get throttledUntil(): number {
    return Math.max(this.heldUntil, this.exhaustedUntil);
  }

  /** Returns the interval between requests that the service accepts, in milliseconds; 0 while nothing is known. */
  intervalInMs(now: number): number {
    const hintedInMs = now < this.hintedUntil ? this.hintedInMs : 0;
    return Math.min(maxIntervalInMs, Math.max(this.#learnedIntervalInMs(now), hintedInMs));
  }

  /** The same without the end of a window, when the few requests that remain are far apart: the lasting interval. */
  sustainedIntervalInMs(now: number): number {
    const grantedInMs = this.maxRemaining > 0 ? this.maxResetInMs / this.maxRemaining : 0;
    return Math.min(this.intervalInMs(now), Math.max(this.#learnedIntervalInMs(now), grantedInMs));
  }

  #learnedIntervalInMs(now: number): number {
    const growth = Math.max(0, now - this.heldUntil) / growthInMs;
    const intervalInMs = this.learnedInMs * Math.exp(-(growth ** 2));
    return intervalInMs < negligibleIntervalInMs ? 0 : intervalInMs;
  }
}
