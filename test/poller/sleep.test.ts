import { describe, expect, test } from "vitest";
import {
  OperationNotFoundError,
  PollingError,
  PollingTimeoutError,
  RequestError,
  createPoller,
  createPollerGroup,
  fixed,
} from "lro-poller";
import type { Operation, PollOptions, Poller, StatusResponse } from "lro-poller";
import { scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply } from "lro-poller/testing";
import { RequestLimiter } from "../../src/limiter/request-limiter.ts";
import { sleep } from "../../src/clock.ts";
import { resumePoller } from "../../src/poller/poller.ts";
import { sleepingClock } from "../support/clock.ts";
import type { SleepingClock } from "../support/clock.ts";
import { rejection, settled } from "../support/rejections.ts";
import { down, forever } from "../support/scripted-poller.ts";

const threeHours = 3 * 3_600_000;
const succeeded = { status: "Succeeded", properties: 1 };
const noHost = new RequestError("getaddrinfo ENOTFOUND host", { kind: "transient", code: "ENOTFOUND" });
const notFound = new RequestError("HTTP 404", { kind: "notFound", statusCode: 404 });

interface SleepingPoller {
  readonly clock: SleepingClock;
  readonly operation: ReturnType<typeof scriptedOperation>;
  readonly poller: Poller;
}

function sleepingPoller(replies: readonly ScriptedReply[], options: PollOptions = {}): SleepingPoller {
  const clock = sleepingClock();
  const operation = scriptedOperation(replies, { clock });
  const poller = createPoller(operation, { schedule: fixed(10_000), random: () => 0, clock, ...options });
  return { clock, operation, poller };
}

/** The ways to wait. Each gives the last state that its caller sees, or rejects. */
const ways: readonly [string, (setup: SleepingPoller) => Promise<unknown>][] = [
  ["pollUntilDone", async ({ poller }) => poller.pollUntilDone().then(() => poller.status)],
  [
    "an iteration",
    async ({ poller }) => {
      let last: string | undefined;
      for await (const { status } of poller) last = status;
      return last;
    },
  ],
  [
    "a resumed wait",
    async ({ clock, operation, poller }) => {
      const options = { clock, timeoutInMs: 60_000, schedule: fixed(10_000), random: () => 0 };
      const resumed = resumePoller(operation, poller.toJSON(), options);
      return resumed.pollUntilDone().then(() => resumed.status);
    },
  ],
  [
    "a group",
    async ({ clock, operation }) => {
      const options = { clock, timeoutInMs: 60_000, schedule: fixed(10_000), random: () => 0 };
      const group = createPollerGroup(options);
      const poller = group.add(operation);
      const [result] = await group.pollUntilDone();
      if (result?.status === "rejected") throw result.reason;
      return poller.status;
    },
  ],
];

describe.each(ways)("%s whose machine sleeps past the deadline", (_, wait) => {
  test("polls once more, and learns that the operation has succeeded", async () => {
    const setup = sleepingPoller(["Running", succeeded], { timeoutInMs: 60_000 });
    const waiting = wait(setup);
    await setup.clock.advance(5000);
    await setup.clock.sleep(threeHours);
    expect(await setup.clock.runUntilSettled(waiting)).toBe("Succeeded");
    expect(setup.operation.polls).toHaveLength(2);
    expect(setup.clock.pendingTimers).toBe(0);
  });

  test("is told that the operation still runs after one poll", async () => {
    const setup = sleepingPoller(["Running", "Running"], { timeoutInMs: 60_000 });
    const waiting = rejection(wait(setup), PollingTimeoutError);
    await setup.clock.advance(5000);
    await setup.clock.sleep(threeHours);
    await setup.clock.advance(0);
    expect(await waiting).toMatchObject({ code: "PollingTimeout", pollCount: 2 });
    expect(setup.clock.pendingTimers).toBe(0);
  });
});

