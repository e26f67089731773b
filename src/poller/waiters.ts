import type { Clock } from "../clock.ts";
import { Mailbox } from "./async-queue.ts";
import { checkSignal } from "./options.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";

function nothing(): void {}

/** Where callers wait, and whom they tell that they leave. */
export interface WaitingRoom {
  onLeave(caller: object, reason?: unknown): void;
}

/**
 * Somebody who waits for an operation, and may leave by a signal. The object itself is the signal's listener:
 * of many thousand waits each function costs.
 */
export abstract class Caller<P> implements EventListenerObject {
  readonly #signals: readonly AbortSignal[];
  #room: WaitingRoom | undefined;

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals;
  }

  /** Told after every answer; the progress is made when it is asked for. */
  onProgress(_latestProgress: () => Progress<P>): void {}
  abstract onOutcome(outcome: Outcome<P>): void;
  abstract onAbort(reason: unknown): void;

  /** Comes in, unless one of its signals has fired already. */
  enter(room: WaitingRoom): boolean {
    const fired = this.#signals.find((signal) => signal.aborted);
    if (fired) {
      this.onAbort(fired.reason);
      return false;
    }
    this.#room = room;
    for (const signal of this.#signals) signal.addEventListener("abort", this);
    return true;
  }

  /** Whether it has come in, and neither left nor been let go. */
  get isIn(): boolean {
    return this.#room !== undefined;
  }

  /** Leaves, because of an error if there is a reason. */
  leave(reason?: unknown): void {
    for (const signal of this.#signals) signal.removeEventListener("abort", this);
    this.#room?.onLeave(this, reason);
    this.#room = undefined;
  }

  /** Lets it go with the outcome, without telling the room, which is being emptied. */
  dismiss(outcome: Outcome<P>): void {
    this.#room = undefined;
    this.leave();
    this.onOutcome(outcome);
  }

  handleEvent(): void {
    const reason: unknown = this.#signals.find((signal) => signal.aborted)?.reason;
    this.leave(reason);
    this.onAbort(reason);
  }
}

/** Those of the signals that there are. */
export function signalsOf(...signals: readonly (AbortSignal | undefined)[]): readonly AbortSignal[] {
  for (const signal of signals) checkSignal(signal);
  return signals.filter((signal) => signal !== undefined);
}

/** Somebody who awaits one promise. */
abstract class Awaiting<P, R> extends Caller<P> {
  readonly #settlers = Promise.withResolvers<R>();

  get promise(): Promise<R> {
    return this.#settlers.promise;
  }

  resolve(value: R): void {
    this.#settlers.resolve(value);
  }

  override onAbort(reason: unknown): void {
    this.#settlers.reject(reason);
  }

  protected onFailure(outcome: Exclude<Outcome<P>, { type: "succeeded" }>): void {
    // Where a block is left by an error, what was begun in it is awaited by nobody: that must not end the process.
    if (outcome.type === "disposed") this.promise.catch(nothing);
    this.#settlers.reject(outcome.error);
  }
}

/** Waits for the end. */
export class UntilDone<P> extends Awaiting<P, P> {
  override onOutcome(outcome: Outcome<P>): void {
    if (outcome.type === "succeeded") this.resolve(outcome.result);
    else this.onFailure(outcome);
  }
}

/** Waits for one read, which brings the progress. */
export class UntilRead<P> extends Awaiting<P, Progress<P>> {
  #callOffLimit: () => void = () => {};

  /** Leaves after this time, for the reason that there is then. */
  leaveAfter(clock: Clock, delayInMs: number, reason: () => unknown): void {
    this.#callOffLimit = clock.setTimer(() => {
      const why = reason();
      this.leave(why);
      this.onAbort(why);
    }, delayInMs);
  }

  override leave(reason?: unknown): void {
    this.#callOffLimit();
    super.leave(reason);
  }

  override onOutcome(outcome: Outcome<P>): void {
    if (outcome.type === "gaveUp" || outcome.type === "disposed") this.onFailure(outcome);
  }
}

/** Iterates over the progress. */
export class Iteration<P> extends Caller<P> {
  readonly mailbox: Mailbox<Progress<P>> = new Mailbox();

  constructor(signals: readonly AbortSignal[], latest: Progress<P> | undefined) {
    super(signals);
    if (latest) this.mailbox.put(latest);
  }

  override onProgress(latestProgress: () => Progress<P>): void {
    this.mailbox.put(latestProgress());
  }

  override onOutcome(outcome: Outcome<P>): void {
    const isUnfinished = outcome.type === "gaveUp" || outcome.type === "disposed";
    this.mailbox.close(isUnfinished ? outcome : {}, outcome.type === "disposed");
  }

  override onAbort(error: unknown): void {
    this.mailbox.close({ error });
  }
}

/** Somebody who iterates, from the first `next()` on. */
interface Consumer<T> {
  readonly mailbox: Mailbox<T>;
  leave(): void;
}

/** No generator: its return() would wait for the next value before it lets go. */
export function iteratorOf<T, C extends Consumer<T>>(
  arrive: () => C,
  enter: (consumer: C) => void,
): AsyncIterator<T, void, undefined> {
  let consumer: C | undefined;
  return {
    next: () => {
      if (consumer) return consumer.mailbox.next();
      consumer = arrive();
      // Only now: to enter may begin a read, whose code is the user's and may call next() too.
      enter(consumer);
      return consumer.mailbox.next();
    },
    return: () => {
      consumer?.leave();
      consumer?.mailbox.close();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}
