import fc from "fast-check";
import { expect, test } from "vitest";
import { RequestError, exponential, fixed, isTerminal, adaptive } from "lro-poller";
import type { OperationStatus, RequestErrorKind, StatusResponse, Schedule } from "lro-poller";
import {
  firstStep,
  initialState,
  isComplete,
  nextStep,
  retryAfterLeftInMs,
  transition,
  startedAgain,
} from "../../src/state/state-machine.ts";
import type { NextStep, PollEvent, PollRules, PollState } from "../../src/state/state-machine.ts";
import { fuzz } from "./support.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("NotStarted", "Running", "Creating") },
  { weight: 1, arbitrary: fc.constantFrom("Succeeded", "Failed", "Canceled") },
  { weight: 1, arbitrary: fc.string({ minLength: 1 }) },
);
const percent = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.integer({ min: 0, max: 100 }));
// A user's own transport may return any number.
const anyNumber = fc.oneof(
  fc.double(),
  fc.double({ min: 0, max: 1e6, noNaN: true }),
  fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, Number.MAX_VALUE),
);

const response: fc.Arbitrary<StatusResponse> = fc
  .record({
    status: word,
    percentComplete: maybe(percent),
    retryAfterInMs: maybe(anyNumber),
    ageInMs: maybe(anyNumber),
    isResultPending: maybe(fc.boolean()),
  })
  .map(({ status, percentComplete, ...fields }) => {
    const body: OperationStatus = { id: "operation", name: "operation", status, percentComplete };
    return { status: body, ...fields };
  });
const failure = fc
  .record({
    kind: fc.constantFrom<RequestErrorKind>("transient", "transient", "notFound", "permanent"),
    statusCode: maybe(fc.integer({ min: 100, max: 599 })),
    retryAfterInMs: maybe(anyNumber),
  })
  .map((details) => new RequestError("down", details));

const gap = fc.oneof(fc.integer({ min: 0, max: 60_000 }), fc.double({ min: 0, max: 1e9, noNaN: true }));
const event = fc.oneof(
  { weight: 3, arbitrary: response.map((value) => ({ type: "response", response: value }) as const) },
  { weight: 1, arbitrary: failure.map((value) => ({ type: "failed", failure: value }) as const) },
);
const idleShare = fc.double({ min: 0, max: 1, noNaN: true });
const events = fc.array(fc.tuple(event, gap, idleShare), { minLength: 1, maxLength: 30 }).map((list) => {
  let atInMs = 0;
  return list.map(([what, gapInMs, idle]): PollEvent => {
    atInMs += gapInMs;
    return { ...what, atInMs, idleInMs: gapInMs * idle };
  });
});

const toleranceInMs = fc.oneof(gap, fc.constant(Infinity));
const rules: fc.Arbitrary<PollRules> = fc.record({
  deadlineInMs: fc.oneof(gap, fc.constant(Infinity)),
  stallTimeoutInMs: fc.oneof(gap, fc.constant(Infinity)),
  outageToleranceInMs: toleranceInMs,
  notFoundGraceInMs: toleranceInMs,
  maxRetryDelayInMs: fc.double({ min: 1, max: 1e9, noNaN: true }),
});
const positive = fc.double({ min: 1, max: 1e7, noNaN: true });
const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  positive.map(fixed),
  fc
    .tuple(positive, positive)
    .map(([initialDelayInMs, maxDelayInMs]) => exponential({ initialDelayInMs, maxDelayInMs })),
  fc
    .tuple(
      positive,
      positive,
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.array(fc.double({ min: 1, max: 1e12, noNaN: true }), { maxLength: 5 }),
    )
    .map(([pollCostInMs, minDelayInMs, more, pastDurationsInMs]) =>
      adaptive({ pollCostInMs, minDelayInMs, maxDelayInMs: minDelayInMs + more, pastDurationsInMs }),
    ),
);
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const stretch = fc.double({ min: 1, max: 1000, noNaN: true });

