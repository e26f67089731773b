import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { PollRules } from "../state/state-machine.ts";
import type { Limiter } from "../operation/limiter.ts";
import type { Operation, PollerEnd, TracingOptions } from "../operation/operation.ts";
import { keyOfWord } from "../operation/status.ts";
import type { TerminalStates } from "../operation/status.ts";
import type { FailedPoll, Progress } from "../state/progress.ts";
import { adaptive } from "../schedule/adaptive.ts";
import type { AdaptiveScheduleOptions } from "../schedule/adaptive.ts";
import { isObject } from "../operation/json-object.ts";
import { describeValue } from "../redaction.ts";
import { isolate } from "./isolate.ts";
import { checkDuration, checkFunction, checkSignal } from "../validate.ts";
import type { PollHistory, RemainingEstimate, Schedule } from "../schedule/schedule.ts";

/** Options of a wait. Durations are in milliseconds. */
export interface PollOptions<P = unknown> extends AdaptiveScheduleOptions {
  /** Aborts every wait of this poller: pending calls reject with the signal's reason. The operation continues. */
  readonly abortSignal?: AbortSignal | undefined;
  /** Called after every successful poll. Errors that it throws are logged and never end the wait. */
  readonly onProgress?: (progress: Progress<P>) => unknown;
  /** Called after every failed poll. Errors that it throws are logged and never end the wait. */
  readonly onFailedPoll?: (failedPoll: FailedPoll) => unknown;
  /** Called when polling stops, whatever the reason. Errors that it throws are ignored. */
  readonly onEnd?: (end: PollerEnd) => unknown;
  /**
   * The maximum time to wait; then {@link PollingTimeoutError}. A wait that is started after a timeout has all of it. A
   * machine that slept past the timeout polls once before.
   * Default: none. A resumed wait has the rest of the timeout of the wait that wrote the token. Time in which no process
   * waited counts, but at least a second remains, for one poll. `Infinity` removes the timeout.
   */
  readonly timeoutInMs?: number;
  /**
   * The maximum time without a change of the state or the percentage; then {@link PollingTimeoutError}, code `Stalled`.
   * Only a poll that shows no change ends the wait, so that the error comes with the first poll after that time. It
   * counts from the last change, or from the first response of a wait that starts or continues. Sleep of the machine
   * does not count. Default: none.
   */
  readonly stallTimeoutInMs?: number;
  /** The maximum time of one request, its response's body included. Default 30 000. With `Infinity`, a request whose connection a sleep of the machine has broken may never end. */
  readonly requestTimeoutInMs?: number;
  /**
   * How long to keep retrying while every poll fails; then {@link PollingError}. Default 300 000. A Retry-After, the
   * wait for the rate limiter and sleep of the machine do not count. An endpoint that was never reached is told after
   * seconds.
   */
  readonly outageToleranceInMs?: number;
  /**
   * How long a 404 is retried: since the start of the wait or the initial response, or since the first 404 of an operation
   * seen before. Sleep of the machine does not count. Default 30 000.
   */
  readonly notFoundGraceInMs?: number;
  /**
   * The maximum backoff after a failed poll, unless the service asks for more: that of the poller, and after a 429 or 503
   * that of all polls to the origin. Default 30 000.
   */
  readonly maxRetryDelayInMs?: number;
  /**
   * Words of the service that end the operation, beyond the known ones. Every poll receives them. Only operations of this
   * library's clients apply them: an `Operation` of your own decides itself, and `fromPollerLike` applies them with the pipeline.
   */
  readonly terminalStates?: TerminalStates | undefined;
  /** The tracing options of every Azure client. Default: the span of the wait is a child of the active one. */
  readonly tracingOptions?: TracingOptions;
  /**
   * When the operation was started elsewhere, as a date or in milliseconds since 1970. The first poll then comes when a
   * wait from that time on would have sent its first, and at once if that is over. A time more than five
   * minutes ahead, or more than 30 days ago, counts as unknown. Default: unknown; the first poll comes at once. A resumed
   * wait has its own.
   */
  readonly startedAt?: Date | number | undefined;
  /** The polling schedule, in place of `pollCostInMs`, `minDelayInMs`, `maxDelayInMs` and `pastDurationsInMs`. */
  readonly schedule?: Schedule;
  /** For tests. Default {@link systemClock}. */
  readonly clock?: Clock;
  /** For tests: numbers from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** The options of a wait, checked, with every default. */
export interface PollSettings {
  /** Without a deadline, which is known when the wait starts. */
  readonly rules: PollRules;
  readonly abortSignal: AbortSignal | undefined;
  readonly onEnd: ((end: PollerEnd) => unknown) | undefined;
  readonly timeoutInMs: number;
  readonly requestTimeoutInMs: number;
  readonly schedule: Schedule;
  /** Milliseconds since 1970. */
  readonly startedAt: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tracingOptions: TracingOptions | undefined;
  readonly terminalStates: TerminalStates | undefined;
  /** Returns the rate limiter of an operation's next request. Default: the operation's own. */
  readonly limiterFor?: (operation: Pick<Operation, "limiterFor">) => Limiter | undefined;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws RangeError or TypeError that names the option, what was expected and what came
 */
export function resolveOptions(options: PollOptions<never>): PollSettings {
  const {
    abortSignal,
    onProgress,
    onFailedPoll,
    onEnd,
    timeoutInMs = Infinity,
    stallTimeoutInMs = Infinity,
    requestTimeoutInMs = 30_000,
    outageToleranceInMs = 300_000,
    notFoundGraceInMs = 30_000,
    maxRetryDelayInMs = 30_000,
    schedule,
    startedAt,
    clock = systemClock,
    random = Math.random,
    tracingOptions,
    terminalStates,
  } = options;
  checkSignal(abortSignal);
  if (onProgress) checkFunction("onProgress", onProgress);
  if (onFailedPoll) checkFunction("onFailedPoll", onFailedPoll);
  if (onEnd) checkFunction("onEnd", onEnd);
  checkFunction("random", random);
  for (const name of ["now", "timestamp", "setTimer"] as const) checkFunction(`clock.${name}`, clock[name]);
  for (const [name, value] of Object.entries({ timeoutInMs, stallTimeoutInMs, requestTimeoutInMs }))
    checkDuration(name, value, { positive: true, allowInfinity: true });
  for (const [name, value] of Object.entries({ outageToleranceInMs, notFoundGraceInMs }))
    checkDuration(name, value, { allowInfinity: true });
  checkDuration("maxRetryDelayInMs", maxRetryDelayInMs, { positive: true });
  if (startedAt !== undefined && Number.isNaN(Number(startedAt)))
    throw new RangeError(
      `startedAt: expected a date or milliseconds since 1970, got ${describeValue(startedAt)}`,
    );
  if (terminalStates !== undefined) checkTerminalStates(terminalStates);
  return {
    rules: {
      deadlineInMs: Infinity,
      stallTimeoutInMs,
      outageToleranceInMs,
      notFoundGraceInMs,
      maxRetryDelayInMs,
    },
    abortSignal,
    onEnd,
    timeoutInMs,
    requestTimeoutInMs,
    schedule: schedule === undefined ? adaptive(options) : checkSchedule(schedule),
    startedAt: startedAt === undefined ? undefined : Number(startedAt),
    clock,
    random: checkedRandom(random),
    tracingOptions,
    terminalStates,
  };
}

export const terminalStateLists = ["succeeded", "failed", "canceled"] as const;

function checkTerminalStates(terminalStates: TerminalStates): void {
  if (!isObject(terminalStates)) {
    const got = Array.isArray(terminalStates) ? "an array" : typeof terminalStates;
    throw new TypeError(`terminalStates: expected an object with lists of words, got ${got}`);
  }
  const names: readonly string[] = terminalStateLists;
  const unknown = Object.keys(terminalStates).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`terminalStates: expected ${names.join(", ")}, got ${describeValue(unknown)}`);
  }
  const listOf = new Map<string, string>();
  for (const name of terminalStateLists) {
    const words: unknown = terminalStates[name] ?? [];
    if (!Array.isArray(words)) {
      throw new TypeError(`terminalStates.${name}: expected an array of words, got ${typeof words}`);
    }
    for (const [index, word] of words.entries()) {
      const key = checkedKey(`terminalStates.${name}[${index}]`, word);
      const other = listOf.get(key) ?? name;
      if (other !== name) {
        throw new RangeError(`terminalStates: expected "${key}" in one list, got it in ${other} and ${name}`);
      }
      listOf.set(key, name);
    }
  }
}

function checkedKey(path: string, word: unknown): string {
  if (typeof word !== "string") throw new TypeError(`${path}: expected a word, got ${typeof word}`);
  const key = keyOfWord(word);
  if (key === "") throw new RangeError(`${path}: expected a word, got an empty text`);
  return key;
}

function checkedRandom(random: () => number): () => number {
  return () => {
    const value = random();
    if (value >= 0 && value <= 1) return value;
    throw new RangeError(`random: expected a result from 0 to 1, got ${describeValue(value)}`);
  };
}

/** A schedule is the user's code: its results are checked like everything else from outside. */
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
    : Object.assign(checked, { estimate: safeEstimate(schedule) });
}

/** An estimate is made on demand, also for the log: one that throws must not end a wait, and counts as none. */
function safeEstimate(schedule: Schedule): (history: PollHistory) => RemainingEstimate | undefined {
  return (history) => isolate(() => schedule.estimate?.(history));
}