describe("a wait whose machine sleeps past the deadline", () => {
  const asleep = async ({ clock, poller }: SleepingPoller, awakeInMs: number): Promise<unknown> => {
    const waiting = poller.pollUntilDone();
    waiting.catch(() => {});
    await clock.advance(awakeInMs);
    await clock.sleep(threeHours);
    return clock.runUntilSettled(waiting);
  };

  test("polls even if no poll was due before the deadline", async () => {
    const setup = sleepingPoller(["Running", succeeded], { timeoutInMs: 1500 });
    expect(await asleep(setup, 100)).toBe(1);
  });

  test("does not believe a response from before the sleep", async () => {
    const late = Promise.withResolvers<"Running">();
    const setup = sleepingPoller([() => late.promise, succeeded], { timeoutInMs: 60_000 });
    const waiting = setup.poller.pollUntilDone();
    await setup.clock.advance(100);
    const woken = setup.clock.sleep(20_000 + 60_000);
    late.resolve("Running");
    await woken;
    expect(await setup.clock.runUntilSettled(waiting)).toBe(1);
    expect(setup.operation.polls).toHaveLength(2);
  });

  test("sends another request in place of one that the sleep has broken", async () => {
    const setup = sleepingPoller([forever, succeeded], { timeoutInMs: 60_000, requestTimeoutInMs: Infinity });
    expect(await asleep(setup, 100)).toBe(1);
    expect(setup.operation.polls[0]?.abortSignal.aborted).toBe(true);
  });

  test("does not take the timeout of a request for its own end", async () => {
    const setup = sleepingPoller([forever, succeeded], { timeoutInMs: 60_000 });
    expect(await asleep(setup, 100)).toBe(1);
  });

  test("sends nothing against a Retry-After, and is told at once", async () => {
    const replies = [{ status: "Running", retryAfterInMs: 2 * threeHours }];
    const setup = sleepingPoller(replies, { timeoutInMs: 60_000 });
    const error = await rejection(asleep(setup, 100), PollingTimeoutError);
    expect(error).toMatchObject({ code: "PollingTimeout", pollCount: 1 });
  });

  test("ends also if that poll gets no response", async () => {
    const setup = sleepingPoller(["Running", forever], { timeoutInMs: 60_000, requestTimeoutInMs: Infinity });
    const error = await rejection(asleep(setup, 100), PollingTimeoutError);
    expect(error.code).toBe("PollingTimeout");
    expect(setup.clock.now()).toBe(100 + threeHours + 30_000);
    expect(setup.clock.pendingTimers).toBe(0);
  });

  test("gives a poll() beside it the response of that poll", async () => {
    const setup = sleepingPoller([forever, succeeded], { timeoutInMs: 60_000, requestTimeoutInMs: Infinity });
    const polled = setup.poller.poll();
    expect(await asleep(setup, 100)).toBe(1);
    expect(await polled).toMatchObject({ status: "Succeeded" });
  });

  test("keeps its turn in the rate limiter", async () => {
    const clock = sleepingClock();
    const limiter = new RequestLimiter(clock);
    limiter.acquire(() => limiter.release({ isThrottled: true, retryAfterInMs: 2 * 3_600_000 }));
    const operation = { ...scriptedOperation([succeeded], { clock }), limiterFor: () => limiter };
    const waiting = createPoller(operation, { clock, timeoutInMs: 60_000 }).pollUntilDone();
    await clock.advance(5000);
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(waiting)).toBe(1);
  });
});

describe("a wait whose machine wakes less than a second past the deadline", () => {
  const wakesAt = 60_500;

  test.each<[string, ScriptedReply, PollOptions]>([
    ["polls in place of the poll that was missed", "Running", {}],
    ["polls again if a request was under way", forever, {}],
    ["polls again if a failed poll was to be retried", down(), {}],
  ])("%s", async (_, reply, options) => {
    const setup = sleepingPoller(["Running", reply, succeeded], { timeoutInMs: 60_000, ...options });
    const waiting = setup.poller.pollUntilDone();
    await setup.clock.advance(10_000);
    await setup.clock.sleep(wakesAt - 10_000);
    expect(await setup.clock.runUntilSettled(waiting)).toBe(1);
    expect(setup.clock.pendingTimers).toBe(0);
  });

  test("does not believe a response from before the sleep", async () => {
    const late = Promise.withResolvers<"Running">();
    const setup = sleepingPoller([() => late.promise, succeeded], { timeoutInMs: 60_000 });
    const waiting = setup.poller.pollUntilDone();
    await setup.clock.advance(100);
    const woken = setup.clock.sleep(wakesAt - 100);
    late.resolve("Running");
    await woken;
    expect(await setup.clock.runUntilSettled(waiting)).toBe(1);
  });
});

