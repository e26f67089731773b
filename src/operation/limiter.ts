/** How many more requests a service accepts, by its headers. A hint: behind one name there are many counters. */
export interface RateLimit {
  /** Requests that the service still accepts in this window. */
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetInMs: number;
}

/** The effect of one response on the rate of requests. */
export interface RequestResult {
  /** Whether the service said that there are too many requests (429, 503). */
  readonly isThrottled: boolean;
  /** The HTTP status. A 503 delays requests too, but says nothing of the rate that the service accepts. */
  readonly statusCode?: number | undefined;
  /**
   * How long all requests of the limiter wait, in milliseconds. Default: a second, doubled with each 429 in a row up to
   * `maxRetryDelayInMs`.
   */
  readonly retryAfterInMs?: number | undefined;
  /** The maximum of that default, in milliseconds: the option of the wait. Default 30 000. */
  readonly maxRetryDelayInMs?: number | undefined;
  /** How many more requests the service accepts, where it says so. */
  readonly rateLimit?: RateLimit | undefined;
}

/** The interface of a rate limiter that pollers use; `RequestLimiter` implements it. */
export interface Limiter {
  /** The factor by which polling intervals must grow while requests are short; at least 1. */
  readonly stretch: number;
  /** How much longer the service accepts no request, in milliseconds. */
  readonly throttledForInMs: number;
  /**
   * Returns whether the service has accepted a request since this time of the clock, or has asked for the wait. Otherwise
   * the limiter waits because of failures alone, which is an outage. Default: it has.
   */
  hasAcceptedSince?(time: number): boolean;
  /** Adds to the polls for each millisecond that pollers want. */
  changeDemand(pollsPerMs: number): void;
  /** Returns how long a new wait should delay its first poll, in milliseconds, so that thousands don't start at once. */
  startDelayInMs(): number;
  /** Calls back when a request may be sent, possibly at once. Returns a function that withdraws the request. */
  acquire(start: () => void): () => void;
  /** Ends a request; `undefined` where it had no response. */
  release(result: RequestResult | undefined): void;
}
