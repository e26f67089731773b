import type { RequestError, ResponseCounts } from "../operation/errors.ts";
import type { StatusResponse } from "../operation/operation.ts";
import { validRetryAfter } from "../operation/retry-after.ts";
import { isTerminal, keyOfWord } from "../operation/status.ts";
import type { OperationState, OperationStatus } from "../operation/status.ts";
import { backoffAfterFailure } from "../schedule/backoff.ts";
import { observeProgress } from "../schedule/progress-history.ts";
import type { ProgressHistory } from "../schedule/progress-history.ts";
import { withJitter } from "../schedule/schedule.ts";
import type { PollHistory, Schedule } from "../schedule/schedule.ts";

/** The state of a wait. Times are milliseconds since the wait started. */
export interface PollState<P = unknown> {
  readonly latest?: OperationStatus<P> | undefined;
  readonly status?: OperationState | undefined;
  readonly previousStatus?: OperationState | undefined;
  /** The highest percentage seen. */
  readonly percentComplete?: number | undefined;
  /** How the percentage moved, falls included. */
  readonly progress?: ProgressHistory | undefined;
  /** Whether the last response changed the status or the percentage. */
  readonly isChange?: boolean | undefined;
  readonly respondedAtInMs?: number | undefined;
  /** When a response last changed the status or the percentage; at first, the wait's first response. */
  readonly changedAtInMs?: number | undefined;
  /** The age of the operation when the wait started. */
  readonly ageAtStartInMs?: number | undefined;
  readonly requestId?: string | undefined;
  /** The operation has succeeded, and its result needs one more request. */
  readonly isResultPending?: boolean | undefined;
  readonly pollCount: number;
  readonly failedPollCount: number;
  /** Responses with an older status or a lower percentage than before. */
  readonly staleResponseCount: number;
  readonly responseCounts: ResponseCounts;
  /** The last poll's failure, if it failed. */
  readonly failure?: RequestError | undefined;
  readonly consecutiveFailures: number;
  /** The start of the last failed polls, moved by the time in which no poll could be made. */
  readonly outageSinceInMs?: number | undefined;
  /** How long the last failed poll's Retry-After forbade the next poll: that is no outage. */
  readonly askedInMs?: number | undefined;
  /** From when on the grace of a 404 counts: the start, or, for an operation seen before, the first of the last 404s. */
  readonly notFoundSinceInMs?: number | undefined;
  /** The end of the last response's Retry-After, which counts for one wait. */
  readonly notBeforeInMs?: number | undefined;
  /** Whether that Retry-After came with a failed poll: then even `poll()` waits for it. */
  readonly isRetryAfterOfFailure?: boolean | undefined;
}

/** The result of a poll. */
export type PollResult<P = unknown> =
  | { readonly type: "response"; readonly response: StatusResponse<P> }
  | { readonly type: "failed"; readonly failure: RequestError };

/** An event of a wait, and when it came. */
export type PollEvent<P = unknown> = PollMoment & PollResult<P>;

interface PollMoment {
  readonly atInMs: number;
  /** How long its poll was due, but could not be made: the machine slept, or other requests came first. Default 0. */
  readonly idleInMs?: number | undefined;
}

/** The limits of a wait, in milliseconds. */
export interface PollRules {
  readonly deadlineInMs: number;
  readonly stallTimeoutInMs: number;
  readonly outageToleranceInMs: number;
  readonly notFoundGraceInMs: number;
  readonly maxRetryDelayInMs: number;
}

/** The next step: wait and poll again, or stop. */
export type NextStep =
  | { readonly type: "wait"; readonly delayInMs: number; readonly until: "nextPoll" | "deadline" }
  | { readonly type: "stop"; readonly reason: StopReason };

/** Why polling stopped. */
export type StopReason = "terminal" | "timedOut" | "stalled" | "notFound" | "pollingFailed";

export const initialState: PollState<never> = {
  pollCount: 0,
  failedPollCount: 0,
  staleResponseCount: 0,
  responseCounts: {},
  consecutiveFailures: 0,
  notFoundSinceInMs: 0,
};

/** Returns whether the operation is over and its result is here. */
export function isComplete(state: PollState): boolean {
  return isTerminal(state.status) && state.isResultPending !== true;
}

