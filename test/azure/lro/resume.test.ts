import { describe, expect, test } from "vitest";
import { PollingError, PollingTimeoutError, createPoller } from "lro-poller";
import type { Clock, Poller, Progress, ResumeToken } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { Simulated } from "./support.ts";
import { down } from "../../support/scripted-poller.ts";
import { settled, rejection } from "../../support/rejections.ts";
import { elsewhere, evenly, freshToken, setUp, status } from "./resume-support.ts";
import type { Setting } from "./resume-support.ts";

const running = status("Running");
const succeeded = status("Succeeded", { properties: 1 });
const minuteInMs = 60_000;
const dayInMs = 86_400_000;

/** Waits for a while, and then does not: as if the process had been killed. Gives its last token. */
async function killedAfter(durationInMs: number, { poller, clock }: Setting): Promise<string> {
  const end = new AbortController();
  const wait = settled(poller.pollUntilDone({ abortSignal: end.signal }));
  await clock.advance(durationInMs);
  const token = JSON.stringify(poller);
  end.abort();
  await wait;
  return token;
}

describe("a resumed wait", () => {
  test("has the elapsed time, the counts and the highest percentage of the one before", async () => {
    const setting = setUp([
      status("Running", { percentComplete: 60 }),
      running,
      down(),
      status("Running", { percentComplete: 50 }),
      succeeded,
    ]);
    const token = await killedAfter(2500, setting);
    await setting.clock.advance(10_000);
    const clock = elsewhere(setting.clock);
    const resumed = setting.client.resume(token, evenly(clock));
    expect(resumed).toMatchObject({ status: "Running", isDone: false });
    const seen: Progress[] = [];
    resumed.onProgress((progress) => seen.push(progress));
    expect(await setting.clock.runUntilSettled(resumed.pollUntilDone())).toBe(1);
    expect(seen[0]).toMatchObject({
      elapsedInMs: 12_500,
      percentComplete: 60,
      previousStatus: "Running",
      changed: false,
      pollCount: 4,
      failedPollCount: 1,
    });
  });

  test("continues with the estimate and the polling interval of the percentage so far", async () => {
    const bar = Array.from({ length: 12 }, (_, tens) => status("Running", { percentComplete: 8 * tens + 2 }));
    const whole = setUp(bar, { schedule: everyMinute });
    await killedAfter(11.5 * minuteInMs, whole);
    const parted = setUp(bar, { schedule: everyMinute });
    const token = await killedAfter(10.5 * minuteInMs, parted);
    const clock = elsewhere(parted.clock);
    const resumed = parted.client.resume(token, { clock, random: () => 0 });
    await parted.clock.advance(minuteInMs / 2);
    const progress = await parted.clock.runUntilSettled(resumed.poll());
    const expected = await latestOf(whole.poller);
    expect(expected.estimatedRemainingInMs).toBeGreaterThan(0);
    expect(progress.estimatedRemainingInMs).toBeCloseTo(expected.estimatedRemainingInMs ?? NaN, -2);
    const unknowing = parted.client.resume({ ...JSON.parse(token), progress: undefined });
    expect(unknowing.toJSON().progress).toBeUndefined();
    expect(resumed.toJSON().progress?.points).toHaveLength(32);
  });
});

function everyMinute(): number {
  return minuteInMs;
}

function latestOf(poller: Poller): Promise<Progress> {
  return new Promise((resolve) => poller.onProgress(resolve));
}

test("a percentage that does not move is no new level for a resumed wait, however many its decimals", async () => {
  const third = status("Running", { percentComplete: 100 / 3 });
  const setting = setUp([third, third, succeeded]);
  const token = await killedAfter(500, setting);
  const resumed = setting.client.resume(token, evenly(elsewhere(setting.clock)));
  await resumed.poll();
  expect(resumed.toJSON().progress?.points).toHaveLength(4);
});

