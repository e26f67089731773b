import { setImmediate as nextMacrotask } from "node:timers/promises";
import { describe, expect, it, test } from "vitest";
import { pollUntilDone, adaptive, systemClock } from "lro-poller";
import type { PastDuration, PollOptions, Progress } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { fastClock } from "../support/clock.ts";
import { MemoryStore, historyWithWarnings } from "./support.ts";

const random = (): number => 0;
const startTime = "2025-01-01T10:00:00Z";
const endTime = "2025-01-01T10:00:42.5Z";
const inTenSeconds = { retryAfterInMs: 10_000 };
const running = { status: "Running", ...inTenSeconds };

/** Waits for an operation of the kind `any`, and returns the past durations of the kind afterwards. */
async function durationsAfter(
  replies: readonly ScriptedReply[],
  options: PollOptions = {},
): Promise<readonly PastDuration[]> {
  const clock = createVirtualClock();
  const { history, warnings } = historyWithWarnings();
  const wait = history.pollUntilDone("any", scriptedOperation(replies), { clock, random, ...options });
  await clock.runUntilSettled(wait.catch(() => {}));
  expect(warnings).toEqual([]);
  return history.pastDurations("any");
}

describe("the recorded duration is", () => {
  it.each([
    ["Succeeded", 42_500],
    ["Failed", { failedAfterInMs: 42_500 }],
  ])("that of the service's times, after %s", async (status, duration) => {
    expect(await durationsAfter([running, { status, startTime, endTime }])).toEqual([duration]);
  });

  it("that of the wait, without the service's times, if the operation started during the wait", async () => {
    const notStarted = { status: "NotStarted", ...inTenSeconds };
    expect(await durationsAfter([notStarted, running, { status: "Succeeded", startTime }])).toEqual([20_000]);
  });

  it("missing, without the service's times, if the operation was running already", async () => {
    expect(await durationsAfter([running, running, "Succeeded"])).toEqual([]);
  });

  it("missing if the operation was terminal already", async () => {
    expect(await durationsAfter([{ status: "Succeeded", startTime, endTime }])).toEqual([]);
  });

  it("missing if the operation was canceled", async () => {
    expect(await durationsAfter([running, { status: "Canceled", startTime, endTime }])).toEqual([]);
  });

  it("that of the wait, if the service's times are reversed", async () => {
    const notStarted = { status: "NotStarted", ...inTenSeconds };
    const reversed = { status: "Succeeded", startTime: endTime, endTime: startTime };
    expect(await durationsAfter([notStarted, reversed])).toEqual([10_000]);
  });

  it("that of the wait, if the service's times are ages apart", async () => {
    const notStarted = { status: "NotStarted", ...inTenSeconds };
    const forAges = { status: "Succeeded", startTime: "0001-01-01T00:00:00Z", endTime };
    expect(await durationsAfter([notStarted, forAges])).toEqual([10_000]);
  });

  it("at least that of the wait if it ended before the operation", async () => {
    const notStarted = { status: "NotStarted", ...inTenSeconds };
    const atLeastInMs = 10_000;
    expect(await durationsAfter([notStarted, running], { timeoutInMs: 15_000 })).toEqual([{ atLeastInMs }]);
    const aborting = new AbortController();
    const onProgress = ({ elapsedInMs }: Progress): void => {
      if (elapsedInMs > 0) aborting.abort();
    };
    const options = { abortSignal: aborting.signal, onProgress };
    expect(await durationsAfter([notStarted, running], options)).toEqual([{ atLeastInMs }]);
  });

  it("missing if the wait ended before the first response", async () => {
    const notStarted = { status: "NotStarted", ...inTenSeconds };
    const abortSignal = AbortSignal.abort(new Error("enough"));
    expect(await durationsAfter([notStarted], { abortSignal })).toEqual([]);
  });
});

