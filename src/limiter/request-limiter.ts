import type { Clock } from "../clock.ts";
import { RateMeter, holdAfter, shortestHoldInMs } from "./rate-estimator.ts";
import type { RateLimit } from "./rate-estimator.ts";
import { checkDuration } from "../schedule/schedule.ts";

/** What an answer says of the budget that it was paid from. */
export interface Receipt {
  /** The service said that it is asked too much (429, 503). */
  readonly isThrottled: boolean;
  /** How long all wait that share the budget, in milliseconds. Default: a second, doubled with each refusal up to 60 s. */
  readonly retryAfterInMs?: number | undefined;
  /** How many more requests the service takes, where it says so. */
  readonly rateLimit?: RateLimit | undefined;
}

/** How much may be asked. */
export interface RequestBudgetOptions {
  /** Requests under way at once. Default 64. */
  readonly maxConcurrency?: number;
  /** Default: as many as the service takes. */
  readonly requestsPerMinute?: number;
}

interface Applicant {
  readonly begin: () => void;
  isGone: boolean;
}

/** Less than all of it: a short queue leaves no slot of the service unused (`npm run bench:many`: 87 % used, not 80 %). */
const stretchedShare = 0.85;
/** How many of a burst of starts need no spreading, and how wide it is: no moment holds more than a twentieth. */
const unspreadStarts = 25;
const startSpreadInMs = 1100;
/** How many who were let in stay in the queue before it is cut. */
const longestTail = 1024;

/**
 * What the reads of one service are paid from. When the service says to one of them that it is asked too much, all
 * are held back, and come back one after the other. While there is not enough for everybody, all waits are stretched
 * by the same factor, so that those about to end, which ask often, keep their precedence: with hazards h and spacings
 * δ, Σh·δ/2 is least for a given Σ1/δ where every δ is √(2λ/h), λ being the price that all pay.
 *
 * Nobody starves: between two answered reads of one operation lie at most the `maxDelayInMs` of its schedule times the
 * {@link RequestBudget.stretch} at the first, and its turn in the queue, which has at most one read of each operation
 * and lets them out in the order in which they came. Only a silence that the service asks for comes on top of that.
 */
export class RequestBudget {
  readonly #clock: Clock;
  readonly #maxConcurrency: number;
  readonly #fixedSpacingInMs: number;
  readonly #meter = new RateMeter();
  #queue: Applicant[] = [];
  #head = 0;
  #inFlight = 0;
  #isAdmitting = false;
  /** Until when a refused request holds back all others. */
  #heldUntil = -Infinity;
  /** When the spacing allows the next request. */
  #nextAt = -Infinity;
  #holds = 0;
  #nextLessonAt = -Infinity;
  #callOffTimer: (() => void) | undefined;
  #nextStart = -Infinity;
  #starts = 0;
  /** Reads for each millisecond that would be sent if no wait were stretched. */
  #demand = 0;

  constructor(
    clock: Clock,
    { maxConcurrency = 64, requestsPerMinute = Infinity }: RequestBudgetOptions = {},
  ) {
    checkDuration("requestsPerMinute", requestsPerMinute, { positive: true, allowInfinity: true });
    if (!(Number.isInteger(maxConcurrency) && maxConcurrency > 0)) {
      throw new RangeError(`maxConcurrency: expected a positive integer, got ${maxConcurrency}`);
    }
    this.#clock = clock;
    this.#maxConcurrency = maxConcurrency;
    this.#fixedSpacingInMs = 60_000 / requestsPerMinute;
  }