/** Returns the state after an event. A complete state is final, and nothing ever moves back. */
export function transition<P>(state: PollState<P>, event: PollEvent<P>): PollState<P> {
  if (isComplete(state)) return state;
  return event.type === "response"
    ? afterResponse(state, event.response, event)
    : afterFailure(state, event.failure, event);
}

/** Moves a start by time in which no poll could be made: that is no outage, no stall and no grace. */
function withoutIdleTime(sinceInMs: number | undefined, { idleInMs = 0 }: PollMoment): number | undefined {
  return sinceInMs === undefined ? undefined : sinceInMs + idleInMs;
}

function afterResponse<P>(
  state: PollState<P>,
  response: StatusResponse<P>,
  moment: PollMoment,
): PollState<P> {
  const { atInMs } = moment;
  const { status } = response;
  const movesBack = rank(status.status) < rank(state.status);
  const percentFalls = (status.percentComplete ?? Infinity) < (state.percentComplete ?? -Infinity);
  const latest = movesBack ? (state.latest ?? status) : status;
  const word = movesBack ? state.status : status.status;
  const percentComplete = highest(state.percentComplete, status.percentComplete);
  const isChange = word !== state.status || percentComplete !== state.percentComplete;
  // By the first response only: later measurements must keep their place in time.
  const isFirst = state.respondedAtInMs === undefined && state.ageAtStartInMs === undefined;
  const ageAtStartInMs = isFirst
    ? Math.max(0, (plausibleAge(response.ageInMs) ?? 0) - atInMs)
    : state.ageAtStartInMs;
  return {
    latest,
    status: word,
    previousStatus: state.status,
    percentComplete,
    isChange,
    respondedAtInMs: atInMs,
    changedAtInMs: hasMoved(state, word, status)
      ? atInMs
      : (withoutIdleTime(state.changedAtInMs, moment) ?? atInMs),
    ageAtStartInMs,
    progress: observePercentage(state.progress, ageAtStartInMs, status, atInMs),
    requestId: response.requestId,
    isResultPending: movesBack ? state.isResultPending : response.isResultPending,
    pollCount: state.pollCount + 1,
    failedPollCount: state.failedPollCount,
    staleResponseCount: state.staleResponseCount + (movesBack || percentFalls ? 1 : 0),
    responseCounts: count(state.responseCounts, status.status),
    consecutiveFailures: 0,
    notBeforeInMs: retryAfterEnd(atInMs, response.retryAfterInMs),
  };
}

/** Returns the state after news between two polls. */
export function afterUpdate<P>(
  state: PollState<P>,
  latest: OperationStatus<P>,
  atInMs: number,
): PollState<P> {
  const percentComplete = highest(state.percentComplete, latest.percentComplete);
  return {
    ...state,
    latest,
    percentComplete,
    previousStatus: state.status,
    isChange: percentComplete !== state.percentComplete,
    respondedAtInMs: atInMs,
    changedAtInMs: hasMoved(state, state.status, latest) ? atInMs : state.changedAtInMs,
    progress: observePercentage(state.progress, state.ageAtStartInMs, latest, atInMs),
  };
}

/** A share of parts says little of the time: many are over early, and one long part remains. */
function observePercentage(
  progress: ProgressHistory | undefined,
  ageAtStartInMs = 0,
  { percentComplete, percentageKind }: OperationStatus,
  atInMs: number,
): ProgressHistory | undefined {
  if (percentageKind === "shareOfParts") return progress;
  return observeProgress(progress, { elapsedInMs: atInMs + ageAtStartInMs, percentComplete });
}

/** Whether an operation does not stall. A percentage that falls moves too, and a word in another case does not. */
function hasMoved(
  state: PollState,
  word: OperationState = "",
  { percentComplete }: OperationStatus,
): boolean {
  // A resumed wait has only the highest percentage.
  const before = state.latest ? state.latest.percentComplete : state.percentComplete;
  const isSameWord = word === state.status || keyOfWord(word) === keyOfWord(state.status ?? "");
  return !isSameWord || percentComplete !== before;
}