function rank({ status }: PollState): number {
  if (status === undefined) return 0;
  return isTerminal(status) ? 3 : status === "NotStarted" ? 1 : 2;
}

function after(list: readonly PollEvent[]): PollState {
  return list.reduce<PollState>(transition, initialState);
}

test("no event moves a wait back, and a terminal state does not change", () =>
  fuzz(
    fc.property(events, (list) => {
      let state: PollState = initialState;
      for (const next of list) {
        const before = state;
        state = transition(before, next);
        expect(rank(state)).toBeGreaterThanOrEqual(rank(before));
        expect(state.percentComplete ?? -1).toBeGreaterThanOrEqual(before.percentComplete ?? -1);
        expect(state.ageAtStartInMs ?? 0).toBeGreaterThanOrEqual(0);
        if (isComplete(before)) expect(state).toBe(before);
        else expect(state.pollCount).toBe(before.pollCount + 1);
      }
      expect(Object.values(state.responseCounts).reduce((sum, count) => sum + count, 0)).toBe(
        state.pollCount,
      );
      expect(Object.keys(state.responseCounts).length).toBeLessThanOrEqual(51);
    }),
  ));

function checkStep(step: NextStep, state: PollState, elapsedInMs: number, { deadlineInMs }: PollRules): void {
  if (step.type === "stop") return;
  expect(step.delayInMs).toBeGreaterThanOrEqual(0);
  expect(step.delayInMs).toBeLessThan(Infinity);
  expect(step.delayInMs).toBeLessThanOrEqual(Math.max(0, deadlineInMs - elapsedInMs));
  if (step.until === "nextPoll")
    expect(step.delayInMs).toBeGreaterThanOrEqual(retryAfterLeftInMs(state, elapsedInMs));
}

test("each delay is finite, not before Retry-After and not after the deadline, and polling ends at a terminal state", () =>
  fuzz(
    fc.property(events, rules, schedules, chance, stretch, (list, limits, schedule, share, factor) => {
      const elapsedInMs = list.at(-1)?.atInMs ?? 0;
      const state = after(list);
      const step = nextStep(state, elapsedInMs, limits, schedule, () => share, factor);
      checkStep(step, state, elapsedInMs, limits);
      expect(step.type === "stop" && step.reason === "terminal").toBe(isComplete(state));
      if (elapsedInMs >= limits.deadlineInMs) expect(step.type).toBe("stop");
    }),
  ));

test("an outage is never longer than the time since its first failed poll, less the time without polls", () =>
  fuzz(
    fc.property(events, (list) => {
      let state: PollState = initialState;
      let countableInMs = 0;
      let before = 0;
      for (const next of list) {
        const isOutage = state.consecutiveFailures > 0;
        countableInMs = isOutage ? countableInMs + next.atInMs - before - (next.idleInMs ?? 0) : 0;
        before = next.atInMs;
        state = transition(state, next);
        if (isComplete(state) || state.outageSinceInMs === undefined) continue;
        const outageInMs = next.atInMs - state.outageSinceInMs;
        expect(outageInMs).toBeGreaterThanOrEqual(0);
        expect(outageInMs).toBeLessThanOrEqual(countableInMs + 1e-3);
      }
    }),
  ));

test("a wait that continues starts without an outage and with the Retry-After from before", () =>
  fuzz(
    fc.property(events, rules, gap, gap, (list, limits, laterInMs, delayInMs) => {
      const elapsedInMs = (list.at(-1)?.atInMs ?? 0) + laterInMs;
      fc.pre(elapsedInMs < limits.deadlineInMs);
      const state = startedAgain(after(list));
      expect([state.failure, state.outageSinceInMs, state.consecutiveFailures]).toEqual([
        undefined,
        undefined,
        0,
      ]);
      checkStep(firstStep(state, elapsedInMs, limits, delayInMs), state, elapsedInMs, limits);
    }),
  ));