test("the token of a version that kept twelve levels continues with the newest eight", async () => {
  const levels = Array.from({ length: 12 }, (_, i) => [30 * (i + 1), 30, 5 * (i + 1), 1]);
  const points = levels.flat();
  const progress: ResumeToken["progress"] = { latest: 360, quantum: 5, roughness: [0, 10], points };
  const setting = setUp([status("Running", { percentComplete: 65 }), succeeded]);
  const token = { ...freshToken, savedAt: freshToken.startedAt + 360_000, percentComplete: 60, progress };
  const resumed = setting.client.resume(token, evenly(setting.clock));
  expect(resumed.toJSON().progress).toEqual({ ...progress, points: levels.slice(-8).flat() });
  const update = await setting.clock.runUntilSettled(resumed.poll());
  expect(update.percentComplete).toBe(65);
  expect(resumed.toJSON().progress?.points).toHaveLength(32);
});

describe("the timeout of a resumed wait", () => {
  const timeoutInMs = 20_000;

  async function resumedAfter(
    pauseInMs: number,
    options = {},
  ): Promise<Setting & { readonly resumed: Poller }> {
    const setting = setUp(
      Array.from({ length: 200 }, () => running),
      { timeoutInMs },
    );
    const token = await killedAfter(4500, setting);
    await setting.clock.advance(pauseInMs);
    const clock = elsewhere(setting.clock);
    return { ...setting, resumed: setting.client.resume(token, evenly(clock, options)) };
  }

  async function timeOf({ clock, resumed }: Setting & { readonly resumed: Poller }): Promise<number> {
    await rejection(clock.runUntilSettled(resumed.pollUntilDone()), PollingTimeoutError);
    return clock.now();
  }

  test("is the rest of the first wait's, counted from the start of that wait", async () => {
    expect(await timeOf(await resumedAfter(5000))).toBe(timeoutInMs);
  });

  test("is the caller's own, counted from the resumption, where there is one", async () => {
    expect(await timeOf(await resumedAfter(5000, { timeoutInMs: 60_000 }))).toBe(9500 + 60_000);
  });

  test("is none where the caller wants none", async () => {
    const { clock, resumed } = await resumedAfter(0, { timeoutInMs: Infinity });
    void settled(resumed.pollUntilDone());
    await clock.advance(100_000);
    expect(resumed.toJSON().deadline).toBeUndefined();
    expect(resumed.toJSON().pollCount).toBeGreaterThan(100);
  });

  test("leaves a second for one poll if it passed while no process waited", async () => {
    const setting = await resumedAfter(dayInMs);
    const before = setting.requestLog.length;
    expect(await timeOf(setting)).toBe(4500 + dayInMs + 1000);
    expect(setting.requestLog.length).toBe(before + 1);
  });

  test("is not lost when the resumed wait is killed before it has started, or in its middle", async () => {
    const { clock, client, resumed } = await resumedAfter(1000);
    const second = client.resume(JSON.stringify(resumed), evenly(elsewhere(clock)));
    void settled(second.pollUntilDone());
    await clock.advance(3000);
    const third = client.resume(JSON.stringify(second), evenly(elsewhere(clock)));
    await rejection(clock.runUntilSettled(third.pollUntilDone()), PollingTimeoutError);
    expect(clock.now()).toBe(timeoutInMs);
  });

  test("is none after it has passed: the error's token continues", async () => {
    const setting = setUp([running, running, succeeded], { timeoutInMs: 1500 });
    const { clock, poller, client } = setting;
    const { resumeToken = "" } = await rejection(
      clock.runUntilSettled(poller.pollUntilDone()),
      PollingTimeoutError,
    );
    expect(await clock.runUntilSettled(client.resume(resumeToken, evenly(clock)).pollUntilDone())).toBe(1);
  });

  test("is none either if a response came first, to a process that was busy until after it", async () => {
    const clock = createVirtualClock();
    let busyForMs = 0;
    const keepBusy = (): string => {
      busyForMs = 2000;
      return "Running";
    };
    const late: Clock = { ...elsewhere(clock), now: () => clock.now() + busyForMs };
    const poller = createPoller(scriptedOperation([keepBusy]), evenly(late, { timeoutInMs: 1500 }));
    const { resumeToken = "" } = await rejection(poller.pollUntilDone(), PollingTimeoutError);
    expect(JSON.parse(resumeToken)).not.toHaveProperty("deadline");
  });

  test("is none for the resumed poller itself, once it has passed", async () => {
    const setting = await resumedAfter(5000);
    await timeOf(setting);
    expect(setting.resumed.toJSON().deadline).toBeUndefined();
    void settled(setting.resumed.pollUntilDone());
    await setting.clock.advance(60_000);
    expect(setting.clock.pendingTimers).toBe(1);
  });
});