test("an operation that the wait started is timed from the initial response", async () => {
  const clock = createVirtualClock();
  const { history } = historyWithWarnings();
  const options = await history.options("any", { clock, random });
  options.onStarted?.({ statusCode: 201, headers: {}, body: undefined });
  await clock.advance(60_000);
  const wait = pollUntilDone(scriptedOperation([running, "Succeeded"]), options);
  await clock.runUntilSettled(wait);
  await history.settled();
  expect(await history.pastDurations("any")).toEqual([70_000]);
});

test("a result does not wait until its duration is written; settled() does", async () => {
  const events: string[] = [];
  const store = new MemoryStore();
  store.write = async () => {
    for (let turns = 0; turns < 5; turns++) await nextMacrotask();
    events.push("written");
  };
  const { history } = historyWithWarnings(store);
  const operation = scriptedOperation([running, { status: "Succeeded", startTime, endTime }]);
  await history.pollUntilDone("any", operation, { clock: fastClock(systemClock) });
  events.push("over");
  await history.settled();
  expect(events).toEqual(["over", "written"]);
});

test("a success whose result is still pending is recorded once", async () => {
  const clock = createVirtualClock();
  const { history } = historyWithWarnings();
  const status = { id: "/1", name: "1", status: "Running", startTime: new Date(0), endTime: new Date(9000) };
  const succeeded = { ...status, status: "Succeeded" };
  const responses = [{ status }, { status: succeeded, isResultPending: true }, { status: succeeded }];
  const getStatus = async (): Promise<(typeof responses)[number]> => responses.shift() ?? { status };
  await clock.runUntilSettled(
    history.pollUntilDone("any", { id: "1", getStatus, toJSON: () => ({}) }, { clock }),
  );
  expect(await history.pastDurations("any")).toEqual([9000]);
});

const past = Array.from({ length: 20 }, (_, i) => 58_000 + 200 * i);

async function historyOf(kind: string): Promise<ReturnType<typeof historyWithWarnings>> {
  const known = historyWithWarnings();
  for (const duration of past) await known.history.record(kind, duration);
  return known;
}

/** An operation that takes a minute of the clock. */
function minute(clock: VirtualClock, fields: object = {}): ReturnType<typeof scriptedOperation> {
  const reply = (): { status: string } => ({
    ...fields,
    status: clock.now() < 60_000 ? "Running" : "Succeeded",
  });
  return scriptedOperation(
    Array.from({ length: 100 }, () => reply),
    { clock },
  );
}