  /** By how much waits must be longer than they would be if there were enough for everybody; at least 1. */
  get stretch(): number {
    const lastingInMs = this.#meter.lastingSpacingInMs(this.#clock.now());
    const spacingInMs = Math.max(this.#fixedSpacingInMs, lastingInMs);
    return Math.max(1, this.#demand * spacingInMs * stretchedShare);
  }

  /** For how much longer the service wants to hear from nobody. */
  get silenceInMs(): number {
    return Math.max(0, this.#silentUntil() - this.#clock.now());
  }

  /** Tells by how much the reads for each millisecond that a waiter wants have changed. */
  plan(demand: number): void {
    this.#demand = Math.max(0, this.#demand + demand);
  }

  /** How long a wait that begins now should hold back its first read, so that thousands do not ask as one. */
  startDelayInMs(): number {
    const now = this.#clock.now();
    if (now >= this.#nextStart) {
      this.#nextStart = now;
      this.#starts = 0;
    }
    const delayInMs = this.#nextStart - now;
    this.#nextStart += startSpreadInMs / (unspreadStarts + this.#starts++);
    return delayInMs;
  }

  /** Calls back when a request may be sent, perhaps at once. Returns how to withdraw before that. */
  admit(begin: () => void): () => void {
    const applicant: Applicant = { begin, isGone: false };
    this.#queue.push(applicant);
    this.#admitNext();
    return () => {
      applicant.isGone = true;
      // The last to go leaves no timer behind.
      this.#dropGone();
    };
  }

  /** Tells that a request is over. */
  settle(receipt: Receipt | undefined): void {
    this.#inFlight--;
    if (receipt) this.#learn(receipt);
    this.#admitNext();
  }

  #learn({ isThrottled, retryAfterInMs, rateLimit }: Receipt): void {
    const now = this.#clock.now();
    if (rateLimit) this.#meter.hint(now, rateLimit);
    if (!isThrottled) {
      this.#holds = 0;
      return;
    }
    // Those that were under way together are told together: one lesson.
    if (now >= Math.max(this.#heldUntil, this.#nextLessonAt)) {
      this.#holds++;
      this.#nextLessonAt = now + shortestHoldInMs;
      this.#meter.thin(now);
    }
    const backoffInMs = holdAfter(this.#holds);
    // A transport may be the user's own: NaN would stay in here for good.
    const holdInMs = Number.isNaN(retryAfterInMs) ? backoffInMs : (retryAfterInMs ?? backoffInMs);
    this.#heldUntil = Math.max(this.#heldUntil, now + holdInMs);
  }

  /** Until when the service wants to hear from nobody. */
  #silentUntil(): number {
    return Math.max(this.#heldUntil, this.#meter.exhaustedUntil);
  }

  #spacingInMs(): number {
    return Math.max(this.#fixedSpacingInMs, this.#meter.spacingInMs(this.#clock.now()));
  }

  #admitNext(): void {
    // A read that throws at once settles from within its turn: a call deeper for each would end the stack.
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    try {
      this.#admitAllowed();
    } finally {
      this.#isAdmitting = false;
    }
  }

  #admitAllowed(): void {
    while (this.#inFlight < this.#maxConcurrency && this.#dropGone()) {
      const now = this.#clock.now();
      const notBefore = Math.max(this.#silentUntil(), this.#nextAt);
      if (now < notBefore) return this.#wakeAt(notBefore);
      this.#nextAt = now + this.#spacingInMs();
      this.#inFlight++;
      this.#meter.count(now);
      this.#next()?.begin();
    }
  }

  #next(): Applicant | undefined {
    const applicant = this.#queue[this.#head++];
    if (this.#head > longestTail) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return applicant;
  }

  /** Whether there is still an applicant, after those who withdrew are out of the way. */
  #dropGone(): boolean {
    while (this.#queue[this.#head]?.isGone) this.#head++;
    if (this.#head < this.#queue.length) return true;
    this.#queue = [];
    this.#head = 0;
    this.#callOffTimer?.();
    this.#callOffTimer = undefined;
    return false;
  }

  #wakeAt(time: number): void {
    this.#callOffTimer ??= this.#clock.setTimer(() => {
      this.#callOffTimer = undefined;
      this.#admitNext();
    }, time - this.#clock.now());
  }
}
