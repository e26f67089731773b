import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { PollingError, RequestError, createPoller, fixed } from "lro-poller";
import type { Clock, Operation, PollLogger, Poller, Progress } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { settled, microtasks, rejection } from "../support/rejections.ts";
import { down, forever, scriptedPoller } from "../support/scripted-poller.ts";

const succeeded = { status: "Succeeded", properties: 1 } as const;

describe("a wait that starts from within a listener to failed polls", () => {
  test("does not change the error of the poll() that failed", async () => {
    const { clock, poller } = scriptedPoller([down(), succeeded]);
    const waits: Promise<unknown>[] = [];
    poller.onFailedPoll(() => waits.push(poller.pollUntilDone()));
    const failure = await rejection(poller.poll(), PollingError);
    expect(failure.cause).toBeInstanceOf(RequestError);
    expect(failure.message).toMatch(/: down\.$/);
    expect(await clock.runUntilSettled(Promise.all(waits))).toEqual([1]);
  });

  test("is not affected by the bug that ended an earlier wait", async () => {
    const controller = new AbortController();
    const later = async (): Promise<typeof succeeded> => microtasks(40).then(() => succeeded);
    const { clock, poller } = scriptedPoller([new TypeError("x is not a function"), later]);
    const waits: Promise<unknown>[] = [];
    poller.onFailedPoll(() => {
      controller.abort("enough");
      waits.push(poller.pollUntilDone());
    });
    expect(await settled(poller.pollUntilDone({ abortSignal: controller.signal }))).toBe("enough");
    expect(await clock.runUntilSettled(Promise.all(waits))).toEqual([1]);
  });
});

/** Fires all timers of one moment in a row, as the system's clock does, without a microtask between. */
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
      const cancel = clock.setTimer(() => fireAll(dueAt), delayInMs);
      return () => {
        const others = due.get(dueAt)?.filter((other) => other !== callback) ?? [];
        due.set(dueAt, others);
        if (others.length === 0) cancel();
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
    ])("poll again after the backoff when a request times out as %s", async (_, first) => {
      const virtual = createVirtualClock();
      const operation = scriptedOperation([first, forever, succeeded], { clock: virtual });
      const options = { clock: batching(virtual, order), schedule: fixed(1000), random: () => 0 };
      const poller = createPoller(operation, { ...options, requestTimeoutInMs: 400 });
      const wait = poller.pollUntilDone();
      await virtual.advance(600);
      const poll = settled(poller.poll());
      expect(await virtual.runUntilSettled(wait)).toBe(1);
      expect(await poll).toBeInstanceOf(PollingError);
      const backoff = first === "Running" ? 1000 : 2000;
      expect(operation.polls.map(({ startedAt }) => startedAt)).toEqual([0, 600, 1000 + backoff]);
      expect(virtual.pendingTimers).toBe(0);
    });
  },
);

test("a poll that fails while a timer for the next one is set delays that by its Retry-After", async () => {
  for (let count = 0; count < 40; count++) {
    const virtual = createVirtualClock();
    const clock = batching(virtual, "first set first");
    const late = Promise.withResolvers<never>();
    const fail = (): void => late.reject(down({ retryAfterInMs: 60_000 }));
    const operation = scriptedOperation([down(), () => late.promise, succeeded], { clock });
    const poller = createPoller(operation, { clock, schedule: fixed(1000), random: () => 0 });
    const wait = poller.pollUntilDone();
    await virtual.advance(500);
    const poll = settled(poller.poll());
    clock.setTimer(() => (count === 0 ? fail() : void microtasks(count - 1).then(fail)), 500);
    expect(await virtual.runUntilSettled(wait)).toBe(1);
    await poll;
    expect.soft(operation.polls.map(({ startedAt }) => startedAt)).toEqual([0, 500, 61_000]);
  }
});

test("no poll is sent at a deadline that comes before the end of a Retry-After", async () => {
  const virtual = createVirtualClock();
  const operation = scriptedOperation([down({ retryAfterInMs: 60_000 }), succeeded], { clock: virtual });
  let timersSet = 0;
  // Some time passes between now() and setTimer(); here only before the first.
  const clock: Clock = {
    now: () => virtual.now(),
    timestamp: () => virtual.timestamp(),
    setTimer: (callback, delayInMs) => virtual.setTimer(callback, delayInMs + (timersSet++ === 0 ? 0.1 : 0)),
  };
  const poller = createPoller(operation, { clock, timeoutInMs: 5000, requestTimeoutInMs: Infinity });
  await virtual.runUntilSettled(rejection(poller.pollUntilDone()));
  expect(operation.polls).toHaveLength(1);
});

