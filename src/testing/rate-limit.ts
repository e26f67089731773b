import type { Clock } from "../index.ts";
import { headerDate } from "./styles/responses.ts";

const windowInMs = 60_000;

/** DevCenter's own limit. */
const defaultRequestsPerMinute = 300;

/** The rate limit after a request. */
export interface CountedRequest {
  readonly isExceeded: boolean;
  /** The headers of DevCenter. */
  readonly headers: Readonly<Record<string, string>>;
  readonly remaining: number;
  /** Whole seconds until the window ends. */
  readonly secondsLeft: number;
}

/** Counts requests in windows of a minute. A request starts each window. Without a limit none is exceeded. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #requestsPerMinute: number | undefined;
  #windowEndsAt = -Infinity;
  #requests = 0;

  constructor(clock: Clock, requestsPerMinute: number | undefined) {
    this.#clock = clock;
    this.#requestsPerMinute = requestsPerMinute;
  }

  count(): CountedRequest {
    const now = this.#clock.now();
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + windowInMs;
      this.#requests = 0;
    }
    this.#requests++;
    const leftInMs = this.#windowEndsAt - now;
    const limit = this.#requestsPerMinute ?? defaultRequestsPerMinute;
    const remaining = Math.max(0, limit - this.#requests);
    return {
      remaining,
      isExceeded: this.#requestsPerMinute !== undefined && this.#requests > limit,
      headers: {
        "x-rate-limit-limit": "1m",
        "x-rate-limit-remaining": String(remaining),
        "x-rate-limit-reset": headerDate(this.#clock.timestamp() + leftInMs),
      },
      secondsLeft: Math.ceil(leftInMs / 1000),
    };
  }
}
