import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RequestError, fixed, parseOperationStatus } from "lro-poller";
import type { OperationStatus, RequestErrorKind } from "lro-poller";
import {
  firstStep,
  historyOf,
  initialState,
  isComplete,
  nextStep,
  retryAfterLeftInMs,
  transition,
  startedAgain,
} from "../../src/state/state-machine.ts";
import type { NextStep, PollEvent, PollRules, PollState } from "../../src/state/state-machine.ts";

const name = "fa067167-e49d-41bd-8dd8-de719b9de3b3";

function status(word: string, percentComplete?: number): OperationStatus {
  return parseOperationStatus({
    id: `/projects/p/operationStatuses/${name}`,
    name,
    status: word,
    percentComplete,
  });
}

function responded(
  atInMs: number,
  word: string,
  percentComplete?: number,
  retryAfterInMs?: number,
): PollEvent {
  return { type: "response", atInMs, response: { status: status(word, percentComplete), retryAfterInMs } };
}

/** The operation has succeeded, and its result is elsewhere. */
function pendingResult(atInMs: number): PollEvent {
  return { type: "response", atInMs, response: { status: status("Succeeded"), isResultPending: true } };
}

function failed(atInMs: number, kind: RequestErrorKind = "transient", retryAfterInMs?: number): PollEvent {
  return {
    type: "failed",
    atInMs,
    failure: new RequestError("down", { kind, statusCode: 503, retryAfterInMs }),
  };
}

function stateAfter(...events: PollEvent[]): PollState {
  return events.reduce<PollState>(transition, initialState);
}

const rules: PollRules = {
  deadlineInMs: Infinity,
  stallTimeoutInMs: Infinity,
  outageToleranceInMs: 300_000,
  notFoundGraceInMs: 30_000,
  maxRetryDelayInMs: 30_000,
};
const noJitter = (): number => 0;

function nextStepAfter(events: PollEvent[], override: Partial<PollRules> = {}, random = noJitter): NextStep {
  const elapsedInMs = events.at(-1)?.atInMs ?? 0;
  return nextStep(stateAfter(...events), elapsedInMs, { ...rules, ...override }, fixed(2000), random);
}

