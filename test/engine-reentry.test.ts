import { describe, expect, test, vi } from "vitest";
import { PollingError, ReadError, createPoller, fixed } from "lro-poller";
import type { Clock, Operation, PollLogger, Progress } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { ending, microtasks, rejection } from "./support/endings.ts";
import { down, forever, setUp } from "./support/scripted-poller.ts";

const succeeded = { status: "Succeeded", properties: 1 } as const;

describe("a wait that begins from within a listener to failed reads", () => {
  test("takes nothing from the error of the poll() whose read failed", async () => {
    const { clock, poller } = setUp([down(), succeeded]);
    const waits: Promise<unknown>[] = [];
    poller.onFailedRead(() => waits.push(poller.pollUntilDone()));
    const failure = await rejection(poller.poll(), PollingError);
    expect(failure.cause).toBeInstanceOf(ReadError);
    expect(failure.message).toMatch(/: down\.$/);
    expect(await clock.runUntilSettled(Promise.all(waits))).toEqual([1]);
  });

  test("is not ended by the bug that ended the one before", async () => {
    const controller = new AbortController();
    const later = async (): Promise<typeof succeeded> => microtasks(40).then(() => succeeded);
    const { clock, poller } = setUp([new TypeError("x is not a function"), later]);
    const waits: Promise<unknown>[] = [];
    poller.onFailedRead(() => {
      controller.abort("enough");
      waits.push(poller.pollUntilDone());
    });
    expect(await ending(poller.pollUntilDone({ abortSignal: controller.signal }))).toBe("enough");
    expect(await clock.runUntilSettled(Promise.all(waits))).toEqual([1]);
  });
});

/** Fires all that is due at one moment in a row, as the system's clock does, without a microtask between. */
function batching(clock: VirtualClock, order: "first set first" | "last set first"): Clock {
  const due = new Map<number, (() => void)[]>();
  const fireAll = (dueAt: number): void => {
    for (;;) {
      const fire = order === "first set first" ? due.get(dueAt)?.shift() : due.get(dueAt)?.pop();
      if (fire === undefined) return;
      fire();
    }
  };
  return {
    now: () => clock.now(),
    timestamp: () => clock.timestamp(),
    setTimer: (callback, delayInMs) => {
      const dueAt = clock.now() + delayInMs;
      due.set(dueAt, [...(due.get(dueAt) ?? []), callback]);
      const callOff = clock.setTimer(() => fireAll(dueAt), delayInMs);
      return () => {
        const others = due.get(dueAt)?.filter((other) => other !== callback) ?? [];
        due.set(dueAt, others);
        if (others.length === 0) callOff();
      };
    },
  };
}

describe.each(["first set first", "last set first"] as const)(
  "timers that fall due together, %s,",
  (order) => {
    test.each([
      ["the wait for the next one ends", "Running"],
      ["the wait of an outage ends", down()],
    ])("read again after the backoff when a read times out as %s", async (_, first) => {
      const virtual = createVirtualClock();
      const operation = scriptedOperation([first, forever, succeeded], { clock: virtual });
      const options = { clock: batching(virtual, order), schedule: fixed(1000), random: () => 0 };
      const poller = createPoller(operation, { ...options, requestTimeoutInMs: 400 });
      const wait = poller.pollUntilDone();
      await virtual.advance(600);
      const poll = ending(poller.poll());
      expect(await virtual.runUntilSettled(wait)).toBe(1);
      expect(await poll).toBeInstanceOf(PollingError);
      const backoff = first === "Running" ? 1000 : 2000;
      expect(operation.reads.map(({ startedAt }) => startedAt)).toEqual([0, 600, 1000 + backoff]);
      expect(virtual.pendingTimers).toBe(0);
    });
  },
);

test("a read that fails while the next attempt is on its way holds that back by its Retry-After", async () => {
  for (let count = 0; count < 40; count++) {
    const virtual = createVirtualClock();
    const clock = batching(virtual, "first set first");
    const late = Promise.withResolvers<never>();
    const fail = (): void => late.reject(down({ retryAfterInMs: 60_000 }));
    const operation = scriptedOperation([down(), () => late.promise, succeeded], { clock });
    const poller = createPoller(operation, { clock, schedule: fixed(1000), random: () => 0 });
    const wait = poller.pollUntilDone();
    await virtual.advance(500);
    const poll = ending(poller.poll());
    clock.setTimer(() => (count === 0 ? fail() : void microtasks(count - 1).then(fail)), 500);
    expect(await virtual.runUntilSettled(wait)).toBe(1);
    await poll;
    expect.soft(operation.reads.map(({ startedAt }) => startedAt)).toEqual([0, 500, 61_000]);
  }
});

test("nothing is read at a deadline that comes before the Retry-After is over", async () => {
  const virtual = createVirtualClock();
  const operation = scriptedOperation([down({ retryAfterInMs: 60_000 }), succeeded], { clock: virtual });
  let timersSet = 0;
  // Some time passes between a look at the clock and a timer; here only before the first.
  const clock: Clock = {
    now: () => virtual.now(),
    timestamp: () => virtual.timestamp(),
    setTimer: (callback, delayInMs) => virtual.setTimer(callback, delayInMs + (timersSet++ === 0 ? 0.1 : 0)),
  };
  const poller = createPoller(operation, { clock, timeoutInMs: 5000, requestTimeoutInMs: Infinity });
  await virtual.runUntilSettled(rejection(poller.pollUntilDone()));
  expect(operation.reads).toHaveLength(1);
});

describe("code of others that throws", () => {
  test("as a schedule's estimate leaves the wait its end, and the progress its own estimate", async () => {
    const schedule = Object.assign(() => 1000, {
      estimate: (): never => {
        throw new Error("no idea");
      },
    });
    const heard: Progress[] = [];
    const { clock, poller } = setUp(["Running", succeeded], {
      schedule,
      onProgress: (progress) => heard.push(progress),
    });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(heard.map(({ status }) => status)).toEqual(["Running", "Succeeded"]);
  });

  test("as letGo() keeps nobody from the end", async () => {
    const letGo = vi.fn<() => void>(() => {
      throw new Error("not now");
    });
    const clock = createVirtualClock();
    const log = vi.fn<(...message: unknown[]) => void>();
    const logger: PollLogger = { info: log, warning: log, error: log };
    const operation: Operation = { ...scriptedOperation(["Running", succeeded], { logger }), letGo };
    const poller = createPoller(operation, { clock });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(letGo).toHaveBeenCalledOnce();
    expect(log).toHaveBeenLastCalledWith(expect.stringContaining("letGo()"), new Error("not now"));
    expect(clock.pendingTimers).toBe(0);
  });

  test("as a read that brings nothing at all is a bug, told at once", async () => {
    const clock = createVirtualClock();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const nothing = undefined as unknown as Awaited<ReturnType<Operation["read"]>>;
    const operation: Operation = { ...scriptedOperation([]), read: () => Promise.resolve(nothing) };
    const failure = await clock.runUntilSettled(
      rejection(createPoller(operation, { clock }).pollUntilDone(), PollingError),
    );
    expect(failure.cause).toMatchObject({ cause: expect.any(TypeError) });
    expect(clock.now()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

test("a listener that another one has sent away is not called", async () => {
  const { poller } = setUp(["Running"]);
  const second = vi.fn<() => void>();
  const leaves: (() => void)[] = [];
  poller.onProgress(() => leaves.forEach((leave) => leave()));
  leaves.push(poller.onProgress(second));
  await poller.poll();
  expect(second).not.toHaveBeenCalled();
});