describe("a wait with a history", () => {
  it("has the past durations of its kind", async () => {
    const { history } = await historyOf("any");
    const options = { pollCostInMs: 2000, pastDurationsInMs: [70_000] };
    expect(await history.options("any", options)).toMatchObject({
      pollCostInMs: 2000,
      pastDurationsInMs: [70_000, ...past],
    });
    expect(await history.options("other")).toMatchObject({ pastDurationsInMs: [] });
  });

  it("polls when the past durations suggest", async () => {
    const { history } = await historyOf("any");
    const [clock, otherClock] = [createVirtualClock(), createVirtualClock()];
    const [informed, uninformed] = [minute(clock), minute(otherClock)];
    await clock.runUntilSettled(history.pollUntilDone("any", informed, { clock, random }));
    await otherClock.runUntilSettled(pollUntilDone(uninformed, { clock: otherClock, random }));
    const firstGap = adaptive({ pastDurationsInMs: past })({ elapsedInMs: 0, pollCount: 1 }, random);
    expect(informed.polls[1]?.startedAt).toBe(Math.ceil(firstGap));
    expect(informed.polls.length).toBeLessThan(uninformed.polls.length);
  });

  it("finds its kind in the first response, and uses its past durations from then on", async () => {
    const clock = createVirtualClock();
    const { history } = await historyOf("devboxes");
    const seen: Progress[] = [];
    const kindOf = ({ resourceId = "" }: { readonly resourceId?: string | undefined }): string =>
      resourceId.split("/").at(-2) ?? "";
    const options = { clock, random, onProgress: (progress: Progress) => seen.push(progress) };
    const operation = minute(clock, { resourceId: "/projects/p/users/u/devboxes/d", startTime, endTime });
    await clock.runUntilSettled(history.pollUntilDone(kindOf, operation, options));
    const [first, second] = seen;
    const atFirst = adaptive()({ elapsedInMs: 0, pollCount: 1 }, random);
    expect(first).toMatchObject({ nextPollInMs: Math.ceil(atFirst), estimatedRemainingInMs: undefined });
    const { elapsedInMs = 0, pollCount = 0 } = second ?? {};
    const expected = adaptive({ pastDurationsInMs: past });
    expect(second?.nextPollInMs).toBe(Math.ceil(expected({ elapsedInMs, pollCount }, random)));
    expect(second?.estimatedRemainingInMs).toBe(
      expected.estimate?.({ elapsedInMs, pollCount })?.estimatedRemainingInMs,
    );
    expect(await history.pastDurations("devboxes")).toEqual([...past, 42_500]);
  });

  it("keeps the user's own callbacks and schedule", async () => {
    const clock = createVirtualClock();
    const { history } = await historyOf("any");
    const seen: unknown[] = [];
    const options = await history.options(() => "any", {
      clock,
      schedule: () => 7000,
      onStarted: ({ statusCode }) => seen.push(statusCode),
      onProgress: ({ nextPollInMs }) => seen.push(nextPollInMs),
    });
    options.onStarted?.({ statusCode: 201, headers: {}, body: undefined });
    await clock.runUntilSettled(
      pollUntilDone(scriptedOperation(["Running", "Running", "Succeeded"]), options),
    );
    expect(seen).toEqual([201, 7000, 7000, undefined]);
  });

  it("does not end if a function finds no kind", async () => {
    const clock = createVirtualClock();
    const { history, warnings } = historyWithWarnings();
    const seen: string[] = [];
    const kindOf = (): never => {
      throw new TypeError("no resourceId");
    };
    const options = { clock, onProgress: ({ status }: Progress) => seen.push(status) };
    const operation = scriptedOperation([running, { status: "Succeeded", startTime, endTime }]);
    await clock.runUntilSettled(history.pollUntilDone(kindOf, operation, options));
    expect(seen).toEqual(["Running", "Succeeded"]);
    expect(warnings).toEqual([expect.stringMatching(/^Operation "[-\w]+" has no kind: no resourceId$/)]);
  });

  it("records under a kind that is found late", async () => {
    const clock = createVirtualClock();
    const { history, warnings } = historyWithWarnings();
    const kindOf = ({ status }: { readonly status: string }): string => {
      if (status === "Succeeded") return "late";
      throw new Error("not yet");
    };
    const operation = scriptedOperation([running, { status: "Succeeded", startTime, endTime }]);
    await clock.runUntilSettled(history.pollUntilDone(kindOf, operation, { clock }));
    expect(await history.pastDurations("late")).toEqual([42_500]);
    expect(warnings).toHaveLength(1);
  });

  it("does not end if its store fails", async () => {
    const clock = createVirtualClock();
    const store = new MemoryStore();
    store.error = new Error("the disk is on fire");
    const { history, warnings } = historyWithWarnings(store);
    const operation = scriptedOperation([
      running,
      { status: "Succeeded", properties: 42, startTime, endTime },
    ]);
    expect(await clock.runUntilSettled(history.pollUntilDone("any", operation, { clock }))).toBe(42);
    expect(warnings).toEqual([
      "The past durations cannot be read: the disk is on fire",
      'The duration of operation kind "any" was not recorded: the disk is on fire',
    ]);
  });

  it("does not end if the callback for warnings throws", async () => {
    const onWarning = (): never => {
      throw new Error("not now");
    };
    const { history } = historyWithWarnings(new MemoryStore("damaged"), { onWarning });
    expect(await history.options("any")).toMatchObject({ pastDurationsInMs: [] });
  });
});
