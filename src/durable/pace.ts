import type { Clock } from "../clock.ts";
import { RateEstimator } from "../limiter/rate-estimator.ts";
import type { RequestResult } from "../operation/limiter.ts";

/** A request that waits for its turn. */
export interface PaceRequest {
  /** The origin that it goes to, such as `https://management.azure.com`. Empty for operations without a URL. */
  readonly origin: string;
  /** Whether an earlier call has reserved the turn that has now come. */
  readonly isReserved: boolean;
}

/** The effect of a poll on the rate of requests. */
export interface PaceResult extends RequestResult {
  /** How long the request took, in milliseconds. */
  readonly durationInMs: number;
}

/** Shares the rate of requests, and a service's Retry-After, among the processes of a fleet. Durations are in milliseconds. */
export interface Pace {
  /**
   * Reserves the turn of a request. Returns how long it has to wait, 0 if it may be sent now. A turn that was reserved
   * before costs nothing, unless the service has asked for a pause since.
   */
  turn(request: PaceRequest): number | Promise<number>;
  /** Learns from a response. Called before the state of the step is returned. */
  learn(origin: string, result: PaceResult): void | Promise<void>;
  /**
   * Returns when the last pause of an origin was lifted by hand, in milliseconds since 1970: turns that were reserved
   * before are void, and their requests are due. Default: never.
   */
  liftedAt?(origin: string): number | Promise<number>;
  /**
   * Returns by how much intervals are longer because requests wait for their turn; at least 1. Default: 1.
   *
   * @param pollCostInMs - the price of a poll in this wait
   */
  stretch?(origin: string, pollCostInMs: number): number;
}

/** The turns of one origin. */
class Turns {
  readonly rates = new RateEstimator();
  #nextAt = -Infinity;

  waitInMs(now: number, isReserved: boolean): number {
    const pausedUntil = this.rates.throttledUntil;
    if (isReserved && pausedUntil <= now) return 0;
    const at = Math.max(now, pausedUntil, this.#nextAt);
    // The few requests that remain are spread over the rest of their window, not beyond it.
    const inWindow = at + this.rates.intervalInMs(now);
    const lasting = at + this.rates.sustainedIntervalInMs(now);
    this.#nextAt = Math.min(inWindow, Math.max(lasting, this.rates.hintedUntil));
    return at - now;
  }
}

/** Shares a rate within this process: the pace of a stepper that has no other. */
export class ProcessPace implements Pace {
  readonly #clock: Clock;
  readonly #turns = new Map<string, Turns>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  turn({ origin, isReserved }: PaceRequest): number {
    return this.#turnsOf(origin).waitInMs(this.#clock.now(), isReserved);
  }

  learn(origin: string, result: PaceResult): void {
    this.#turnsOf(origin).rates.record(this.#clock.now(), result);
  }

  #turnsOf(origin: string): Turns {
    const known = this.#turns.get(origin);
    if (known) return known;
    const turns = new Turns();
    this.#turns.set(origin, turns);
    return turns;
  }
}