describe("transitions", () => {
  test("a response changes the state and keeps the one before", () => {
    expect(stateAfter(responded(0, "NotStarted"), responded(1, "Running", 10))).toMatchObject({
      status: "Running",
      previousStatus: "NotStarted",
      percentComplete: 10,
      pollCount: 2,
      staleResponseCount: 0,
      responseCounts: { NotStarted: 1, Running: 1 },
    });
  });

  test("a state never moves back, and the stale response is counted", () => {
    const state = stateAfter(responded(0, "Running"), responded(1, "NotStarted"));
    expect(state).toMatchObject({ status: "Running", staleResponseCount: 1, pollCount: 2 });
    expect(state.latest?.status).toBe("Running");
  });

  test("the percentage never falls, and the stale response is counted", () => {
    expect(stateAfter(responded(0, "Running", 40), responded(1, "Running", 30))).toMatchObject({
      percentComplete: 40,
      staleResponseCount: 1,
    });
  });

  test("a response without a percentage keeps the one before", () => {
    expect(stateAfter(responded(0, "Running", 40), responded(1, "Running"))).toMatchObject({
      percentComplete: 40,
      staleResponseCount: 0,
    });
  });

  test("a running state may follow another", () => {
    expect(stateAfter(responded(0, "Creating"), responded(1, "Updating"))).toMatchObject({
      status: "Updating",
      staleResponseCount: 0,
    });
  });

  test.each([
    [5000, 4000],
    [500, 0],
    [-1, 0],
    [NaN, 0],
    [Infinity, 0],
    [29 * 86_400_000, 29 * 86_400_000 - 1000],
    // The start of a resource, 1970, and .NET's 0001-01-01.
    [31 * 86_400_000, 0],
    [1.79e12, 0],
    [6.39e13, 0],
  ])(
    "an age of %s ms, received a second after the start, is %s ms at the start",
    (ageInMs, ageAtStartInMs) => {
      const response = { status: status("Running"), ageInMs };
      expect(stateAfter({ type: "response", atInMs: 1000, response })).toMatchObject({ ageAtStartInMs });
    },
  );

  test("only the age in the first response counts, and it moves the progress in time", () => {
    const respondedWithAge = (atInMs: number, ageInMs: number, percentComplete: number): PollEvent => ({
      type: "response",
      atInMs,
      response: { status: status("Running", percentComplete), ageInMs },
    });
    const state = stateAfter(
      respondedWithAge(1000, 60_000, 10),
      respondedWithAge(3000, 90_000, 20),
      respondedWithAge(5000, 0, 30),
    );
    expect(state.ageAtStartInMs).toBe(59_000);
    expect(state.progress?.points.map(({ atInMs }) => atInMs)).toEqual([60_000, 62_000, 64_000]);
    expect(historyOf(state, 7000)).toEqual({
      elapsedInMs: 66_000,
      ageAtStartInMs: 59_000,
      pollCount: 3,
      status: "Running",
      percentComplete: 30,
      progress: state.progress,
    });
    expect(historyOf(initialState, 7000)).toMatchObject({ elapsedInMs: 7000, pollCount: 0 });
    expect(stateAfter(responded(1000, "Running"), respondedWithAge(2000, 60_000, 10)).ageAtStartInMs).toBe(0);
  });

  test("a response is a change when its state or its percentage is new", () => {
    const changes = (...events: PollEvent[]): boolean | undefined => stateAfter(...events).isChange;
    expect(changes(responded(0, "Running"))).toBe(true);
    expect(changes(responded(0, "Running"), responded(1, "Running"))).toBe(false);
    expect(changes(responded(0, "Running", 5), responded(1, "Running", 5))).toBe(false);
    expect(changes(responded(0, "Running", 5), responded(1, "Running", 6))).toBe(true);
    expect(changes(responded(0, "Running", 5), responded(1, "Updating", 5))).toBe(true);
    expect(changes(responded(0, "Running", 5), responded(1, "NotStarted", 4))).toBe(false);
  });

  test("the same percentage again is not stale", () => {
    expect(stateAfter(responded(0, "Running", 40), responded(1, "Running", 40)).staleResponseCount).toBe(0);
  });

  test("no running state follows a success whose result is pending, and no terminal state is stale", () => {
    const state = stateAfter(pendingResult(0), responded(1, "Running"), responded(2, "NotStarted"));
    expect(state).toMatchObject({ status: "Succeeded", staleResponseCount: 2, isResultPending: true });
    expect(stateAfter(pendingResult(0), responded(1, "Failed"))).toMatchObject({
      status: "Failed",
      staleResponseCount: 0,
    });
  });

  test("a success is complete when its result is there", () => {
    expect(
      [
        stateAfter(pendingResult(0)),
        stateAfter(pendingResult(0), responded(1, "Succeeded")),
        stateAfter(responded(0, "Running")),
      ].map(isComplete),
    ).toEqual([false, true, false]);
  });

  test("the Retry-After of a failed poll applies to poll(), that of a response does not", () => {
    expect(stateAfter(failed(0, "transient", 5000)).isRetryAfterOfFailure).toBe(true);
    expect(
      stateAfter(failed(0, "transient", 5000), responded(6000, "Running", undefined, 5000))
        .isRetryAfterOfFailure,
    ).toBeUndefined();
  });

  test("startedAgain removes the outage and the time of the last change, and nothing else", () => {
    const state = stateAfter(responded(0, "Running", 40), failed(5), failed(9));
    expect(startedAgain(state)).toEqual({
      ...state,
      failure: undefined,
      consecutiveFailures: 0,
      outageSinceInMs: undefined,
      changedAtInMs: undefined,
    });
  });

  test.each<[string, PollEvent[], number | undefined]>([
    ["no response", [failed(7)], undefined],
    ["the first response", [failed(7), responded(9, "Running")], 9],
    ["the same state", [responded(1, "Running", 40), responded(9, "Running", 40)], 1],
    ["a new state", [responded(1, "Creating"), responded(9, "Updating")], 9],
    ["a higher percentage", [responded(1, "Running", 40), responded(9, "Running", 40.5)], 9],
    ["a first percentage", [responded(1, "Running"), responded(9, "Running", 0)], 9],
    ["a lower percentage", [responded(1, "Running", 40), responded(9, "Running", 30)], 9],
    ["the same state in another case", [responded(1, "Updating"), responded(9, "updating")], 1],
    ["an older state", [responded(1, "Running"), responded(9, "NotStarted")], 1],
    ["a failed poll", [responded(1, "Running"), failed(9)], 1],
  ])("%s is at the last change at %3$s ms", (_, events, changedAtInMs) => {
    expect(stateAfter(...events).changedAtInMs).toBe(changedAtInMs);
  });

  test("a wait that starts again has its last change at its first response", () => {
    const state = startedAgain(stateAfter(responded(1, "Running", 40)));
    expect(transition(state, responded(9, "Running", 40)).changedAtInMs).toBe(9);
  });

  test("a wait that starts again does not stall before its first response", () => {
    const state = transition(startedAgain(stateAfter(responded(600_000, "Running"))), failed(600_001));
    const step = nextStep(state, 600_001, { ...rules, stallTimeoutInMs: 1000 }, fixed(2000), noJitter);
    expect(step).toMatchObject({ type: "wait" });
  });

  test("a terminal state is final", () => {
    const done = stateAfter(responded(0, "Succeeded"));
    expect(transition(done, responded(1, "Failed"))).toBe(done);
    expect(transition(done, failed(1))).toBe(done);
  });

  test("a failed poll changes only the counts", () => {
    expect(stateAfter(responded(0, "Running", 40), failed(5), failed(9))).toMatchObject({
      status: "Running",
      percentComplete: 40,
      pollCount: 3,
      failedPollCount: 2,
      consecutiveFailures: 2,
      outageSinceInMs: 5,
      responseCounts: { Running: 1, "503": 2 },
    });
  });

  test("a response ends an outage", () => {
    expect(stateAfter(failed(5), responded(9, "Running"))).toMatchObject({
      failedPollCount: 1,
      consecutiveFailures: 0,
    });
    expect(stateAfter(failed(5), responded(9, "Running")).outageSinceInMs).toBeUndefined();
  });

  test("names of object members are counted like other states, and at most 51 kinds are", () => {
    const words = ["constructor", "__proto__", ...Array.from({ length: 100 }, (_, index) => `Word${index}`)];
    const { responseCounts } = stateAfter(...words.map((word, index) => responded(index, word)));
    expect(Object.keys(responseCounts)).toHaveLength(51);
    expect(Object.entries(responseCounts)).toContainEqual(["__proto__", 1]);
    expect(responseCounts).toMatchObject({ constructor: 1, other: 52 });
  });
});

