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
  withoutOutage,
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

function answered(
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

function after(...events: PollEvent[]): PollState {
  return events.reduce<PollState>(transition, initialState);
}

const rules: PollRules = {
  deadlineInMs: Infinity,
  outageToleranceInMs: 300_000,
  notFoundGraceInMs: 30_000,
  maxRetryDelayInMs: 30_000,
};
const leastRandom = (): number => 0;

function stepAfter(events: PollEvent[], override: Partial<PollRules> = {}, random = leastRandom): NextStep {
  const elapsedInMs = events.at(-1)?.atInMs ?? 0;
  return nextStep(after(...events), elapsedInMs, { ...rules, ...override }, fixed(2000), random);
}

describe("transitions", () => {
  test("an answer moves the state on and remembers the one before", () => {
    expect(after(answered(0, "NotStarted"), answered(1, "Running", 10))).toMatchObject({
      status: "Running",
      previousStatus: "NotStarted",
      percentComplete: 10,
      pollCount: 2,
      staleResponseCount: 0,
      responseCounts: { NotStarted: 1, Running: 1 },
    });
  });

  test("a state never moves back, and the stale answer is counted", () => {
    const state = after(answered(0, "Running"), answered(1, "NotStarted"));
    expect(state).toMatchObject({ status: "Running", staleResponseCount: 1, pollCount: 2 });
    expect(state.latest?.status).toBe("Running");
  });

  test("the percentage never falls, and the stale answer is counted", () => {
    expect(after(answered(0, "Running", 40), answered(1, "Running", 30))).toMatchObject({
      percentComplete: 40,
      staleResponseCount: 1,
    });
  });

  test("an answer without a percentage keeps the one before", () => {
    expect(after(answered(0, "Running", 40), answered(1, "Running"))).toMatchObject({
      percentComplete: 40,
      staleResponseCount: 0,
    });
  });

  test("one running word may follow another", () => {
    expect(after(answered(0, "Creating"), answered(1, "Updating"))).toMatchObject({
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
  ])(
    "an age of %s ms, told a second after the begin, is a head start of %s ms",
    (ageInMs, ageAtStartInMs) => {
      const response = { status: status("Running"), ageInMs };
      expect(after({ type: "response", atInMs: 1000, response })).toMatchObject({ ageAtStartInMs });
    },
  );

  test("the age is told once, by the first answer, and moves the operation's progress back in time", () => {
    const told = (atInMs: number, ageInMs: number, percentComplete: number): PollEvent => ({
      type: "response",
      atInMs,
      response: { status: status("Running", percentComplete), ageInMs },
    });
    const state = after(told(1000, 60_000, 10), told(3000, 90_000, 20), told(5000, 0, 30));
    expect(state.ageAtStartInMs).toBe(59_000);
    expect(state.progress?.points.map(({ atInMs }) => atInMs)).toEqual([60_000, 62_000, 64_000]);
    expect(historyOf(state, 7000)).toEqual({
      elapsedInMs: 66_000,
      pollCount: 3,
      status: "Running",
      percentComplete: 30,
      progress: state.progress,
    });
    expect(historyOf(initialState, 7000)).toMatchObject({ elapsedInMs: 7000, pollCount: 0 });
    expect(after(answered(1000, "Running"), told(2000, 60_000, 10)).ageAtStartInMs).toBe(0);
  });

  test("an answer is a change when its state or its percentage is new", () => {
    const changes = (...events: PollEvent[]): boolean | undefined => after(...events).isChange;
    expect(changes(answered(0, "Running"))).toBe(true);
    expect(changes(answered(0, "Running"), answered(1, "Running"))).toBe(false);
    expect(changes(answered(0, "Running", 5), answered(1, "Running", 5))).toBe(false);
    expect(changes(answered(0, "Running", 5), answered(1, "Running", 6))).toBe(true);
    expect(changes(answered(0, "Running", 5), answered(1, "Updating", 5))).toBe(true);
    expect(changes(answered(0, "Running", 5), answered(1, "NotStarted", 4))).toBe(false);
  });

  test("the same percentage again is not stale", () => {
    expect(after(answered(0, "Running", 40), answered(1, "Running", 40)).staleResponseCount).toBe(0);
  });

  test("nothing that goes on follows an end whose result is pending, and no end is stale", () => {
    const state = after(pendingResult(0), answered(1, "Running"), answered(2, "NotStarted"));
    expect(state).toMatchObject({ status: "Succeeded", staleResponseCount: 2, isResultPending: true });
    expect(after(pendingResult(0), answered(1, "Failed"))).toMatchObject({
      status: "Failed",
      staleResponseCount: 0,
    });
  });

  test("a success is settled when its result is there", () => {
    expect(
      [
        after(pendingResult(0)),
        after(pendingResult(0), answered(1, "Succeeded")),
        after(answered(0, "Running")),
      ].map(isComplete),
    ).toEqual([false, true, false]);
  });

  test("a failed read holds back whoever asks for one now, an answer does not", () => {
    expect(after(failed(0, "transient", 5000)).isRetryAfterOfFailure).toBe(true);
    expect(
      after(failed(0, "transient", 5000), answered(6000, "Running", undefined, 5000)).isRetryAfterOfFailure,
    ).toBeUndefined();
  });

  test("an outage is forgiven, and nothing else is", () => {
    const state = after(answered(0, "Running", 40), failed(5), failed(9));
    expect(withoutOutage(state)).toEqual({
      ...state,
      failure: undefined,
      consecutiveFailures: 0,
      outageSinceInMs: undefined,
    });
  });

  test("a terminal state is final", () => {
    const done = after(answered(0, "Succeeded"));
    expect(transition(done, answered(1, "Failed"))).toBe(done);
    expect(transition(done, failed(1))).toBe(done);
  });

  test("a failed read changes nothing but the counts", () => {
    expect(after(answered(0, "Running", 40), failed(5), failed(9))).toMatchObject({
      status: "Running",
      percentComplete: 40,
      pollCount: 3,
      failedPollCount: 2,
      consecutiveFailures: 2,
      outageSinceInMs: 5,
      responseCounts: { Running: 1, "503": 2 },
    });
  });

  test("an answer ends an outage", () => {
    expect(after(failed(5), answered(9, "Running"))).toMatchObject({
      failedPollCount: 1,
      consecutiveFailures: 0,
    });
    expect(after(failed(5), answered(9, "Running")).outageSinceInMs).toBeUndefined();
  });

  test("words of an object's own are counted like others, and not more than 51 kinds", () => {
    const words = ["constructor", "__proto__", ...Array.from({ length: 100 }, (_, index) => `Word${index}`)];
    const { responseCounts } = after(...words.map((word, index) => answered(index, word)));
    expect(Object.keys(responseCounts)).toHaveLength(51);
    expect(Object.entries(responseCounts)).toContainEqual(["__proto__", 1]);
    expect(responseCounts).toMatchObject({ constructor: 1, other: 52 });
  });
});

describe("the next step", () => {
  test.each(["Succeeded", "Failed", "Canceled"])("after %s is the end", (word) => {
    expect(stepAfter([answered(0, word)])).toEqual({ type: "stop", reason: "terminal" });
  });

  test("after a running answer comes from the schedule", () => {
    expect(stepAfter([answered(0, "Running")])).toEqual({ type: "wait", delayInMs: 2000, until: "nextPoll" });
  });

  test("is never before Retry-After, which counts for one wait", () => {
    expect(stepAfter([answered(0, "Running", undefined, 7000)])).toMatchObject({ delayInMs: 7000 });
    expect(stepAfter([answered(0, "Running", undefined, 7000), answered(7000, "Running")])).toMatchObject({
      delayInMs: 2000,
    });
  });

  test.each([Infinity, Number.MAX_VALUE, 86_400_001])(
    "is put off by a Retry-After of %s for a day",
    (retryAfterInMs) => {
      expect(stepAfter([answered(0, "Running", undefined, retryAfterInMs)])).toMatchObject({
        delayInMs: 86_400_000,
      });
      expect(stepAfter([failed(0, "transient", retryAfterInMs)])).toMatchObject({ delayInMs: 86_400_000 });
    },
  );

  test.each([NaN, -1, 0])("is not put off by a Retry-After of %s", (retryAfterInMs) => {
    expect(stepAfter([answered(0, "Running", undefined, retryAfterInMs)])).toMatchObject({
      delayInMs: 2000,
    });
    expect(stepAfter([failed(0, "transient", retryAfterInMs)])).toMatchObject({ delayInMs: 1000 });
  });

  test("spreads a Retry-After upward by a tenth", () => {
    const step = stepAfter([answered(0, "Running", undefined, 7000)], {}, () => 1);
    expect(step.type === "wait" && step.delayInMs).toBeCloseTo(7700);
  });

  test("after failed reads backs off from a second, doubling, to maxRetryDelayInMs", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((count) =>
      stepAfter(Array.from({ length: count }, () => failed(0))),
    );
    expect(delays.map((step) => step.type === "wait" && Math.round(step.delayInMs))).toEqual([
      1000, 2000, 4000, 8000, 16000, 27273, 27273,
    ]);
  });

  test("is stretched where the schedule says it, and nowhere else", () => {
    const stretched = (event: PollEvent): NextStep =>
      nextStep(after(event), event.atInMs, rules, fixed(2000), leastRandom, 3);
    expect(stretched(answered(0, "Running"))).toMatchObject({ delayInMs: 6000 });
    expect(stretched(failed(0))).toMatchObject({ delayInMs: 1000 });
  });

  test("after a failed read is never before its Retry-After", () => {
    expect(stepAfter([failed(0, "transient", 60_000)])).toMatchObject({ delayInMs: 60_000 });
  });

  test("after nothing but failures for the outage tolerance is the end", () => {
    expect(stepAfter([failed(1), failed(300_000)])).toMatchObject({ type: "wait" });
    expect(stepAfter([failed(1), failed(300_001)])).toEqual({ type: "stop", reason: "pollingFailed" });
    expect(stepAfter([failed(1), answered(200_000, "Running"), failed(300_001)])).toMatchObject({
      type: "wait",
    });
  });

  test("after a refused read is the end at once", () => {
    expect(stepAfter([failed(0, "permanent")])).toEqual({ type: "stop", reason: "pollingFailed" });
  });

  test("after a 404 is another read in the grace period, and the end later", () => {
    expect(stepAfter([failed(29_999, "notFound")])).toMatchObject({ type: "wait" });
    expect(stepAfter([failed(30_000, "notFound")])).toEqual({ type: "stop", reason: "notFound" });
  });

  test("after a success whose result is elsewhere is its read, at once", () => {
    expect(stepAfter([pendingResult(0)])).toEqual({ type: "wait", delayInMs: 0, until: "nextPoll" });
  });

  test("after a 404 for the result is another read for as long as the grace period, from the first of them", () => {
    const [since, until] = [100_000, 130_000];
    expect(stepAfter([pendingResult(99_000), failed(since, "notFound")])).toMatchObject({ type: "wait" });
    expect(
      stepAfter([pendingResult(99_000), failed(since, "notFound"), failed(until - 1, "notFound")]),
    ).toMatchObject({
      type: "wait",
    });
    expect(stepAfter([pendingResult(99_000), failed(since, "notFound"), failed(until, "notFound")])).toEqual({
      type: "stop",
      reason: "pollingFailed",
    });
    expect(stepAfter([pendingResult(99_000), failed(since), failed(until)])).toMatchObject({ type: "wait" });
  });

  test("that would come after the deadline comes shortly before it", () => {
    expect(stepAfter([answered(0, "Running")], { deadlineInMs: 2001 })).toMatchObject({ delayInMs: 2000 });
    expect(stepAfter([answered(0, "Running")], { deadlineInMs: 2000 })).toMatchObject({
      delayInMs: 1000,
      until: "nextPoll",
    });
    expect(stepAfter([answered(0, "Running")], { deadlineInMs: 1500 })).toEqual({
      type: "wait",
      delayInMs: 1500,
      until: "deadline",
    });
    expect(stepAfter([answered(5000, "Running")], { deadlineInMs: 7000 })).toEqual({
      type: "wait",
      delayInMs: 1000,
      until: "nextPoll",
    });
  });

  test("that Retry-After puts after the deadline is the deadline", () => {
    expect(stepAfter([answered(0, "Running", undefined, 9500)], { deadlineInMs: 10_000 })).toMatchObject({
      delayInMs: 9500,
      until: "nextPoll",
    });
    expect(stepAfter([answered(0, "Running", undefined, 11_000)], { deadlineInMs: 10_000 })).toMatchObject({
      delayInMs: 10_000,
      until: "deadline",
    });
  });

  test("at the deadline is the end", () => {
    expect(stepAfter([answered(10_000, "Running")], { deadlineInMs: 10_000 })).toEqual({
      type: "stop",
      reason: "timedOut",
    });
  });

  test("of a wait that goes on heeds the Retry-After from before", () => {
    const state = after(answered(1000, "Running", undefined, 5000));
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
    ([state, percent, hold]) =>
      (atInMs: number) =>
        answered(atInMs, state, percent, hold),
  ),
  fc.tuple(fc.constantFrom<RequestErrorKind>("transient", "notFound", "permanent"), retryAfter).map(
    ([kind, hold]) =>
      (atInMs: number) =>
        failed(atInMs, kind, hold),
  ),
);
const history = fc
  .array(fc.tuple(event, fc.integer({ min: 0, max: 60_000 })), { minLength: 1 })
  .map((entries) => {
    let atInMs = 0;
    return entries.map(([make, gapInMs]) => make((atInMs += gapInMs)));
  });

describe("whatever happens", () => {
  test("the percentage only rises and the state only moves on", () => {
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

  test("there is no read after a terminal state, none before Retry-After, none after the deadline", () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(history, random, fc.integer({ min: 1, max: 1e6 }), (events, chance, deadlineInMs) => {
        const state = after(...events);
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