describe("a Retry-After", () => {
  const throttled = (retryAfter: string): Simulated => ({
    status: 503,
    headers: { "retry-after": retryAfter },
  });

  test("delays the resumed wait to the millisecond, and never less", async () => {
    const setting = setUp([throttled("60"), succeeded]);
    const token = await killedAfter(10_000, setting);
    await setting.clock.advance(5000);
    const resumed = setting.client.resume(token, evenly(elsewhere(setting.clock)));
    expect(await rejection(resumed.poll(), PollingError)).toMatchObject({ code: "PollingFailed" });
    await setting.clock.runUntilSettled(resumed.pollUntilDone());
    expect(setting.requestLog.map(([at]) => at)).toEqual([0, 60_001]);
  });

  test("that has passed delays no wait", async () => {
    const setting = setUp([throttled("60"), succeeded]);
    const token = await killedAfter(10_000, setting);
    await setting.clock.advance(60_000);
    await setting.client.resume(token, evenly(elsewhere(setting.clock))).pollUntilDone();
    expect(setting.requestLog.map(([at]) => at)).toEqual([0, 70_000]);
  });

  test("is no longer than it was when the token was written, if the clock was put back meanwhile", async () => {
    const setting = setUp([throttled("60"), succeeded]);
    const token = await killedAfter(10_000, setting);
    const resumed = setting.client.resume(token, evenly(elsewhere(setting.clock, -365 * dayInMs)));
    await setting.clock.runUntilSettled(resumed.pollUntilDone());
    expect(setting.requestLog.map(([at]) => at)).toEqual([0, 60_001]);
  });

  test("of a token is no longer than a day", async () => {
    const setting = setUp([succeeded]);
    const notBefore = freshToken.savedAt + 400 * dayInMs;
    const resumed = setting.client.resume({ ...freshToken, notBefore }, evenly(setting.clock));
    await setting.clock.runUntilSettled(resumed.pollUntilDone());
    expect(setting.requestLog.map(([at]) => at)).toEqual([dayInMs]);
  });
});

describe("a clock of the day that was set between two processes", () => {
  test.each([-365 * dayInMs, -minuteInMs, -1])(
    "back, by %i ms, makes nothing younger than it was, nor its timeout longer",
    async (jumpInMs) => {
      const setting = setUp(
        Array.from({ length: 100 }, () => running),
        { timeoutInMs: minuteInMs },
      );
      const token = await killedAfter(30_500, setting);
      const clock = elsewhere(setting.clock, jumpInMs);
      const resumed = setting.client.resume(token, evenly(clock));
      const elapsed: number[] = [];
      resumed.onProgress(({ elapsedInMs }) => elapsed.push(elapsedInMs));
      await rejection(setting.clock.runUntilSettled(resumed.pollUntilDone()), PollingTimeoutError);
      expect(elapsed[0]).toBe(30_500);
      expect(setting.clock.now()).toBe(minuteInMs);
    },
  );

  test("ahead, by years, leaves one poll to a wait with a timeout, and all to one without", async () => {
    const setting = setUp([running, running, running, running, succeeded]);
    const token = await killedAfter(2500, setting);
    const resumed = setting.client.resume(token, evenly(elsewhere(setting.clock, 10 * 365 * dayInMs)));
    expect(await setting.clock.runUntilSettled(resumed.pollUntilDone())).toBe(1);
  });
});

test("a token is complete in every listener: after each response and each failed poll", async () => {
  const responses = [
    running,
    down({ retryAfterInMs: 5000 }),
    status("Running", { percentComplete: 10 }),
    succeeded,
  ];
  const { poller, clock, client } = setUp(responses);
  const saved: string[] = [];
  const save = (): unknown => saved.push(JSON.stringify(poller));
  poller.onProgress(save);
  poller.onFailedPoll(save);
  await clock.runUntilSettled(poller.pollUntilDone());
  const tokens = saved.map((token) => client.resume(token, { clock }).toJSON());
  expect(tokens.map(({ pollCount, failedPollCount }) => [pollCount, failedPollCount])).toEqual([
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 1],
  ]);
  expect(tokens.map(({ percentComplete }) => percentComplete)).toEqual([undefined, undefined, 10, 10]);
});
