import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";

/**
 * A clock whose days are Redis's: the machines of a fleet disagree on the time, and theirs are set while they run.
 * Between two looks at Redis it goes by the platform's monotonic time.
 */
export class RedisClock implements Clock {
  #originInMs = Date.now() - systemClock.now();

  /** Learns what Redis's time was at some moment between two of `now()`. */
  learn(redisTimeInMs: number, askedAt: number, answeredAt: number): void {
    this.#originInMs = redisTimeInMs - (askedAt + answeredAt) / 2;
  }

  now(): number {
    return systemClock.now();
  }

  timestamp(): number {
    return systemClock.now() + this.#originInMs;
  }

  setTimer(callback: () => void, delayInMs: number): () => void {
    return systemClock.setTimer(callback, delayInMs);
  }
}
