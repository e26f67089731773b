import type { Observed, ReadError } from "../operation/errors.ts";
import { isTerminal } from "../operation/operation.ts";
import type { OperationState, OperationStatus, Reading } from "../operation/operation.ts";
import { observeProgress } from "../schedule/progress-history.ts";
import type { ProgressRecord } from "../schedule/progress-history.ts";
import { spread } from "../schedule/schedule.ts";
import type { PollHistory, Schedule } from "../schedule/schedule.ts";
import { backoffAfterFailure } from "../schedule/backoff.ts";

/** All that a wait knows. Times are milliseconds since the wait began. */
export interface WaitState<P = unknown> {
  readonly latest?: OperationStatus<P> | undefined;
  readonly status?: OperationState | undefined;
  readonly previousStatus?: OperationState | undefined;
  /** The highest percentage seen. */
  readonly percentComplete?: number | undefined;
  /** How the percentage moved, falls included. */
  readonly progress?: ProgressRecord | undefined;
  /** Whether the last answer differed from the one before in status or percentage. */
  readonly isChange?: boolean | undefined;
  readonly answeredAtInMs?: number | undefined;
  /** How long the operation had been under way when the wait began. */
  readonly headStartInMs?: number | undefined;
  readonly requestId?: string | undefined;
  /** The operation has succeeded, and its result is still to be read. */
  readonly isResultPending?: boolean | undefined;
  readonly pollCount: number;
  readonly failedReads: number;
  /** Answers that were behind what was known already. */
  readonly staleAnswers: number;
  readonly observed: Observed;
  /** The last read's failure, if it failed. */
  readonly failure?: ReadError | undefined;
  readonly consecutiveFailures: number;
  readonly outageSinceInMs?: number | undefined;
  /** When the Retry-After of the last answer is over; it counts for one wait. */
  readonly notBeforeInMs?: number | undefined;
  /** Whether that Retry-After came with a failed read, which not even who asks for a read now may pass over. */
  readonly isHeldBack?: boolean | undefined;
}

/** What happens to a wait, and when. */
export type WaitEvent<P = unknown> = { readonly atInMs: number } & (
  | { readonly type: "answered"; readonly reading: Reading<P> }
  | { readonly type: "failed"; readonly failure: ReadError }
);

/** How long a wait bears what. Milliseconds. */
export interface WaitRules {
  readonly deadlineInMs: number;
  readonly outageToleranceInMs: number;
  readonly notFoundGraceInMs: number;
  readonly maxRetryDelayInMs: number;
}

/** What to do next: wait and read again, or end. */
export type NextStep =
  | { readonly type: "wait"; readonly delayInMs: number; readonly until: "nextRead" | "deadline" }
  | { readonly type: "end"; readonly ending: WaitEnding };

export type WaitEnding = "settled" | "timedOut" | "notFound" | "unreadable";

export const initialState: WaitState<never> = {
  pollCount: 0,
  failedReads: 0,
  staleAnswers: 0,
  observed: {},
  consecutiveFailures: 0,
};

/** Whether there is nothing left to read. */
export function isSettled(state: WaitState): boolean {
  return isTerminal(state.status) && state.isResultPending !== true;
}

/** The state after an event. A settled state is final, and nothing ever moves back. */
export function transition<P>(state: WaitState<P>, event: WaitEvent<P>): WaitState<P> {
  if (isSettled(state)) return state;
  return event.type === "answered"
    ? afterAnswer(state, event.reading, event.atInMs)
    : afterFailure(state, event.failure, event.atInMs);
}

function afterAnswer<P>(state: WaitState<P>, reading: Reading<P>, atInMs: number): WaitState<P> {
  const { status } = reading;
  const movesBack = rank(status.status) < rank(state.status);
  const percentFalls = (status.percentComplete ?? Infinity) < (state.percentComplete ?? -Infinity);
  const latest = movesBack ? (state.latest ?? status) : status;
  const word = movesBack ? state.status : status.status;
  const percentComplete = highest(state.percentComplete, status.percentComplete);
  // Told once, by the first answer: what was measured since must keep its place in time.
  const isFirst = state.answeredAtInMs === undefined && state.headStartInMs === undefined;
  const headStartInMs = isFirst ? Math.max(0, durationOf(reading.ageInMs) - atInMs) : state.headStartInMs;
  return {
    latest,
    status: word,
    previousStatus: state.status,
    percentComplete,
    isChange: word !== state.status || percentComplete !== state.percentComplete,
    answeredAtInMs: atInMs,
    headStartInMs,
    progress: observeProgress(state.progress, {
      elapsedInMs: atInMs + (headStartInMs ?? 0),
      percentComplete: status.percentComplete,
    }),
    requestId: reading.requestId,
    isResultPending: movesBack ? state.isResultPending : reading.isResultPending,
    pollCount: state.pollCount + 1,
    failedReads: state.failedReads,
    staleAnswers: state.staleAnswers + (movesBack || percentFalls ? 1 : 0),
    observed: count(state.observed, status.status),
    consecutiveFailures: 0,
    notBeforeInMs: holdUntil(atInMs, reading.retryAfterInMs),
  };
}

function afterFailure<P>(state: WaitState<P>, failure: ReadError, atInMs: number): WaitState<P> {
  return {
    ...state,
    previousStatus: state.status,
    pollCount: state.pollCount + 1,
    failedReads: state.failedReads + 1,
    observed: count(state.observed, String(failure.statusCode ?? failure.code)),
    failure,
    consecutiveFailures: state.consecutiveFailures + 1,
    outageSinceInMs: state.outageSinceInMs ?? atInMs,
    notBeforeInMs: holdUntil(atInMs, failure.retryAfterInMs),
    isHeldBack: true,
  };
}