function afterFailure<P>(state: PollState<P>, failure: RequestError, moment: PollMoment): PollState<P> {
  const { atInMs } = moment;
  const ownEnd = retryAfterEnd(atInMs, failure.retryAfterInMs);
  // A poll() that failed without one does not shorten that of the response before.
  const notBeforeInMs = ownEnd ?? state.notBeforeInMs;
  const { askedInMs = 0 } = state;
  const outageSinceInMs = withoutIdleTime(state.outageSinceInMs, moment) ?? atInMs;
  const notFoundSinceInMs = withoutIdleTime(state.notFoundSinceInMs, moment) ?? atInMs;
  const isNotFound = failure.kind === "notFound";
  return {
    ...state,
    previousStatus: state.status,
    pollCount: state.pollCount + 1,
    failedPollCount: state.failedPollCount + 1,
    responseCounts: count(state.responseCounts, String(failure.statusCode ?? failure.code)),
    failure,
    consecutiveFailures: state.consecutiveFailures + 1,
    changedAtInMs: withoutIdleTime(state.changedAtInMs, moment),
    outageSinceInMs: Math.min(atInMs, outageSinceInMs + askedInMs),
    // With all the jitter that the wait for it may have had.
    askedInMs: withJitter(Math.max(0, (notBeforeInMs ?? 0) - atInMs), () => 1),
    notFoundSinceInMs: isNotFound || state.status === undefined ? notFoundSinceInMs : undefined,
    notBeforeInMs,
    isRetryAfterOfFailure: ownEnd === undefined ? state.isRetryAfterOfFailure : true,
  };
}

function retryAfterEnd(atInMs: number, retryAfterInMs: number | undefined): number | undefined {
  const waitInMs = validRetryAfter(retryAfterInMs);
  return waitInMs === undefined ? undefined : atInMs + waitInMs;
}

/** A start before this is that of a resource, or stands for none: 0001, 1601, 1970. */
const maxAgeInMs = 30 * 86_400_000;
/** Clocks differ by so much. A start later than this is none. */
const maxSkewInMs = 300_000;

/** Returns the age of an operation in milliseconds, and `undefined` for one that no operation has. */
export function plausibleAge(ageInMs: number = NaN): number | undefined {
  return ageInMs > -maxSkewInMs && ageInMs < maxAgeInMs ? Math.max(0, ageInMs) : undefined;
}

/** A wait that stopped may be started again: its outage and its time without a change then count from zero. */
export function startedAgain<P>(state: PollState<P>): PollState<P> {
  return {
    ...state,
    failure: undefined,
    consecutiveFailures: 0,
    outageSinceInMs: undefined,
    notFoundSinceInMs: undefined,
    changedAtInMs: undefined,
  };
}

/** Makes the history that a schedule decides by. */
export function historyOf(state: PollState, elapsedInMs: number): PollHistory {
  const { pollCount, status, percentComplete, progress, ageAtStartInMs = 0 } = state;
  return {
    elapsedInMs: elapsedInMs + ageAtStartInMs,
    ageAtStartInMs: ageAtStartInMs || undefined,
    retryAfterInMs: retryAfterLeftInMs(state, elapsedInMs) || undefined,
    pollCount,
    status,
    percentComplete,
    progress,
  };
}

/** Decides the next step after the last event. The schedule's intervals are `stretch` times as long as it says. */
export function nextStep(
  state: PollState,
  elapsedInMs: number,
  rules: PollRules,
  schedule: Schedule,
  random: () => number,
  stretch = 1,
): NextStep {
  const reason = stopReasonOf(state, elapsedInMs, rules);
  if (reason !== undefined) return { type: "stop", reason };
  const wanted = wantedDelay(state, elapsedInMs, rules, schedule, random, stretch);
  const least = withJitter(retryAfterLeftInMs(state, elapsedInMs), random);
  // Rounded up, but for what floating point adds: V8 keeps a fraction in an object of its own, two for each wait.
  const delayInMs = Math.max(0, Math.ceil(Math.max(wanted, least) - 1e-6));
  return waitWithin(rules.deadlineInMs - elapsedInMs, delayInMs, least);
}

function wantedDelay(
  state: PollState,
  elapsedInMs: number,
  rules: PollRules,
  schedule: Schedule,
  random: () => number,
  stretch: number,
): number {
  if (state.failure) return backoffAfterFailure(state.consecutiveFailures, rules.maxRetryDelayInMs, random);
  // Only the first: a result that stays pending must not be polled without a delay.
  const isNewlyPending =
    state.isResultPending && isTerminal(state.status) && !isTerminal(state.previousStatus);
  return isNewlyPending ? 0 : stretch * schedule(historyOf(state, elapsedInMs), random);
}

