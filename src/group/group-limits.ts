import type { Clock } from "../clock.ts";
import { RequestLimiter } from "../limiter/request-limiter.ts";
import type { RequestLimiterOptions } from "../limiter/request-limiter.ts";
import { RequestQueue } from "../limiter/request-queue.ts";
import type { Limiter, RequestResult } from "../operation/limiter.ts";

/** The limits of a group across the rate limiters of its operations. */
export class GroupLimits {
  readonly #clock: Clock;
  readonly #maxConcurrency: number;
  readonly #intervalInMs: number;
  /** Computes the stretch; no request passes through it. */
  readonly #pace: RequestLimiter;
  readonly #limited = new WeakMap<Limiter, LimitedByGroup>();
  /** Those with requests that wait. The one whose request has started last comes last. */
  readonly #waiting = new Set<LimitedByGroup>();
  #inFlight = 0;
  #nextAt = -Infinity;
  #cancelTimer: (() => void) | undefined;

  /** @throws RangeError or TypeError that names the option that is wrong */
  constructor(clock: Clock, options: RequestLimiterOptions) {
    const { maxConcurrency = Infinity, requestsPerMinute = Infinity } = options;
    this.#pace = new RequestLimiter(clock, options);
    this.#clock = clock;
    this.#maxConcurrency = maxConcurrency;
    this.#intervalInMs = 60_000 / requestsPerMinute;
  }

  get stretch(): number {
    return this.#pace.stretch;
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.#maxConcurrency && this.#clock.now() >= this.#nextAt;
  }

  /** Returns a rate limiter that also keeps to the limits of the group. */
  limit(limiter: Limiter): Limiter {
    const limited = this.#limited.get(limiter) ?? new LimitedByGroup(this, limiter);
    this.#limited.set(limiter, limited);
    return limited;
  }

  changeDemand(pollsPerMs: number): void {
    this.#pace.changeDemand(pollsPerMs);
  }

  onWait(limited: LimitedByGroup): void {
    this.#waiting.add(limited);
    this.dispatch();
  }

  onStart(limited: LimitedByGroup): void {
    this.#inFlight++;
    this.#nextAt = this.#clock.now() + this.#intervalInMs;
    this.#waiting.delete(limited);
    this.#waiting.add(limited);
  }

  onEnd(): void {
    this.#inFlight--;
  }

  /** Starts what may start, and comes back when the interval between requests is over, if any request waits. */
  dispatch(): void {
    for (const limited of this.#waiting) {
      // Thousands need not be asked in vain.
      if (!this.hasRoom) break;
      limited.dispatch();
      if (!limited.isWaiting) this.#waiting.delete(limited);
    }
    this.#cancelTimer?.();
    const delayInMs = this.#nextAt - this.#clock.now();
    if (this.#waiting.size > 0 && delayInMs > 0)
      this.#cancelTimer = this.#clock.setTimer(() => this.dispatch(), delayInMs);
  }
}

/**
 * A rate limiter with the limits of a group. It passes on one request at a time, so that a request that waits in there
 * takes nothing of the group's limits: an origin that accepts no requests delays no other.
 */
class LimitedByGroup implements Limiter {
  readonly #group: GroupLimits;
  readonly #limiter: Limiter;
  readonly #queue = new RequestQueue();
  #isDispatching = false;
  #isPassedOn = false;
  #hasTurn = false;
  #withdraw: (() => void) | undefined;

  constructor(group: GroupLimits, limiter: Limiter) {
    this.#group = group;
    this.#limiter = limiter;
  }

  get stretch(): number {
    return Math.max(this.#limiter.stretch, this.#group.stretch);
  }

  get throttledForInMs(): number {
    return this.#limiter.throttledForInMs;
  }

  hasAcceptedSince(time: number): boolean {
    return this.#limiter.hasAcceptedSince?.(time) ?? true;
  }

  get isWaiting(): boolean {
    return !this.#queue.isEmpty;
  }

  changeDemand(pollsPerMs: number): void {
    this.#limiter.changeDemand(pollsPerMs);
    this.#group.changeDemand(pollsPerMs);
  }

  startDelayInMs(): number {
    return this.#limiter.startDelayInMs();
  }

  acquire(start: () => void): () => void {
    const remove = this.#queue.add(start);
    this.#group.onWait(this);
    return () => {
      remove();
      if (!this.isWaiting && this.#hasTurn) this.#useTurn();
      if (!this.isWaiting && this.#isPassedOn) this.#takeBack();
      this.#group.dispatch();
    };
  }

  release(result: RequestResult | undefined): void {
    this.#group.onEnd();
    this.#limiter.release(result);
    this.#group.dispatch();
  }

  /** Passes on requests while the group has room. A request that starts at once comes back in here. */
  dispatch(): void {
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      if (this.#hasTurn && this.#group.hasRoom) this.#useTurn();
      while (this.isWaiting && !this.#isPassedOn && !this.#hasTurn && this.#group.hasRoom) {
        this.#isPassedOn = true;
        this.#withdraw = this.#limiter.acquire(() => this.#start());
      }
    } finally {
      this.#isDispatching = false;
    }
  }

  #start(): void {
    this.#isPassedOn = false;
    // Meanwhile another may have taken the room. A turn that was given back would be late by a whole interval.
    this.#hasTurn = !this.#group.hasRoom;
    if (!this.#hasTurn) this.#startFirst();
  }

  /** Uses a turn of the rate limiter that came while the group had no room. */
  #useTurn(): void {
    this.#hasTurn = false;
    if (this.isWaiting && this.#limiter.throttledForInMs <= 0) this.#startFirst();
    else this.#limiter.release(undefined);
  }

  #startFirst(): void {
    this.#group.onStart(this);
    this.#queue.startFirst();
    this.#group.dispatch();
  }

  #takeBack(): void {
    this.#isPassedOn = false;
    this.#withdraw?.();
  }
}