function holdUntil(atInMs: number, retryAfterInMs: number | undefined): number | undefined {
  const leastInMs = durationOf(retryAfterInMs);
  return leastInMs > 0 ? atInMs + leastInMs : undefined;
}

/** A transport may be the user's own: NaN, and what overflows later on, would make every wait endless. */
function durationOf(toldInMs = 0): number {
  return toldInMs > 0 && toldInMs < Number.MAX_SAFE_INTEGER ? toldInMs : 0;
}

/** A wait that gave up may go on later: its outage is then counted anew. */
export function forgiven<P>(state: WaitState<P>): WaitState<P> {
  return { ...state, failure: undefined, consecutiveFailures: 0, outageSinceInMs: undefined };
}

/** What a schedule may know of the wait. */
export function historyOf(state: WaitState, elapsedInMs: number): PollHistory {
  const { pollCount, status, percentComplete, progress, headStartInMs = 0 } = state;
  return { elapsedInMs: elapsedInMs + headStartInMs, pollCount, status, percentComplete, progress };
}

/** The next step after the last event; `stretch` is by how much the schedule's waits are longer than it says. */
export function nextStep(
  state: WaitState,
  elapsedInMs: number,
  rules: WaitRules,
  schedule: Schedule,
  random: () => number,
  stretch = 1,
): NextStep {
  const ending = endingOfWait(state, elapsedInMs, rules);
  if (ending !== undefined) return { type: "end", ending };
  const stretched: Schedule = (history, chance) => stretch * schedule(history, chance);
  const wanted = wantedDelay(state, elapsedInMs, rules, stretched, random);
  const least = spread(holdInMs(state, elapsedInMs), random);
  return waitWithin(rules.deadlineInMs - elapsedInMs, Math.max(wanted, least), least);
}

function wantedDelay(
  state: WaitState,
  elapsedInMs: number,
  rules: WaitRules,
  schedule: Schedule,
  random: () => number,
): number {
  if (state.failure) return backoffAfterFailure(state.consecutiveFailures, rules.maxRetryDelayInMs, random);
  return state.isResultPending ? 0 : schedule(historyOf(state, elapsedInMs), random);
}

/** The first step of a wait that begins or goes on: a Retry-After from before still counts. */
export function firstStep(state: WaitState, elapsedInMs: number, rules: WaitRules, delayInMs = 0): NextStep {
  const leastInMs = holdInMs(state, elapsedInMs);
  return waitWithin(rules.deadlineInMs - elapsedInMs, Math.max(delayInMs, leastInMs), leastInMs);
}

/**
 * What a wait that goes on has left of a timeout: enough for one read, though all of it went by while nobody waited.
 * An operation that ended in time must not be reported as late.
 */
export function restOfTimeout(deadlineInMs: number | undefined, elapsedInMs: number): number | undefined {
  return deadlineInMs === undefined ? undefined : Math.max(deadlineInMs - elapsedInMs, lastReadInMs);
}

/** How long the service's Retry-After still forbids a read. */
export function holdInMs(state: WaitState, elapsedInMs: number): number {
  return Math.max(0, (state.notBeforeInMs ?? 0) - elapsedInMs);
}

function endingOfWait(state: WaitState, elapsedInMs: number, rules: WaitRules): WaitEnding | undefined {
  if (isSettled(state)) return "settled";
  const isLate = elapsedInMs >= rules.deadlineInMs;
  return endingOfFailure(state, elapsedInMs, rules) ?? (isLate ? "timedOut" : undefined);
}

function endingOfFailure(state: WaitState, elapsedInMs: number, rules: WaitRules): WaitEnding | undefined {
  const { failure, outageSinceInMs = elapsedInMs } = state;
  if (failure === undefined) return undefined;
  if (failure.kind === "refused") return "unreadable";
  const outageInMs = elapsedInMs - outageSinceInMs;
  if (failure.kind === "notFound" && state.isResultPending !== true) {
    return elapsedInMs >= rules.notFoundGraceInMs ? "notFound" : undefined;
  }
  // A result may be replicated as late as an operation.
  const toleranceInMs = failure.kind === "notFound" ? rules.notFoundGraceInMs : rules.outageToleranceInMs;
  return outageInMs >= toleranceInMs ? "unreadable" : undefined;
}

/** The time that the last read before the deadline gets for its answer. */
const lastReadInMs = 1000;

/**
 * Where the next read would come after the deadline, moves it to shortly before, though never before Retry-After:
 * an operation that ended in time must not be reported as late.
 */
function waitWithin(remainingInMs: number, delayInMs: number, leastInMs: number): NextStep {
  if (delayInMs < remainingInMs) return { type: "wait", delayInMs, until: "nextRead" };
  const lastChance = remainingInMs - lastReadInMs;
  return lastChance >= Math.max(leastInMs, lastReadInMs)
    ? { type: "wait", delayInMs: lastChance, until: "nextRead" }
    : { type: "wait", delayInMs: remainingInMs, until: "deadline" };
}

function rank(status: OperationState | undefined): number {
  if (status === undefined) return 0;
  if (isTerminal(status)) return 3;
  return status === "NotStarted" ? 1 : 2;
}

function highest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

/** A service that invents a new word for each answer must not fill the memory. */
const mostKindsObserved = 50;

function count(observed: Observed, answer: string): Observed {
  const key =
    Object.hasOwn(observed, answer) || Object.keys(observed).length < mostKindsObserved ? answer : "other";
  return { ...observed, [key]: (Object.hasOwn(observed, key) ? (observed[key] ?? 0) : 0) + 1 };
}
