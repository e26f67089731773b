import { historyOf, initialState, nextStep, transition } from "../../src/state/state-machine.ts";
import type { PollRules, PollState } from "../../src/state/state-machine.ts";
import type { StatusResponse } from "../../src/operation/operation.ts";
import type { PollHistory, Schedule } from "../../src/schedule/schedule.ts";
import type { Peer } from "./peers.ts";
import type { Bar } from "./shapes.ts";

/** One operation: how long it takes, what it reports, what it asks for. Seconds. */
export interface Run {
  readonly duration: number;
  readonly bar: Bar;
  readonly retryAfter?: number | undefined;
}

/** How one wait went. Seconds. */
export interface WaitResult {
  readonly polls: number;
  /** From the end of the operation to the read that saw it. */
  readonly lateness: number;
}

/** Waits as a peer does. */
export function waitAsPeer(peer: Peer, { duration, retryAfter }: Run, random: () => number): WaitResult {
  let now = peer.first(retryAfter);
  let polls = 1;
  for (; now < duration; polls++) now += peer.next(polls, now, random, retryAfter);
  return { polls, lateness: now - duration };
}

const rules: PollRules = {
  deadlineInMs: Infinity,
  outageToleranceInMs: Infinity,
  notFoundGraceInMs: 0,
  maxRetryDelayInMs: 30_000,
};

/** After the answer to the request that began the operation, which costs nothing and tells nothing. */
const begun: PollState = transition(initialState, {
  type: "response",
  atInMs: 0,
  response: { status: { id: "/operations/1", name: "1", status: "NotStarted" } },
});

/** What else there is to say of a simulated wait. */
export interface WaitOptions {
  /** Whether the first read is at once, or when the schedule says. Default: when the schedule says. */
  readonly firstReadAtOnce?: boolean;
  /** Called before each wait with what the schedule knew, and the wait that followed, in milliseconds. */
  readonly watch?: (history: PollHistory, delayInMs: number) => void;
}

/** Waits as the engine does, by its own transitions. */
export function waitAsEngine(
  schedule: Schedule,
  run: Run,
  random: () => number,
  { firstReadAtOnce = false, watch }: WaitOptions = {},
): WaitResult {
  let state: PollState = firstReadAtOnce ? initialState : begun;
  let nowInMs = firstReadAtOnce ? 0 : schedule(historyOf(state, 0), random);
  nowInMs = Math.max(nowInMs, (run.retryAfter ?? 0) * 1000);
  let polls = 1;
  for (; nowInMs < run.duration * 1000; polls++) {
    state = transition(state, {
      type: "response",
      atInMs: nowInMs,
      response: readingAt(run, nowInMs / 1000),
    });
    const step = nextStep(state, nowInMs, rules, schedule, random);
    if (step.type === "stop") throw new Error(`The wait ended early: ${step.reason}`);
    watch?.(historyOf(state, nowInMs), step.delayInMs);
    nowInMs += step.delayInMs;
  }
  return { polls, lateness: nowInMs / 1000 - run.duration };
}

function readingAt({ bar, retryAfter }: Run, elapsed: number): StatusResponse {
  return {
    status: { id: "/operations/1", name: "1", status: "Running", percentComplete: bar(elapsed) },
    retryAfterInMs: retryAfter === undefined ? undefined : retryAfter * 1000,
  };
}
