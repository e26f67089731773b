import type { Clock } from "lro-poller";
import { seeded } from "../../bench/schedule/random.ts";
import { between } from "./mixes.ts";

/** The clock of a machine that is suspended now and then: its timers fire late, and all at once. */
export class SleepingClock implements Clock {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #timestamp: () => number;
  readonly #due: (() => void)[] = [];
  #isAsleep = false;
  #cancelNext: () => void = () => {};
  sleeps = 0;

  constructor(clock: Clock, seed: number, timestamp: () => number) {
    this.#clock = clock;
    this.#random = seeded(seed);
    this.#timestamp = timestamp;
    this.#stayAwake();
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  now(): number {
    return this.#clock.now();
  }

  timestamp(): number {
    return this.#timestamp();
  }

  setTimer(callback: () => void, delayInMs: number): () => void {
    const fire = (): void => {
      if (this.#isAsleep) this.#due.push(run);
      else run();
    };
    let isCanceled = false;
    const run = (): void => {
      if (!isCanceled) callback();
    };
    const cancel = this.#clock.setTimer(fire, delayInMs);
    return () => {
      isCanceled = true;
      cancel();
    };
  }

  stop(): void {
    this.#cancelNext();
    this.#wake();
  }

  #stayAwake(): void {
    this.#cancelNext = this.#clock.setTimer(() => this.#sleep(), between(this.#random, 60_000, 600_000));
  }

  #sleep(): void {
    this.#isAsleep = true;
    this.sleeps++;
    this.#cancelNext = this.#clock.setTimer(
      () => {
        this.#wake();
        this.#stayAwake();
      },
      between(this.#random, 60_000, 3 * 3_600_000),
    );
  }

  #wake(): void {
    this.#isAsleep = false;
    for (const run of this.#due.splice(0)) run();
  }
}
