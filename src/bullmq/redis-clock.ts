import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";

/**
 * A clock whose timestamps are Redis's: the clocks of machines differ, and are set while they run. Between two requests
 * to Redis it follows the platform's monotonic time.
 */
export class RedisClock implements Clock {
  #originInMs = Date.now() - systemClock.now();

  /** Learns Redis's time at some moment between two values of `now()`. */
  learn(redisTimeInMs: number, sentAt: number, receivedAt: number): void {
    this.#originInMs = redisTimeInMs - (sentAt + receivedAt) / 2;
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
