import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { PollRules } from "../state/state-machine.ts";
import type { TracingOptions } from "../operation/operation.ts";
import type { FailedPoll, Progress } from "../state/progress.ts";
import { adaptive } from "../schedule/adaptive.ts";
import type { AdaptiveScheduleOptions } from "../schedule/adaptive.ts";
import { checkDuration, checkFunction, checkSignal } from "../validate.ts";
import type { PollHistory, RemainingEstimate, Schedule } from "../schedule/schedule.ts";

/** How to wait. Durations are in milliseconds. */
export interface PollOptions<P = unknown> extends AdaptiveScheduleOptions {
  /** Lets every caller of this poller go; they reject with the signal's own reason. The operation itself goes on. */
  readonly abortSignal?: AbortSignal;
  /** Called after every answered read. What it throws is logged and never ends the wait. */
  readonly onProgress?: (progress: Progress<P>) => unknown;
  /** Called after every failed read. What it throws is logged and never ends the wait. */
  readonly onFailedPoll?: (failedRead: FailedPoll) => unknown;
  /**
   * The whole wait; then {@link PollingTimeoutError}. A wait begun after a timeout has it anew. Default: none; for a
   * resumed wait what is left of the timeout of the one that wrote the token, time in which no process waited
   * included, but at least a second, for one read. `Infinity` lets a resumed wait do without.
   */
  readonly timeoutInMs?: number;
  /** One read, its body included. Default 30 000. */
  readonly requestTimeoutInMs?: number;
  /** How long nothing but failed reads is borne before {@link PollingError}. Default 300 000. */
  readonly outageToleranceInMs?: number;
  /** How long after the wait's begin a 404 may mean "not replicated yet". Default 30 000. */
  readonly notFoundGraceInMs?: number;
  /** The longest wait between failed reads, unless the service asks for more. Default 30 000. */
  readonly maxRetryDelayInMs?: number;
  /** As every Azure client takes them. Default: the span of the wait is a child of the active one. */
  readonly tracingOptions?: TracingOptions;
  /** In place of `pollCostInMs`, `minDelayInMs`, `maxDelayInMs` and `pastDurationsInMs`. */
  readonly schedule?: Schedule;
  /** For tests. Default {@link systemClock}. */
  readonly clock?: Clock;
  /** For tests: numbers from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** Options of a wait with every default filled in and every value checked. */
export interface PollSettings {
  /** Without a deadline: that is known when the wait begins. */
  readonly rules: PollRules;
  readonly abortSignal: AbortSignal | undefined;
  readonly timeoutInMs: number;
  readonly requestTimeoutInMs: number;
  readonly schedule: Schedule;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tracingOptions: TracingOptions | undefined;
}

/**
 * Fills in the defaults.
 *
 * @throws RangeError or TypeError that names the option, what was expected and what came
 */
export function resolveOptions(options: PollOptions<never>): PollSettings {
  const {
    abortSignal,
    onProgress,
    onFailedPoll,
    timeoutInMs = Infinity,
    requestTimeoutInMs = 30_000,
    outageToleranceInMs = 300_000,
    notFoundGraceInMs = 30_000,
    maxRetryDelayInMs = 30_000,
    schedule,
    clock = systemClock,
    random = Math.random,
    tracingOptions,
  } = options;
  checkSignal(abortSignal);
  if (onProgress) checkFunction("onProgress", onProgress);
  if (onFailedPoll) checkFunction("onFailedPoll", onFailedPoll);
  checkFunction("random", random);
  for (const name of ["now", "timestamp", "setTimer"] as const) checkFunction(`clock.${name}`, clock[name]);
  checkDuration("timeoutInMs", timeoutInMs, { positive: true, allowInfinity: true });
  checkDuration("requestTimeoutInMs", requestTimeoutInMs, { positive: true, allowInfinity: true });
  checkDuration("outageToleranceInMs", outageToleranceInMs, { allowInfinity: true });
  checkDuration("notFoundGraceInMs", notFoundGraceInMs, { allowInfinity: true });
  checkDuration("maxRetryDelayInMs", maxRetryDelayInMs, { positive: true });
  return {
    rules: { deadlineInMs: Infinity, outageToleranceInMs, notFoundGraceInMs, maxRetryDelayInMs },
    abortSignal,
    timeoutInMs,
    requestTimeoutInMs,
    schedule: schedule === undefined ? adaptive(options) : checkSchedule(schedule),
    clock,
    random,
    tracingOptions,
  };
}

/** A schedule is the user's code: what it returns is checked like everything else from outside. */
function checkSchedule(schedule: Schedule): Schedule {
  if (typeof schedule !== "function") {
    throw new TypeError(`schedule: expected a function from history to milliseconds, got ${typeof schedule}`);
  }
  const checked = (history: PollHistory, random: () => number): number => {
    const delayInMs = schedule(history, random);
    checkDuration("schedule's result", delayInMs, { allowInfinity: true });
    return delayInMs;
  };
  return schedule.estimate === undefined
    ? checked
    : Object.assign(checked, { estimate: quietEstimate(schedule) });
}

/** An estimate is made when somebody looks, be it the log: one that throws must not end a wait, and counts as none. */
function quietEstimate(schedule: Schedule): (history: PollHistory) => RemainingEstimate | undefined {
  return (history) => {
    try {
      return schedule.estimate?.(history);
    } catch {
      return undefined;
    }
  };
}
