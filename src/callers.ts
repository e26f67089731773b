import type { Outcome } from "./outcome.ts";
import type { Progress } from "./progress.ts";

/** Somebody who waits. */
export interface Caller<P> {
  onProgress?(progress: Progress<P>): void;
  onOutcome?(outcome: Outcome<P>): unknown;
  onAbort(reason: unknown): void;
}

/** Those who wait for one operation. Each may leave by a signal of its own; when the last has left, it says so. */
export class Callers<P> {
  readonly #leaveOf = new Map<Caller<P>, () => void>();
  readonly #onLastLeft: () => void;

  constructor(onLastLeft: () => void) {
    this.#onLastLeft = onLastLeft;
  }

  get isEmpty(): boolean {
    return this.#leaveOf.size === 0;
  }

  /** Lets a caller in and returns how to let it go; not in, where one of its signals has fired already. */
  enter(caller: Caller<P>, signals: readonly (AbortSignal | undefined)[]): (() => void) | undefined {
    const fired = signals.find((signal) => signal?.aborted);
    if (fired) {
      caller.onAbort(fired.reason);
      return undefined;
    }
    const leave = (): void => {
      for (const signal of signals) signal?.removeEventListener("abort", onAbort);
      if (this.#leaveOf.delete(caller) && this.isEmpty) this.#onLastLeft();
    };
    const onAbort = (): void => {
      const reason: unknown = signals.find((signal) => signal?.aborted)?.reason;
      leave();
      caller.onAbort(reason);
    };
    for (const signal of signals) signal?.addEventListener("abort", onAbort);
    this.#leaveOf.set(caller, leave);
    return leave;
  }

  tell(progress: Progress<P>): void {
    for (const caller of this.#leaveOf.keys()) caller.onProgress?.(progress);
  }

  /** Lets everybody go with the outcome. */
  dismiss(outcome: Outcome<P>): void {
    for (const [caller, leave] of this.#leaveOf) {
      leave();
      caller.onOutcome?.(outcome);
    }
  }
}
