import { RequestError } from "lro-poller";
import type { Clock, Operation, RateLimit, RequestLimiter, StatusResponse } from "lro-poller";
import { idOf } from "./operations.ts";

export const limitPerMinute = 300;
export const minuteInMs = 60_000;
const bucketSize = 100;

/** How a service tells clients about its limit. */
export interface LimitedServiceOptions {
  /** Whether each response says how many requests remain, and for how long. */
  readonly hasRateHeaders: boolean;
  /** Whether a 429 has a Retry-After. */
  readonly hasRetryAfter: boolean;
  /** A fixed window of a minute, as DevCenter's, or a bucket that fills up, as Azure Resource Manager's. */
  readonly kind?: "window" | "bucket";
  /** When the first window ends. Default: after a minute. */
  readonly firstResetInMs?: number;
  /** How long each operation runs. */
  readonly durationsInMs: readonly number[];
  /** Returns how long a response takes. Default: no time at all. */
  readonly latencyInMs?: () => number;
}

/** Requests, and how many of them got a 429. */
interface RequestCount {
  requests: number;
  throttled: number;
}

/** A limit at one moment, after a request. */
interface Allowance extends RateLimit {
  readonly isExceeded: boolean;
}

/** A service that accepts 300 requests a minute. */
export class LimitedService {
  readonly minutes: RequestCount[] = [];
  /** The longest time between two polls of one operation that both had a status. */
  longestGapInMs = 0;
  readonly #clock: Clock;
  readonly #options: LimitedServiceOptions;
  readonly #take: () => Allowance;
  readonly #polledAt = new Map<number, number>();

  constructor(clock: Clock, options: LimitedServiceOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#take = options.kind === "bucket" ? bucket(clock) : window(clock, options.firstResetInMs);
  }

  /** The requests from one minute up to another. */
  countOf(from: number, to = Infinity): RequestCount {
    const count = { requests: 0, throttled: 0 };
    for (const { requests, throttled } of this.minutes.slice(from, to)) {
      count.requests += requests;
      count.throttled += throttled;
    }
    return count;
  }

  /** Returns an operation of the service. */
  operation(index: number, limiterFor?: (clock: Clock) => RequestLimiter): Operation {
    const id = idOf(index);
    const getStatus = (): Promise<StatusResponse> => this.#getStatus(index, id);
    return { id, toJSON: () => ({ id }), ...(limiterFor && { limiterFor }), getStatus };
  }

  /**
   * Takes one request.
   *
   * @throws RequestError if it is one too many
   */
  poll(index: number): { readonly isOver: boolean; readonly rateLimit: RateLimit | undefined } {
    const now = this.#clock.now();
    const minute = this.#minuteOf(now);
    const { hasRateHeaders, hasRetryAfter, durationsInMs } = this.#options;
    const { isExceeded, remaining, resetInMs } = this.#take();
    const rateLimit = hasRateHeaders ? { remaining, resetInMs } : undefined;
    minute.requests++;
    if (isExceeded) {
      minute.throttled++;
      const retryAfterInMs = hasRetryAfter ? Math.ceil(resetInMs / 1000) * 1000 : undefined;
      throw new RequestError("HTTP 429", {
        kind: "transient",
        statusCode: 429,
        isThrottled: true,
        rateLimit,
        retryAfterInMs,
      });
    }
    this.longestGapInMs = Math.max(this.longestGapInMs, now - (this.#polledAt.get(index) ?? now));
    this.#polledAt.set(index, now);
    return { isOver: now >= (durationsInMs[index] ?? 0), rateLimit };
  }

  #minuteOf(now: number): RequestCount {
    const number = Math.floor(now / minuteInMs);
    let minute = this.minutes[number];
    while (minute === undefined) {
      this.minutes.push({ requests: 0, throttled: 0 });
      minute = this.minutes[number];
    }
    return minute;
  }

  async #getStatus(index: number, id: string): Promise<StatusResponse> {
    const latencyInMs = this.#options.latencyInMs?.() ?? 0;
    await this.#pass(latencyInMs / 2);
    try {
      const { isOver, rateLimit } = this.poll(index);
      const status = isOver ? "Succeeded" : "Running";
      return { rateLimit, status: { id, name: id, status, properties: undefined } };
    } finally {
      await this.#pass(latencyInMs / 2);
    }
  }

  async #pass(durationInMs: number): Promise<void> {
    if (durationInMs > 0)
      await new Promise<void>((resolve) => void this.#clock.setTimer(resolve, durationInMs));
  }
}

function window(clock: Clock, firstResetInMs = minuteInMs): () => Allowance {
  let resetAt = firstResetInMs;
  let requests = 0;
  return () => {
    const now = clock.now();
    while (now >= resetAt) [resetAt, requests] = [resetAt + minuteInMs, 0];
    requests++;
    const remaining = Math.max(0, limitPerMinute - requests);
    return { isExceeded: requests > limitPerMinute, remaining, resetInMs: resetAt - now };
  };
}

function bucket(clock: Clock): () => Allowance {
  const perMs = limitPerMinute / minuteInMs;
  let tokens = bucketSize;
  let filledAt = 0;
  return () => {
    const now = clock.now();
    tokens = Math.min(bucketSize, tokens + (now - filledAt) * perMs);
    filledAt = now;
    const isExceeded = tokens < 1;
    if (!isExceeded) tokens--;
    return { isExceeded, remaining: Math.floor(tokens), resetInMs: Math.max(0, 1 - tokens) / perMs };
  };
}
