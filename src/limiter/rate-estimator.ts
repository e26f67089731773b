import type { RateLimit } from "../operation/limiter.ts";

/** The factor by which the rate falls after a 429. AWS's adaptive retry mode has the same. */
const slowdown = 0.7;
/** How fast the rate recovers after a 429: by a factor of e in this time. */
const recoveryInMs = 20_000;
const negligibleIntervalInMs = 1;
/** A hint may be wrong, and slowdowns add up: the estimated interval is never longer than this. */
const maxIntervalInMs = 60_000;
const periodInMs = 10_000;
/** Hints count when less than this share of the highest grant so far remains. */
const scarceShare = 0.5;

/** Estimates how many requests a service accepts, by its responses. It has no clock: times are passed in. */
export class RateEstimator {
  #periodStart = -Infinity;
  #inPeriod = 0;
  #inPeriodBefore = 0;
  #learnedInMs = 0;
  #learnedAt = 0;
  #maxRemaining = 0;
  #maxResetInMs = 0;
  #hintedInMs = 0;
  #hintedUntil = -Infinity;
  #exhaustedUntil = -Infinity;

  /** Counts a request. */
  countRequest(now: number): void {
    if (now - this.#periodStart >= periodInMs) {
      this.#inPeriodBefore = now - this.#periodStart < 2 * periodInMs ? this.#inPeriod : 0;
      this.#inPeriod = 0;
      this.#periodStart = now;
    }
    this.#inPeriod++;
  }

  /** Records that requests came too fast. */
  slowDown(now: number): void {
    const elapsedInMs =
      Math.min(now - this.#periodStart, periodInMs) + (this.#inPeriodBefore > 0 ? periodInMs : 0);
    const requests = this.#inPeriod + this.#inPeriodBefore;
    const measuredInMs = requests > 1 ? elapsedInMs / requests : 0;
    const latestInMs = Math.max(measuredInMs, this.#learnedIntervalInMs(now));
    this.#learnedInMs = Math.min(maxIntervalInMs, latestInMs / slowdown);
    this.#learnedAt = now;
  }

  /** Records how many requests the service still accepts, as it says. */
  learnLimit(now: number, { remaining, resetInMs }: RateLimit): void {
    // A transport may be the user's own: NaN would stay in here for good, and make every wait endless.
    if (!(remaining >= 0 && resetInMs >= 0 && remaining + resetInMs < Infinity)) return;
    this.#maxRemaining = Math.max(this.#maxRemaining, remaining);
    this.#maxResetInMs = Math.max(this.#maxResetInMs, resetInMs);
    // The first hint may be that nothing remains, which is scarce whatever the grant was.
    const isScarce = remaining === 0 || remaining < this.#maxRemaining * scarceShare;
    this.#hintedInMs = isScarce ? resetInMs / Math.max(1, remaining) : 0;
    this.#hintedUntil = now + resetInMs;
    if (remaining === 0) this.#exhaustedUntil = now + Math.min(resetInMs, maxIntervalInMs);
  }

  /** The time at which the service accepts requests again, if it said that none remain; otherwise in the past. */
  get exhaustedUntil(): number {
    return this.#exhaustedUntil;
  }

  /** Returns the interval between requests that the service accepts, in milliseconds; 0 while nothing is known. */
  intervalInMs(now: number): number {
    const hintedInMs = now < this.#hintedUntil ? this.#hintedInMs : 0;
    return Math.min(maxIntervalInMs, Math.max(this.#learnedIntervalInMs(now), hintedInMs));
  }

  /** The same without the end of a window, when the few requests that remain are far apart: the lasting interval. */
  sustainedIntervalInMs(now: number): number {
    const grantedInMs = this.#maxRemaining > 0 ? this.#maxResetInMs / this.#maxRemaining : 0;
    return Math.min(this.intervalInMs(now), Math.max(this.#learnedIntervalInMs(now), grantedInMs));
  }

  #learnedIntervalInMs(now: number): number {
    const intervalInMs = this.#learnedInMs * Math.exp((this.#learnedAt - now) / recoveryInMs);
    return intervalInMs < negligibleIntervalInMs ? 0 : intervalInMs;
  }
}
