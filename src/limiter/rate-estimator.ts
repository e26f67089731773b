/** What a service says of how many more requests it takes. A hint: behind one name there are many counters. */
export interface RateLimit {
  /** Requests that it still takes until the count begins anew. */
  readonly remaining: number;
  /** Milliseconds until the count begins anew. */
  readonly resetInMs: number;
}

/** By how much requests thin out when the service says "too many": AWS's adaptive retry mode has the same. */
const thinning = 0.7;
/** How fast a service that said so is approached again: by a factor of e in this time. */
const recoveryInMs = 20_000;
const negligibleSpacingInMs = 1;
/** How long all are silent at least, after one refusal. */
export const shortestHoldInMs = 1000;
const longestHoldInMs = 60_000;

/** How long all are silent after so many refusals in a row that say nothing of it. */
export function holdAfter(refusals: number): number {
  return Math.min(shortestHoldInMs * 2 ** (refusals - 1), longestHoldInMs);
}

/** A hint may be wrong, and lessons add up: more than that nobody keeps silent for them. */
const longestSpacingInMs = 60_000;
const periodInMs = 10_000;
/** Hints are followed when less than this part of what the service ever granted is left. */
const scarceShare = 0.5;

/** What a service has shown of how many requests it takes. Knows no clock: times are passed in. */
export class RateMeter {
  #periodBegan = -Infinity;
  #inPeriod = 0;
  #inPeriodBefore = 0;
  #learnedSpacingInMs = 0;
  #learnedAt = 0;
  #mostRemaining = 0;
  #longestResetInMs = 0;
  #hintedSpacingInMs = 0;
  #hintedUntil = -Infinity;
  #exhaustedUntil = -Infinity;

  /** Counts a request. */
  count(now: number): void {
    if (now - this.#periodBegan >= periodInMs) {
      this.#inPeriodBefore = now - this.#periodBegan < 2 * periodInMs ? this.#inPeriod : 0;
      this.#inPeriod = 0;
      this.#periodBegan = now;
    }
    this.#inPeriod++;
  }

  /** Learns that requests came too fast. */
  thin(now: number): void {
    const elapsedInMs =
      Math.min(now - this.#periodBegan, periodInMs) + (this.#inPeriodBefore > 0 ? periodInMs : 0);
    const requests = this.#inPeriod + this.#inPeriodBefore;
    const measuredInMs = requests > 1 ? elapsedInMs / requests : 0;
    const bornInMs = Math.max(measuredInMs, this.#spacingLearned(now));
    this.#learnedSpacingInMs = Math.min(longestSpacingInMs, bornInMs / thinning);
    this.#learnedAt = now;
  }

  /** Learns what the service says that it still takes. */
  hint(now: number, { remaining, resetInMs }: RateLimit): void {
    // A transport may be the user's own: NaN would stay in here for good, and make every wait endless.
    if (!(remaining >= 0 && resetInMs >= 0 && remaining + resetInMs < Infinity)) return;
    this.#mostRemaining = Math.max(this.#mostRemaining, remaining);
    this.#longestResetInMs = Math.max(this.#longestResetInMs, resetInMs);
    // Nothing left is scarce, whatever there was before: the first hint may say so.
    const isScarce = remaining === 0 || remaining < this.#mostRemaining * scarceShare;
    this.#hintedSpacingInMs = isScarce ? resetInMs / Math.max(1, remaining) : 0;
    this.#hintedUntil = now + resetInMs;
    if (remaining === 0) this.#exhaustedUntil = now + Math.min(resetInMs, longestSpacingInMs);
  }

  /** When the service takes requests again, after it said that it takes none; in the past otherwise. */
  get exhaustedUntil(): number {
    return this.#exhaustedUntil;
  }

  /** The time between two requests that the service bears; 0 while nothing is known. */
  spacingInMs(now: number): number {
    const hintedInMs = now < this.#hintedUntil ? this.#hintedSpacingInMs : 0;
    return Math.min(longestSpacingInMs, Math.max(this.#spacingLearned(now), hintedInMs));
  }

  /** The same, but for the end of a count, when the few that are left are far apart: what lasts longer than that. */
  lastingSpacingInMs(now: number): number {
    const grantedInMs = this.#mostRemaining > 0 ? this.#longestResetInMs / this.#mostRemaining : 0;
    return Math.min(this.spacingInMs(now), Math.max(this.#spacingLearned(now), grantedInMs));
  }

  #spacingLearned(now: number): number {
    const spacingInMs = this.#learnedSpacingInMs * Math.exp((this.#learnedAt - now) / recoveryInMs);
    return spacingInMs < negligibleSpacingInMs ? 0 : spacingInMs;
  }
}
