import type { Clock } from "../clock.ts";
import { isTerminal } from "../operation/status.ts";
import type { StatusFields } from "../operation/status.ts";
import type { Progress } from "../state/progress.ts";
import { isPlausible } from "./durations.ts";

/**
 * Finds out how long the operation of one wait took. The service's own times are best. Without them the wait's are
 * as good where the operation began before its eyes; one that was found under way may be of any age.
 */
export class Stopwatch {
  readonly #clock: Clock;
  /** What the clock showed when the service had answered the request that began the operation. */
  #startedAt: number | undefined;
  #first: Progress | undefined;
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#startedAt = this.#clock.now();
  }

  /** The operation's duration in milliseconds, once, when it has succeeded or failed and the duration can be known. */
  durationAfter(progress: Progress): number | undefined {
    this.#first ??= progress;
    if (this.#isOver || !isTerminal(progress.status)) return undefined;
    this.#isOver = true;
    const wasOverAlready = isTerminal(this.#first.status);
    if (wasOverAlready || progress.status === "Canceled") return undefined;
    const duration = durationByService(progress.operation) ?? this.#durationSeen(progress);
    return isPlausible(duration) ? duration : undefined;
  }

  #durationSeen({ elapsedInMs }: Progress): number | undefined {
    if (this.#startedAt !== undefined) return this.#clock.now() - this.#startedAt;
    return this.#first?.status === "NotStarted" ? elapsedInMs : undefined;
  }
}

function durationByService({ startTime, endTime }: StatusFields): number | undefined {
  if (!startTime || !endTime) return undefined;
  const duration = endTime.getTime() - startTime.getTime();
  return isPlausible(duration) ? duration : undefined;
}
