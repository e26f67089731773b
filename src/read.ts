import type { Receipt, RequestBudget } from "./budget.ts";
import type { Clock } from "./clock.ts";
import { ReadError } from "./errors.ts";
import type { Operation, Reading } from "./operation.ts";

/**
 * One read: asks when the budget allows it, and for a limited time, the answer's body included. Does not rely on the
 * transport to settle when its signal fires: a stalled decoder never does.
 */
export class Read<P> {
  readonly #operation: Operation<P>;
  readonly #clock: Clock;
  readonly #requestTimeoutInMs: number;
  readonly #budget: RequestBudget | undefined;
  readonly #controller = new AbortController();
  readonly #outcome = Promise.withResolvers<Reading<P>>();
  readonly #withdraw: (() => void) | undefined;
  #stage: "queued" | "sent" | "over" = "queued";
  #cancelTimer: () => void = () => {};

  constructor(
    operation: Operation<P>,
    clock: Clock,
    requestTimeoutInMs: number,
    budget: RequestBudget | undefined,
  ) {
    this.#operation = operation;
    this.#clock = clock;
    this.#requestTimeoutInMs = requestTimeoutInMs;
    this.#budget = budget;
    if (budget) this.#withdraw = budget.admit(() => this.#send());
    else this.#send();
  }

  /** Stays pending for ever when the read is called off. */
  get reading(): Promise<Reading<P>> {
    return this.#outcome.promise;
  }

  /** Whether it still waits for the budget. */
  get isQueued(): boolean {
    return this.#stage === "queued";
  }

  callOff(): void {
    this.#end();
    this.#controller.abort();
  }

  #send(): void {
    if (this.#requestTimeoutInMs !== Infinity) {
      this.#cancelTimer = this.#clock.setTimer(() => this.#giveUp(), this.#requestTimeoutInMs);
    }
    this.#stage = "sent";
    void this.#ask();
  }

  async #ask(): Promise<void> {
    try {
      const reading = await this.#operation.read({ abortSignal: this.#controller.signal });
      if (this.#end({ isThrottled: false, rateLimit: reading.rateLimit })) this.#outcome.resolve(reading);
    } catch (error) {
      if (this.#end(error instanceof ReadError ? error : undefined)) this.#outcome.reject(error);
    }
  }

  #giveUp(): void {
    const error = timeoutError(this.#requestTimeoutInMs);
    this.#end();
    this.#outcome.reject(error);
    this.#controller.abort(error);
  }

  /** Returns whether it was not over before. */
  #end(receipt?: Receipt): boolean {
    if (this.#stage === "over") return false;
    this.#cancelTimer();
    this.#withdraw?.();
    const wasSent = this.#stage === "sent";
    this.#stage = "over";
    if (wasSent) this.#budget?.settle(receipt);
    return true;
  }
}

/** A Retry-After may name a moment that no date can. */
const lastDate = 8.64e15;

/** Why a read was not sent in time, `silenceInMs` being for how long the service wants to hear from nobody. */
export function heldBackError(timestamp: number, silenceInMs: number, limitInMs: number): ReadError {
  const why =
    silenceInMs > 0
      ? `the service asks for silence until ${new Date(Math.min(timestamp + silenceInMs, lastDate)).toISOString()}`
      : `other requests came first for ${Math.round(limitInMs)} ms`;
  return new ReadError(`not sent, because ${why}`, {
    kind: "transient",
    code: "HeldBack",
    retryAfterInMs: silenceInMs,
  });
}

/** The failed read that no answer is. */
export function timeoutError(limitInMs: number): ReadError {
  return new ReadError(`no answer within ${Math.round(limitInMs)} ms`, {
    kind: "transient",
    code: "RequestTimeout",
  });
}