describe("user code that throws", () => {
  test("in a schedule's estimate neither ends the wait nor keeps progress from an estimate", async () => {
    const schedule = Object.assign(() => 1000, {
      estimate: (): never => {
        throw new Error("no idea");
      },
    });
    const received: Progress[] = [];
    const { clock, poller } = scriptedPoller(["Running", succeeded], {
      schedule,
      onProgress: (progress) => received.push(progress),
    });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(received.map(({ status }) => status)).toEqual(["Running", "Succeeded"]);
  });

  test("in onAbandoned() does not affect the wait", async () => {
    const onAbandoned = vi.fn<() => void>(() => {
      throw new Error("not now");
    });
    const clock = createVirtualClock();
    const log = vi.fn<(...message: unknown[]) => void>();
    const ignore = (): void => {};
    const logger: PollLogger = { verbose: ignore, info: ignore, warning: ignore, error: log };
    const operation: Operation = { ...scriptedOperation(["Running", succeeded], { logger }), onAbandoned };
    const poller = createPoller(operation, { clock });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(onAbandoned).toHaveBeenCalledOnce();
    expect(log).toHaveBeenLastCalledWith(expect.stringContaining("onAbandoned()"), new Error("not now"));
    expect(clock.pendingTimers).toBe(0);
  });

  test("or starts another wait in the log of the last abort does not stop that wait", async () => {
    const clock = createVirtualClock();
    let again: Promise<unknown> | undefined;
    const info = (line: unknown): void => {
      if (String(line).includes("stopped waiting")) again ??= poller.pollUntilDone();
    };
    const ignore = (): void => {};
    const logger: PollLogger = { verbose: ignore, info, warning: ignore, error: ignore };
    const poller = createPoller(scriptedOperation(["Running", succeeded], { logger }), { clock });
    for await (const _ of poller) break;
    expect(await clock.runUntilSettled(again ?? Promise.reject(new Error("no such line")))).toBe(1);
  });

  test("because getStatus() resolves with undefined is a bug, and ends the wait at once", async () => {
    const clock = createVirtualClock();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const nothing = undefined as unknown as Awaited<ReturnType<Operation["getStatus"]>>;
    const operation: Operation = { ...scriptedOperation([]), getStatus: () => Promise.resolve(nothing) };
    const failure = await clock.runUntilSettled(
      rejection(createPoller(operation, { clock }).pollUntilDone(), PollingError),
    );
    expect(failure.cause).toMatchObject({ cause: expect.any(TypeError) });
    expect(clock.now()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

test("a listener that another one has unsubscribed is not called", async () => {
  const { poller } = scriptedPoller(["Running"]);
  const second = vi.fn<() => void>();
  const unsubscribes: (() => void)[] = [];
  poller.onProgress(() => unsubscribes.forEach((unsubscribe) => unsubscribe()));
  unsubscribes.push(poller.onProgress(second));
  await poller.poll();
  expect(second).not.toHaveBeenCalled();
});

type Action = "wait" | "poll" | "iterate" | "return" | "abortAll" | { readonly abort: number };

/** Callers of one poller, which start and abort waits. */
class RandomCallers {
  readonly #poller: Poller;
  readonly #callers: AbortController[] = [];
  readonly #iterators: AsyncIterator<unknown>[] = [];
  readonly ends: Promise<unknown>[] = [];
  /** A listener that polls after every failed poll would never end. */
  listenerActionsLeft = 60;

  constructor(poller: Poller) {
    this.#poller = poller;
  }

  do(action: Action): void {
    if (action === "iterate") this.ends.push(settled(this.#iterator().next()));
    else if (action === "return") void this.#iterators.pop()?.return?.();
    else if (action === "abortAll") for (const caller of this.#callers) caller.abort();
    else if (typeof action === "object")
      this.#callers[action.abort % Math.max(1, this.#callers.length)]?.abort();
    else this.#call(action);
  }

  listen(actions: readonly Action[]): void {
    const act = (): void => {
      if (this.listenerActionsLeft-- > 0) for (const action of actions) this.do(action);
    };
    this.#poller.onProgress(act);
    this.#poller.onFailedPoll(act);
  }

  abortAll(): void {
    this.listenerActionsLeft = 0;
    this.do("abortAll");
    for (const iterator of this.#iterators) void iterator.return?.();
  }

  #call(action: "wait" | "poll"): void {
    const caller = new AbortController();
    const options = { abortSignal: caller.signal };
    this.#callers.push(caller);
    this.ends.push(
      settled(action === "wait" ? this.#poller.pollUntilDone(options) : this.#poller.poll(options)),
    );
  }

  #iterator(): AsyncIterator<unknown> {
    const iterator = this.#iterators.at(-1) ?? this.#poller[Symbol.asyncIterator]();
    this.#iterators.push(iterator);
    return iterator;
  }
}

test("whatever callers and listeners do, every Retry-After is kept, nothing is left behind, and a last wait ends", async () => {
  const reply = fc.constantFrom<ScriptedReply>(
    "Running",
    { status: "Running", retryAfterInMs: 2000 },
    forever,
    down(),
    down({ retryAfterInMs: 3000 }),
    down({ kind: "permanent" }),
    new TypeError("x is not a function"),
  );
  const action = fc.oneof(
    fc.constantFrom<Action>("wait", "poll", "iterate", "return", "abortAll"),
    fc.record({ abort: fc.nat() }),
  );
  const step = fc.oneof(
    fc.record({ action }),
    fc.record({ listen: fc.array(action, { maxLength: 3 }) }),
    fc.record({ advance: fc.integer({ min: 0, max: 4000 }) }),
    fc.record({ microtasks: fc.nat({ max: 12 }) }),
  );
  const script = fc.record({
    replies: fc.array(reply, { maxLength: 12 }),
    steps: fc.array(step),
    timeoutInMs: fc.constantFrom(9000, Infinity),
  });
  await fc.assert(
    fc.asyncProperty(script, async ({ replies, steps, timeoutInMs }) => {
      const manySuccesses = Array.from({ length: 80 }, () => succeeded);
      const options = { requestTimeoutInMs: 2500, timeoutInMs };
      const { clock, operation, poller, pollTimes } = scriptedPoller([...replies, ...manySuccesses], options);
      const retryAfters: { readonly from: number; readonly to: number }[] = [];
      poller.onFailedPoll(({ error: { retryAfterInMs = 0 } }) => {
        retryAfters.push({ from: operation.polls.length, to: clock.now() + retryAfterInMs });
      });
      const callers = new RandomCallers(poller);
      for (const one of steps) {
        if ("action" in one) callers.do(one.action);
        else if ("listen" in one) callers.listen(one.listen);
        else if ("advance" in one) await clock.advance(one.advance);
        else await microtasks(one.microtasks);
      }
      callers.abortAll();
      await Promise.all(callers.ends);
      await clock.advance(0);
      expect(clock.pendingTimers).toBe(0);
      let end: unknown;
      while (end !== 1) end = await clock.runUntilSettled(settled(poller.pollUntilDone()));
      for (const { from, to } of retryAfters) expect(pollTimes()[from] ?? to).toBeGreaterThanOrEqual(to);
    }),
    { numRuns: 500 },
  );
});

test("a wait that starts while the request of an earlier one is aborted polls, and ends", async () => {
  const clock = createVirtualClock();
  const controller = new AbortController();
  const scripted = scriptedOperation([forever, succeeded], { clock });
  const waits: Promise<unknown>[] = [];
  const operation: Operation = {
    ...scripted,
    getStatus: (options) => {
      options.abortSignal.addEventListener("abort", () => waits.push(poller.pollUntilDone()));
      return scripted.getStatus(options);
    },
  };
  const poller = createPoller(operation, { clock });
  const first = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
  await clock.advance(100);
  controller.abort("enough");
  expect(await first).toBe("enough");
  expect(waits).toHaveLength(1);
  expect(await clock.runUntilSettled(Promise.all(waits))).toEqual([1]);
  expect(clock.pendingTimers).toBe(0);
});
