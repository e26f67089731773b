/** A limit of Azure Resource Manager: so many requests at once, and so many more each second. */
export interface TokenBucketRule {
  /** The most requests at once. */
  readonly burst: number;
  /** The requests that each second adds. */
  readonly perSecond: number;
}

/** The state of a limit after a request. */
interface TakenToken {
  readonly isThrottled: boolean;
  /** Whole tokens left. */
  readonly remaining: number;
  /** Whole seconds until the next token. */
  readonly secondsToWait: number;
}

/** Tokens that requests take and time brings back. */
export class TokenBucket {
  readonly #rule: TokenBucketRule;
  #tokens: number;
  #filledAt: number;

  constructor(rule: TokenBucketRule, now: number) {
    this.#rule = rule;
    this.#tokens = rule.burst;
    this.#filledAt = now;
  }

  take(now: number): TakenToken {
    const { burst, perSecond } = this.#rule;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) * perSecond) / 1000);
    this.#filledAt = now;
    const isThrottled = this.#tokens < 1;
    if (!isThrottled) this.#tokens--;
    const missing = Math.max(0, 1 - this.#tokens);
    return {
      isThrottled,
      remaining: Math.floor(this.#tokens),
      secondsToWait: Math.max(1, Math.ceil(missing / perSecond)),
    };
  }
}