/** Decides the first step of a wait that starts or continues: a Retry-After from before still counts. */
export function firstStep(state: PollState, elapsedInMs: number, rules: PollRules, delayInMs = 0): NextStep {
  const leastInMs = retryAfterLeftInMs(state, elapsedInMs);
  return waitWithin(rules.deadlineInMs - elapsedInMs, Math.max(delayInMs, leastInMs), leastInMs);
}

/**
 * Returns the rest of the timeout of a wait that continues: enough for one poll, even if all of it passed while no
 * caller waited. An operation that ended in time must not be reported as late.
 */
export function remainingTimeout(deadlineInMs: number | undefined, elapsedInMs: number): number | undefined {
  return deadlineInMs === undefined ? undefined : Math.max(deadlineInMs - elapsedInMs, lastPollInMs);
}

/** Returns how long the service's Retry-After still forbids a poll. */
export function retryAfterLeftInMs(state: PollState, elapsedInMs: number): number {
  return Math.max(0, (state.notBeforeInMs ?? 0) - elapsedInMs);
}

function stopReasonOf(state: PollState, elapsedInMs: number, rules: PollRules): StopReason | undefined {
  if (isComplete(state)) return "terminal";
  const reason = stopReasonOfFailure(state, elapsedInMs, rules);
  if (reason !== undefined) return reason;
  if (elapsedInMs >= rules.deadlineInMs) return "timedOut";
  return isStalled(state, rules) ? "stalled" : undefined;
}

/** By the last response, not by the time: in a sleep of the machine, an outage or a Retry-After nothing is known. */
function isStalled({ respondedAtInMs = 0, changedAtInMs = Infinity }: PollState, rules: PollRules): boolean {
  return respondedAtInMs - changedAtInMs >= rules.stallTimeoutInMs;
}

function stopReasonOfFailure(
  state: PollState,
  elapsedInMs: number,
  rules: PollRules,
): StopReason | undefined {
  const { failure, outageSinceInMs = elapsedInMs } = state;
  if (failure === undefined) return undefined;
  if (failure.kind === "permanent") return "pollingFailed";
  if (failure.kind === "notFound") return stopReasonIfNotFound(state, elapsedInMs, rules);
  const outageInMs = elapsedInMs - outageSinceInMs;
  const { outageToleranceInMs } = rules;
  const toleranceInMs = outageToleranceInMs / (hasReachedNothing(state) ? unreachableDivisor : 1);
  return outageInMs >= toleranceInMs ? "pollingFailed" : undefined;
}

/** By default five seconds, enough for four polls. */
const unreachableDivisor = 60;
/** The system's codes for a host that does not exist, or to which there is no connection. */
export const unreachableCodes: readonly string[] = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
];

/** Returns whether every poll so far, those before a resume included, found no host: the endpoint may be wrong. */
export function hasReachedNothing({ responseCounts, pollCount }: PollState): boolean {
  let polls = 0;
  for (const code of unreachableCodes) polls += responseCounts[code] ?? 0;
  return pollCount > 0 && polls === pollCount;
}

/** An operation that was never seen may not be replicated since the start; one that was seen, since the first 404. */
function stopReasonIfNotFound(
  { isResultPending, notFoundSinceInMs = 0 }: PollState,
  elapsedInMs: number,
  { notFoundGraceInMs }: PollRules,
): StopReason | undefined {
  if (elapsedInMs - notFoundSinceInMs < notFoundGraceInMs) return undefined;
  return isResultPending ? "pollingFailed" : "notFound";
}

/** The time that the last poll before the deadline gets for its response. */
export const lastPollInMs = 1000;

/**
 * Moves a poll that would come after the deadline to shortly before it, but never before the end of a Retry-After: an
 * operation that ended in time must not be reported as late.
 */
function waitWithin(remainingInMs: number, delayInMs: number, leastInMs: number): NextStep {
  if (delayInMs < remainingInMs) return { type: "wait", delayInMs, until: "nextPoll" };
  const lastChance = remainingInMs - lastPollInMs;
  return lastChance >= Math.max(leastInMs, lastPollInMs)
    ? { type: "wait", delayInMs: lastChance, until: "nextPoll" }
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

/** A service that sends a new word with each response must not fill the memory. */
const maxKindsCounted = 50;

function count(counts: ResponseCounts, kind: string): ResponseCounts {
  const key = Object.hasOwn(counts, kind) || Object.keys(counts).length < maxKindsCounted ? kind : "other";
  return { ...counts, [key]: (Object.hasOwn(counts, key) ? (counts[key] ?? 0) : 0) + 1 };
}
