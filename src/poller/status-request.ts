import type { Receipt, RequestBudget } from "../limiter/request-limiter.ts";
import type { Clock } from "../clock.ts";
import { ReadError } from "../operation/errors.ts";
import type { Operation, ReadOptions, Reading } from "../operation/operation.ts";

const longestFarewellInMs = 1000;

/** Who reads, and is told once of each read what came of it, unless it is called off. */
export interface Reader<P> {
  /** What its reads are given besides a signal. */
  readonly readOptions: Omit<ReadOptions, "abortSignal"> | undefined;
  onReading(reading: Reading<P>): void;
  onFailure(error: unknown): void;
}

/**
 * One read: asks when the budget allows it, and for a limited time, the answer's body included. Does not rely on the
 * transport to settle when its signal fires: a stalled decoder never does.
 */
export class Read<P> {
  readonly #operation: Operation<P>;
  readonly #clock: Clock;
  readonly #requestTimeoutInMs: number;
  readonly #budget: RequestBudget | undefined;
  readonly #reader: Reader<P>;
  #controller: AbortController | undefined;
  #asked: Promise<void> | undefined;
  #stage: "queued" | "sent" | "over" = "queued";
  #withdraw: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(
    operation: Operation<P>,
    clock: Clock,
    requestTimeoutInMs: number,
    budget: RequestBudget | undefined,
    reader: Reader<P>,
  ) {
    this.#operation = operation;
    this.#clock = clock;
    this.#requestTimeoutInMs = requestTimeoutInMs;
    this.#budget = budget;
    this.#reader = reader;
  }

  /** May tell the reader before it returns: an operation's `read` is the user's code, and may throw. */
  start(): void {
    if (this.#budget) this.#withdraw = this.#budget.admit(() => this.#send());
    else this.#send();
  }

  /** Whether it still waits for the budget. */
  get isQueued(): boolean {
    return this.#stage === "queued";
  }

  callOff(): void {
    this.#abort();
  }

  /** Settles when the transport has let go of a read that was called off, or has had its time to. */
  whenGone(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const callOff = this.#clock.setTimer(resolve, longestFarewellInMs);
    void Promise.resolve(this.#asked).finally(callOff).then(resolve);
    return promise;
  }

  #send(): void {
    if (this.#requestTimeoutInMs !== Infinity) {
      this.#cancelTimer = this.#clock.setTimer(() => this.#giveUp(), this.#requestTimeoutInMs);
    }
    this.#stage = "sent";
    this.#controller = new AbortController();
    this.#asked = this.#ask(this.#controller.signal);
  }

  async #ask(abortSignal: AbortSignal): Promise<void> {
    const { readOptions } = this.#reader;
    let reading: Reading<P>;
    let receipt: Receipt;
    try {
      reading = await this.#operation.read(readOptions ? { ...readOptions, abortSignal } : { abortSignal });
      // Here, because what a transport of the user's own resolves with may be nothing.
      receipt = { isThrottled: false, rateLimit: reading.rateLimit };
    } catch (error) {
      // There may be an answer under way of which the rest is not wanted any more.
      this.#controller?.abort(error);
      if (this.#end(error instanceof ReadError ? error : undefined)) this.#reader.onFailure(error);
      return;
    }
    if (this.#end(receipt)) this.#reader.onReading(reading);
  }

  #giveUp(): void {
    const error = timeoutError(this.#requestTimeoutInMs);
    this.#abort(error);
    this.#reader.onFailure(error);
  }

  #abort(reason?: ReadError): void {
    this.#end(undefined, () => this.#controller?.abort(reason));
  }

  /** Returns whether it was not over before. What is to be let go of goes before the budget lets in the next. */
  #end(receipt?: Receipt, letGo?: () => void): boolean {
    if (this.#stage === "over") return false;
    this.#cancelTimer?.();
    this.#withdraw?.();
    const wasSent = this.#stage === "sent";
    this.#stage = "over";
    letGo?.();
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