test("the deadline of a wait is none of the next wait, which has none", async () => {
  const { clock, operation, poller } = sleepingPoller(["Running"], { timeoutInMs: 5000 });
  const first = settled(poller.pollUntilDone());
  await clock.advance(100);
  const token = poller.toJSON();
  const options = { clock, schedule: fixed(10_000), random: () => 0 };
  const replies = ["Running", "Running", "Running", "Running", succeeded];
  const resumed = resumePoller(scriptedOperation(replies, { clock }), token, options);
  expect(await clock.runUntilSettled(settled(resumed.pollUntilDone()))).toBeInstanceOf(PollingTimeoutError);
  expect(await clock.runUntilSettled(resumed.pollUntilDone())).toBe(1);
  expect(operation.polls).not.toHaveLength(0);
  await clock.runUntilSettled(first);
});

describe("a request without a time limit", () => {
  test("that a sleep has broken is no outage", async () => {
    const broken = async (): Promise<Error> => {
      await sleep(clock, threeHours);
      return noHost;
    };
    const replies = ["Running", down(), broken, down(), succeeded];
    const { clock, poller } = sleepingPoller(replies, { requestTimeoutInMs: Infinity });
    const waiting = poller.pollUntilDone();
    await clock.advance(12_000);
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(waiting)).toBe(1);
  });

  test("that fails each time is an outage all the same", async () => {
    const { clock, poller } = sleepingPoller(
      Array.from({ length: 50 }, () => async () => sleep(clock, 60_000).then(() => down())),
      { requestTimeoutInMs: Infinity },
    );
    const error = await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingError);
    expect(error.code).toBe("RequestFailed");
  });
});

describe("time in which the machine sleeps", () => {
  test("is no outage", async () => {
    const { clock, operation, poller } = sleepingPoller(["Running", down(), noHost, down(), succeeded]);
    const waiting = poller.pollUntilDone();
    await clock.advance(10_500);
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(waiting)).toBe(1);
    expect(operation.polls).toHaveLength(5);
  });

  test("is no outage if the deadline passes in it while a Retry-After forbids a poll", async () => {
    const tooLate = down({ statusCode: 503, retryAfterInMs: 120_000 });
    const { clock, poller } = sleepingPoller(["Running", tooLate, down(), succeeded], {
      timeoutInMs: 60_000,
    });
    const waiting = poller.pollUntilDone();
    await clock.advance(15_000);
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(waiting)).toBe(1);
  });

  test("is left out of an outage that lasts", async () => {
    const replies = ["Running", ...Array.from({ length: 100 }, () => down())];
    const { clock, poller } = sleepingPoller(replies, { outageToleranceInMs: 60_000 });
    const waiting = rejection(poller.pollUntilDone(), PollingError);
    await clock.advance(10_500);
    await clock.sleep(threeHours);
    const { message } = await clock.runUntilSettled(waiting);
    const [, seconds = 0] = /failed polls in (\d+) s/.exec(message) ?? [];
    expect(Number(seconds)).toBeGreaterThanOrEqual(60);
    expect(Number(seconds)).toBeLessThan(120);
  });

  test("is no outage if a request is under way in it", async () => {
    const replies = ["Running", down(), forever, down(), succeeded];
    const { clock, operation, poller } = sleepingPoller(replies, { outageToleranceInMs: 20_000 });
    const waiting = poller.pollUntilDone();
    await clock.advance(12_000);
    expect(operation.polls).toHaveLength(3);
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(waiting)).toBe(1);
  });

  test("is no outage in the queue of a limiter that backs off on its own", async () => {
    const clock = sleepingClock();
    const limiter = new RequestLimiter(clock);
    limiter.acquire(() => limiter.release({ isThrottled: true }));
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const queuedAt = clock.now();
    limiter.acquire(() => resolve(limiter.hasAcceptedSince(queuedAt)));
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(promise)).toBe(true);
  });

  test("is no stall", async () => {
    const replies = ["Running", "Running", "Running", "Running", succeeded];
    const { clock, poller } = sleepingPoller(replies, { stallTimeoutInMs: 60_000 });
    const waiting = poller.pollUntilDone();
    await clock.advance(15_000);
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(waiting)).toBe(1);
  });

  test("does not end the grace of an operation that may not be replicated yet", async () => {
    const { clock, poller } = sleepingPoller([notFound, notFound, succeeded]);
    const waiting = poller.pollUntilDone();
    await clock.advance(500);
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(waiting)).toBe(1);
  });

  test("does not end the grace of an operation that was seen before", async () => {
    const { clock, poller } = sleepingPoller(["Running", notFound, notFound, succeeded]);
    const waiting = poller.pollUntilDone();
    await clock.advance(10_500);
    await clock.sleep(threeHours);
    expect(await clock.runUntilSettled(waiting)).toBe(1);
  });

  test("is left out of a grace that ends", async () => {
    const { clock, poller } = sleepingPoller(Array.from({ length: 100 }, () => notFound));
    const waiting = rejection(poller.pollUntilDone(), OperationNotFoundError);
    await clock.advance(500);
    await clock.sleep(threeHours);
    await clock.runUntilSettled(waiting);
    expect(clock.now() - threeHours).toBeLessThan(70_000);
  });
});

