import type { Clock } from "../clock.ts";
import { isTerminal } from "../operation/status.ts";
import type { StatusFields } from "../operation/status.ts";
import type { Progress } from "../state/progress.ts";
import { isPlausible } from "../schedule/past-durations.ts";
import type { PastDuration } from "../schedule/past-durations.ts";

/**
 * Measures how long the operation of one wait took. The service's own times are best. Without them, the wait's time is
 * as good if the operation started during the wait. An operation that was found running may have any age.
 */
export class Stopwatch {
  readonly #clock: Clock;
  /** The clock's time of the initial response. */
  #startedAt: number | undefined;
  #first: Progress | undefined;
  #latest: Progress | undefined;
  #isOver = false;
  /** A wait that ends early may be started again, and is still one operation. */
  #hasEndedEarly = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    this.#startedAt = this.#clock.now();
  }

  /** Returns the operation's duration, once, after it has succeeded or failed, if it can be known. */
  durationAfter(progress: Progress): PastDuration | undefined {
    this.#first ??= progress;
    this.#latest = progress;
    if (this.#isOver || !isTerminal(progress.status)) return undefined;
    this.#isOver = true;
    if (isTerminal(this.#first.status) || progress.status === "Canceled") return undefined;
    const duration = durationByService(progress.operation) ?? this.#durationOfWait(progress);
    if (!isPlausible(duration)) return undefined;
    return progress.status === "Failed" ? { failedAfterInMs: duration } : duration;
  }

  /** Returns how long the operation has run at least, once, after a wait that ended before it. */
  durationAfterEarlyEnd(): PastDuration | undefined {
    const atLeastInMs = this.#latest?.elapsedInMs;
    if (this.#isOver || this.#hasEndedEarly || !isPlausible(atLeastInMs)) return undefined;
    this.#hasEndedEarly = true;
    return { atLeastInMs };
  }

  #durationOfWait({ elapsedInMs }: Progress): number | undefined {
    if (this.#startedAt !== undefined) return this.#clock.now() - this.#startedAt;
    return this.#first?.status === "NotStarted" ? elapsedInMs : undefined;
  }
}

function durationByService({ startTime, endTime }: StatusFields): number | undefined {
  if (!startTime || !endTime) return undefined;
  const duration = endTime.getTime() - startTime.getTime();
  return isPlausible(duration) ? duration : undefined;
}