describe("the next step", () => {
  test.each(["Succeeded", "Failed", "Canceled"])("after %s stops polling", (word) => {
    expect(nextStepAfter([responded(0, word)])).toEqual({ type: "stop", reason: "terminal" });
  });

  test("after a running state comes from the schedule", () => {
    expect(nextStepAfter([responded(0, "Running")])).toEqual({
      type: "wait",
      delayInMs: 2000,
      until: "nextPoll",
    });
  });

  test("is never before the end of a Retry-After, which counts once", () => {
    expect(nextStepAfter([responded(0, "Running", undefined, 7000)])).toMatchObject({ delayInMs: 7000 });
    expect(
      nextStepAfter([responded(0, "Running", undefined, 7000), responded(7000, "Running")]),
    ).toMatchObject({
      delayInMs: 2000,
    });
  });

  test.each([Infinity, Number.MAX_VALUE, 86_400_001])(
    "is delayed by a Retry-After of %s for a day",
    (retryAfterInMs) => {
      expect(nextStepAfter([responded(0, "Running", undefined, retryAfterInMs)])).toMatchObject({
        delayInMs: 86_400_000,
      });
      expect(nextStepAfter([failed(0, "transient", retryAfterInMs)])).toMatchObject({
        delayInMs: 86_400_000,
      });
    },
  );

  test.each([NaN, -1, 0])("is not delayed by a Retry-After of %s", (retryAfterInMs) => {
    expect(nextStepAfter([responded(0, "Running", undefined, retryAfterInMs)])).toMatchObject({
      delayInMs: 2000,
    });
    expect(nextStepAfter([failed(0, "transient", retryAfterInMs)])).toMatchObject({ delayInMs: 1000 });
  });

  test("is up to 10 % later than the end of a Retry-After", () => {
    const step = nextStepAfter([responded(0, "Running", undefined, 7000)], {}, () => 1);
    expect(step.type === "wait" && step.delayInMs).toBeCloseTo(7700);
  });

  test("after failed polls has a backoff of a second, doubled each time, up to maxRetryDelayInMs", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((count) =>
      nextStepAfter(Array.from({ length: count }, () => failed(0))),
    );
    expect(delays.map((step) => step.type === "wait" && Math.round(step.delayInMs))).toEqual([
      1000, 2000, 4000, 8000, 16000, 27273, 27273,
    ]);
  });

  test("is stretched where it comes from the schedule, and nowhere else", () => {
    const stretched = (event: PollEvent): NextStep =>
      nextStep(stateAfter(event), event.atInMs, rules, fixed(2000), noJitter, 3);
    expect(stretched(responded(0, "Running"))).toMatchObject({ delayInMs: 6000 });
    expect(stretched(failed(0))).toMatchObject({ delayInMs: 1000 });
  });

  test("after a failed poll is never before the end of its Retry-After", () => {
    expect(nextStepAfter([failed(0, "transient", 60_000)])).toMatchObject({ delayInMs: 60_000 });
  });

  test("after only failures for the outage tolerance stops polling", () => {
    expect(nextStepAfter([failed(1), failed(300_000)])).toMatchObject({ type: "wait" });
    expect(nextStepAfter([failed(1), failed(300_001)])).toEqual({ type: "stop", reason: "pollingFailed" });
    expect(nextStepAfter([failed(1), responded(200_000, "Running"), failed(300_001)])).toMatchObject({
      type: "wait",
    });
  });

  test("after no change for the stall timeout stops polling", () => {
    const stallTimeoutInMs = 60_000;
    const stopped = { type: "stop", reason: "stalled" };
    const [first, before, after] = [1, 60_000, 60_001].map((atInMs) => responded(atInMs, "Deleting", 100));
    if (!first || !before || !after) throw new Error("expected three responses");
    expect(nextStepAfter([first, before], { stallTimeoutInMs })).toMatchObject({ type: "wait" });
    expect(nextStepAfter([first, after], { stallTimeoutInMs })).toEqual(stopped);
    expect(nextStepAfter([first, after])).toMatchObject({ type: "wait" });
    expect(nextStepAfter([first, failed(2), after], { stallTimeoutInMs })).toEqual(stopped);
  });

  test("after a change, a failed poll or a first response that come late is another poll", () => {
    const stallTimeoutInMs = 60_000;
    const first = responded(0, "Running", 40);
    for (const events of [
      [responded(600_000, "Running", 40)],
      [first, failed(120_000)],
      [first, responded(120_000, "Running", 41)],
      [first, responded(120_000, "Updating", 40)],
    ]) {
      expect(nextStepAfter(events, { stallTimeoutInMs })).toMatchObject({ type: "wait" });
    }
  });

  test("of a stall does not come before the end of a Retry-After that is longer", () => {
    const first = responded(0, "Running", undefined, 600_000);
    expect(nextStepAfter([first], { stallTimeoutInMs: 1000 })).toEqual({
      type: "wait",
      delayInMs: 600_000,
      until: "nextPoll",
    });
  });

  test("of a terminal state, a permanent failure or a deadline takes precedence over a stall", () => {
    const first = responded(0, "Running");
    const reasonOf = (event: PollEvent, deadlineInMs = Infinity): NextStep =>
      nextStepAfter([first, event], { stallTimeoutInMs: 1000, deadlineInMs });
    expect(reasonOf(responded(5000, "Succeeded"))).toMatchObject({ reason: "terminal" });
    expect(reasonOf(failed(5000, "permanent"))).toMatchObject({ reason: "pollingFailed" });
    expect(reasonOf(responded(5000, "Running"), 5000)).toMatchObject({ reason: "timedOut" });
  });

  test("after a permanent failure stops polling at once", () => {
    expect(nextStepAfter([failed(0, "permanent")])).toEqual({ type: "stop", reason: "pollingFailed" });
  });

  test("after a 404 is another poll in the grace period, and stops polling later", () => {
    expect(nextStepAfter([failed(29_999, "notFound")])).toMatchObject({ type: "wait" });
    expect(nextStepAfter([failed(30_000, "notFound")])).toEqual({ type: "stop", reason: "notFound" });
  });

  test("after a success whose result is elsewhere is the poll for it, at once", () => {
    expect(nextStepAfter([pendingResult(0)])).toEqual({ type: "wait", delayInMs: 0, until: "nextPoll" });
  });

  test("after a 404 for the result is another poll during the grace period, which starts with the first of them", () => {
    const [since, until] = [100_000, 130_000];
    expect(nextStepAfter([pendingResult(99_000), failed(since, "notFound")])).toMatchObject({ type: "wait" });
    expect(
      nextStepAfter([pendingResult(99_000), failed(since, "notFound"), failed(until - 1, "notFound")]),
    ).toMatchObject({
      type: "wait",
    });
    expect(
      nextStepAfter([pendingResult(99_000), failed(since, "notFound"), failed(until, "notFound")]),
    ).toEqual({
      type: "stop",
      reason: "pollingFailed",
    });
    expect(nextStepAfter([pendingResult(99_000), failed(since), failed(until)])).toMatchObject({
      type: "wait",
    });
  });

  test("moves a poll after the deadline to shortly before it", () => {
    expect(nextStepAfter([responded(0, "Running")], { deadlineInMs: 2001 })).toMatchObject({
      delayInMs: 2000,
    });
    expect(nextStepAfter([responded(0, "Running")], { deadlineInMs: 2000 })).toMatchObject({
      delayInMs: 1000,
      until: "nextPoll",
    });
    expect(nextStepAfter([responded(0, "Running")], { deadlineInMs: 1500 })).toEqual({
      type: "wait",
      delayInMs: 1500,
      until: "deadline",
    });
    expect(nextStepAfter([responded(5000, "Running")], { deadlineInMs: 7000 })).toEqual({
      type: "wait",
      delayInMs: 1000,
      until: "nextPoll",
    });
  });

  test("is the deadline where a Retry-After ends after it", () => {
    expect(nextStepAfter([responded(0, "Running", undefined, 9500)], { deadlineInMs: 10_000 })).toMatchObject(
      {
        delayInMs: 9500,
        until: "nextPoll",
      },
    );
    expect(
      nextStepAfter([responded(0, "Running", undefined, 11_000)], { deadlineInMs: 10_000 }),
    ).toMatchObject({
      delayInMs: 10_000,
      until: "deadline",
    });
  });

  test("at the deadline stops polling", () => {
    expect(nextStepAfter([responded(10_000, "Running")], { deadlineInMs: 10_000 })).toEqual({
      type: "stop",
      reason: "timedOut",
    });
  });

  test("of a wait that continues waits for the end of an earlier Retry-After", () => {
    const state = stateAfter(responded(1000, "Running", undefined, 5000));
    expect(firstStep(state, 2000, rules)).toMatchObject({ delayInMs: 4000 });
    expect(firstStep(state, 8000, rules)).toMatchObject({ delayInMs: 0 });
    expect(firstStep(state, 8000, { ...rules, deadlineInMs: 10_000 }, 1500)).toMatchObject({
      delayInMs: 1500,
    });
    expect(firstStep(state, 8000, { ...rules, deadlineInMs: 9500 }, 1500)).toMatchObject({
      until: "deadline",
    });
  });
});

