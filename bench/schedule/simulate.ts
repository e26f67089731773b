import { historyOf, initialState, nextStep, transition } from "../../src/state/state-machine.ts";
import type { PollRules, PollState } from "../../src/state/state-machine.ts";
import type { StatusResponse } from "../../src/operation/operation.ts";
import type { PollHistory, Schedule } from "../../src/schedule/schedule.ts";
import type { Peer } from "./peers.ts";
import type { PercentageAt } from "./shapes.ts";

/** One operation: its duration, its percentage and its Retry-After. Seconds. */
export interface Run {
  readonly duration: number;
  readonly percentageAt: PercentageAt;
  readonly retryAfter?: number | undefined;
  /** How long it ran before the wait; `duration` and `percentageAt` count from the wait's start. Default 0. */
  readonly age?: number | undefined;
}

/** How one wait went. Seconds. */
export interface WaitResult {
  readonly polls: number;
  /** From the end of the operation to the poll that saw it. */
  readonly lateness: number;
}

/** Waits as a peer does. A peer that joins an operation polls at once. If its delays depend on the age, it gets the true one. */
export function waitAsPeer(peer: Peer, { duration, retryAfter, age }: Run, random: () => number): WaitResult {
  let now = age === undefined ? peer.first(retryAfter) : 0;
  let polls = 1;
  for (; now < duration; polls++) now += peer.next(polls, now + (age ?? 0), random, retryAfter);
  return { polls, lateness: now - duration };
}

const rules: PollRules = {
  deadlineInMs: Infinity,
  stallTimeoutInMs: Infinity,
  outageToleranceInMs: Infinity,
  notFoundGraceInMs: 0,
  maxRetryDelayInMs: 30_000,
};

/** Returns the state after the initial response, which is free and has no percentage. */
function startedWith({ retryAfter }: Run): PollState {
  const response: StatusResponse = {
    status: { id: "/operations/1", name: "1", status: "NotStarted" },
    retryAfterInMs: retryAfter === undefined ? undefined : retryAfter * 1000,
  };
  return transition(initialState, { type: "response", atInMs: 0, response });
}

/** Options of a simulated wait. */
export interface WaitOptions {
  /** Whether the first poll is sent at once. Default: the schedule chooses its time. */
  readonly firstPollAtOnce?: boolean;
  /** Returns the age by the `startTime` in a response, from the true age, in seconds. Default: there is none. */
  readonly ageByService?: (age: number) => number;
  /** Called before each delay with the history that the schedule got, and the delay in milliseconds. */
  readonly watch?: (history: PollHistory, delayInMs: number) => void;
}

/** Waits as the poller does, by its own state machine. */
export function waitAsPoller(
  schedule: Schedule,
  run: Run,
  random: () => number,
  { firstPollAtOnce = false, ageByService, watch }: WaitOptions = {},
): WaitResult {
  let state: PollState = firstPollAtOnce ? initialState : startedWith(run);
  let nowInMs = firstPollAtOnce ? 0 : Math.ceil(schedule(historyOf(state, 0), random));
  nowInMs = Math.max(nowInMs, (run.retryAfter ?? 0) * 1000);
  let polls = 1;
  for (; nowInMs < run.duration * 1000; polls++) {
    state = transition(state, {
      type: "response",
      atInMs: nowInMs,
      response: { ...responseAt(run, nowInMs / 1000), ageInMs: ageAt(run, nowInMs / 1000, ageByService) },
    });
    const step = nextStep(state, nowInMs, rules, schedule, random);
    if (step.type === "stop") throw new Error(`The wait ended early: ${step.reason}`);
    watch?.(historyOf(state, nowInMs), step.delayInMs);
    nowInMs += step.delayInMs;
  }
  return { polls, lateness: nowInMs / 1000 - run.duration };
}

function ageAt(
  { age = 0 }: Run,
  elapsed: number,
  ageByService: WaitOptions["ageByService"],
): number | undefined {
  return ageByService && 1000 * ageByService(age + elapsed);
}

function responseAt({ percentageAt, retryAfter }: Run, elapsed: number): StatusResponse {
  return {
    status: { id: "/operations/1", name: "1", status: "Running", percentComplete: percentageAt(elapsed) },
    retryAfterInMs: retryAfter === undefined ? undefined : retryAfter * 1000,
  };
}