test("the grace of a 404 starts with the initial response", async () => {
  const clock = sleepingClock();
  const initial = Promise.withResolvers<void>();
  const scripted = scriptedOperation([notFound, succeeded], { clock });
  const operation = {
    ...scripted,
    initialRequest: initial.promise,
    getStatus: (options: Parameters<typeof scripted.getStatus>[0]): Promise<StatusResponse> =>
      scripted.getStatus(options),
  };
  const waiting = createPoller(operation, { clock }).pollUntilDone();
  await clock.advance(60_000);
  initial.resolve();
  expect(await clock.runUntilSettled(waiting)).toBe(1);
});

test("a poll() after waking counts no sleep as an outage", async () => {
  const { clock, poller } = sleepingPoller(["Running", down(), down(), succeeded]);
  const waiting = poller.pollUntilDone();
  await clock.advance(10_500);
  const health = clock.setTimer(() => void poller.poll().catch(() => {}), 500);
  await clock.sleep(threeHours);
  expect(await clock.runUntilSettled(waiting)).toBe(1);
  health();
});

test("a result that is still to come after the sleep gets its request", async () => {
  const clock = sleepingClock();
  let polls = 0;
  const operation: Operation = {
    id: "7",
    toJSON: () => ({}),
    async getStatus() {
      const status = { id: "7", name: "7", status: ++polls === 1 ? "Running" : "Succeeded", properties: 1 };
      return { status, isResultPending: polls === 2 };
    },
  };
  const poller = createPoller(operation, { clock, timeoutInMs: 60_000 });
  const waiting = poller.pollUntilDone();
  await clock.advance(5000);
  await clock.sleep(threeHours);
  expect(await clock.runUntilSettled(waiting)).toBe(1);
});

test("a failed poll after the sleep is retried before the wait ends", async () => {
  const { clock, poller } = sleepingPoller(["Running", noHost, succeeded], { timeoutInMs: 60_000 });
  const waiting = poller.pollUntilDone();
  await clock.advance(5000);
  await clock.sleep(threeHours);
  expect(await clock.runUntilSettled(waiting)).toBe(1);
});

test("nothing is sent after a listener of the aborted request has ended the wait", async () => {
  const clock = sleepingClock();
  const controller = new AbortController();
  let polls = 0;
  const operation: Operation = {
    id: "7",
    toJSON: () => ({}),
    getStatus({ abortSignal }) {
      polls++;
      abortSignal.addEventListener("abort", () => controller.abort("enough"));
      return new Promise(() => {});
    },
  };
  const poller = createPoller(operation, { clock, timeoutInMs: 20_000 });
  const waiting = poller.pollUntilDone({ abortSignal: controller.signal }).catch((reason: unknown) => reason);
  await clock.advance(1000);
  await clock.sleep(threeHours);
  expect(await clock.runUntilSettled(waiting)).toBe("enough");
  expect(polls).toBe(1);
});

test("an imprecise timer is no sleep: a poll that it makes late by a millisecond does not extend the timeout", async () => {
  const virtual = sleepingClock();
  const setTimer: typeof virtual.setTimer = (callback, delayInMs) =>
    virtual.setTimer(callback, delayInMs + 1.5);
  const clock = { now: () => Math.floor(virtual.now()), timestamp: () => virtual.timestamp(), setTimer };
  const operation = scriptedOperation(["Running", forever], { clock });
  const options = { clock, timeoutInMs: 100, schedule: fixed(99), random: () => 0 };
  const error = rejection(createPoller(operation, options).pollUntilDone());
  await virtual.advance(110);
  expect(await Promise.race([error, Promise.resolve("it still waits")])).toBeInstanceOf(PollingTimeoutError);
});