const word = fc.constantFrom("NotStarted", "Running", "Creating", "Succeeded", "Failed", "Canceled");
const retryAfter = fc.option(fc.double({ min: 1, max: 1e9, noNaN: true }), { nil: undefined });
const event = fc.oneof(
  fc.tuple(word, fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }), retryAfter).map(
    ([state, percent, retryAfterInMs]) =>
      (atInMs: number) =>
        responded(atInMs, state, percent, retryAfterInMs),
  ),
  fc.tuple(fc.constantFrom<RequestErrorKind>("transient", "notFound", "permanent"), retryAfter).map(
    ([kind, retryAfterInMs]) =>
      (atInMs: number) =>
        failed(atInMs, kind, retryAfterInMs),
  ),
);
const history = fc
  .array(fc.tuple(event, fc.integer({ min: 0, max: 60_000 })), { minLength: 1 })
  .map((entries) => {
    let atInMs = 0;
    return entries.map(([make, gapInMs]) => make((atInMs += gapInMs)));
  });

describe("after any events", () => {
  test("the percentage never falls and the state never moves back", () => {
    const rank = (state: PollState): number =>
      ["NotStarted", "Running", "Succeeded"].indexOf(
        state.status === "Creating" ? "Running" : (state.status ?? ""),
      );
    fc.assert(
      fc.property(history, (events) => {
        let state: PollState = initialState;
        for (const next of events) {
          const before = state;
          state = transition(state, next);
          expect(state.percentComplete ?? -1).toBeGreaterThanOrEqual(before.percentComplete ?? -1);
          if (rank(state) >= 0) expect(rank(state)).toBeGreaterThanOrEqual(rank(before));
        }
      }),
    );
  });

  test("no poll comes after a terminal state, before the end of a Retry-After, or after the deadline", () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(history, random, fc.integer({ min: 1, max: 1e6 }), (events, chance, deadlineInMs) => {
        const state = stateAfter(...events);
        const elapsedInMs = events.at(-1)?.atInMs ?? 0;
        const step = nextStep(state, elapsedInMs, { ...rules, deadlineInMs }, fixed(2000), () => chance);
        const isTerminal = ["Succeeded", "Failed", "Canceled"].includes(state.status ?? "");
        expect(isTerminal).toBe(step.type === "stop" && step.reason === "terminal");
        if (step.type === "stop") return;
        expect(elapsedInMs + step.delayInMs).toBeLessThanOrEqual(deadlineInMs);
        if (step.until === "nextPoll")
          expect(step.delayInMs).toBeGreaterThanOrEqual(retryAfterLeftInMs(state, elapsedInMs));
      }),
    );
  });
});
