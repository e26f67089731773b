import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { PollingError, RequestError, createPoller, fixed } from "lro-poller";
import type { Clock, Operation, PollLogger, Poller, Progress } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { ending, microtasks, rejection } from "../support/rejections.ts";
import { down, forever, setUp } from "../support/scripted-poller.ts";

const succeeded = { status: "Succeeded", properties: 1 } as const;

describe("a wait that begins from within a listener to failed reads", () => {
  test("takes nothing from the error of the poll() whose read failed", async () => {
    const { clock, poller } = setUp([down(), succeeded]);
    const waits: Promise<unknown>[] = [];
    poller.onFailedPoll(() => waits.push(poller.pollUntilDone()));
    const failure = await rejection(poller.poll(), PollingError);
    expect(failure.cause).toBeInstanceOf(RequestError);
    expect(failure.message).toMatch(/: down\.$/);
    expect(await clock.runUntilSettled(Promise.all(waits))).toEqual([1]);
  });

  test("is not ended by the bug that ended the one before", async () => {
    const controller = new AbortController();
    const later = async (): Promise<typeof succeeded> => microtasks(40).then(() => succeeded);
    const { clock, poller } = setUp([new TypeError("x is not a function"), later]);
    const waits: Promise<unknown>[] = [];
    poller.onFailedPoll(() => {
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
      expect(operation.polls.map(({ startedAt }) => startedAt)).toEqual([0, 600, 1000 + backoff]);
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
    expect.soft(operation.polls.map(({ startedAt }) => startedAt)).toEqual([0, 500, 61_000]);
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
  expect(operation.polls).toHaveLength(1);
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

  test("as onAbandoned() keeps nobody from the end", async () => {
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

  test("as a log that begins another wait when the last caller leaves keeps that wait going", async () => {
    const clock = createVirtualClock();
    let again: Promise<unknown> | undefined;
    const info = (line: unknown): void => {
      if (String(line).includes("stopped waiting")) again ??= poller.pollUntilDone();
    };
    const ignore = (): void => {};
    const logger: PollLogger = { verbose: ignore, info, warning: ignore, error: ignore };
    const poller = createPoller(scriptedOperation(["Running", succeeded], { logger }), { clock });
    for await (const _ of poller) break;
    expect(await clock.runUntilSettled(again ?? Promise.reject(new Error("it was not told")))).toBe(1);
  });

  test("as a read that brings nothing at all is a bug, told at once", async () => {
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

test("a listener that another one has sent away is not called", async () => {
  const { poller } = setUp(["Running"]);
  const second = vi.fn<() => void>();
  const leaves: (() => void)[] = [];
  poller.onProgress(() => leaves.forEach((leave) => leave()));
  leaves.push(poller.onProgress(second));
  await poller.poll();
  expect(second).not.toHaveBeenCalled();
});

type Deed = "wait" | "poll" | "iterate" | "return" | "abortAll" | { readonly abort: number };

/** Callers of one poller, who come and go. */
class Crowd {
  readonly #poller: Poller;
  readonly #callers: AbortController[] = [];
  readonly #iterators: AsyncIterator<unknown>[] = [];
  readonly ends: Promise<unknown>[] = [];
  /** A listener that polls whenever a read fails would never come to an end. */
  deedsOfListeners = 60;

  constructor(poller: Poller) {
    this.#poller = poller;
  }

  do(deed: Deed): void {
    if (deed === "iterate") this.ends.push(ending(this.#iterator().next()));
    else if (deed === "return") void this.#iterators.pop()?.return?.();
    else if (deed === "abortAll") for (const caller of this.#callers) caller.abort();
    else if (typeof deed === "object") this.#callers[deed.abort % Math.max(1, this.#callers.length)]?.abort();
    else this.#ask(deed);
  }

  listen(deeds: readonly Deed[]): void {
    const act = (): void => {
      if (this.deedsOfListeners-- > 0) for (const deed of deeds) this.do(deed);
    };
    this.#poller.onProgress(act);
    this.#poller.onFailedPoll(act);
  }

  leave(): void {
    this.deedsOfListeners = 0;
    this.do("abortAll");
    for (const iterator of this.#iterators) void iterator.return?.();
  }

  #ask(deed: "wait" | "poll"): void {
    const caller = new AbortController();
    const options = { abortSignal: caller.signal };
    this.#callers.push(caller);
    this.ends.push(
      ending(deed === "wait" ? this.#poller.pollUntilDone(options) : this.#poller.poll(options)),
    );
  }

  #iterator(): AsyncIterator<unknown> {
    const iterator = this.#iterators.at(-1) ?? this.#poller[Symbol.asyncIterator]();
    this.#iterators.push(iterator);
    return iterator;
  }
}

test("whatever callers and listeners do, no Retry-After is broken, nothing is left behind, and a last wait ends", async () => {
  const reply = fc.constantFrom<ScriptedReply>(
    "Running",
    { status: "Running", retryAfterInMs: 2000 },
    forever,
    down(),
    down({ retryAfterInMs: 3000 }),
    down({ kind: "permanent" }),
    new TypeError("x is not a function"),
  );
  const deed = fc.oneof(
    fc.constantFrom<Deed>("wait", "poll", "iterate", "return", "abortAll"),
    fc.record({ abort: fc.nat() }),
  );
  const step = fc.oneof(
    fc.record({ deed }),
    fc.record({ listen: fc.array(deed, { maxLength: 3 }) }),
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
      const { clock, operation, poller, readTimes } = setUp([...replies, ...manySuccesses], options);
      const silences: { readonly from: number; readonly to: number }[] = [];
      poller.onFailedPoll(({ error: { retryAfterInMs = 0 } }) => {
        silences.push({ from: operation.polls.length, to: clock.now() + retryAfterInMs });
      });
      const crowd = new Crowd(poller);
      for (const one of steps) {
        if ("deed" in one) crowd.do(one.deed);
        else if ("listen" in one) crowd.listen(one.listen);
        else if ("advance" in one) await clock.advance(one.advance);
        else await microtasks(one.microtasks);
      }
      crowd.leave();
      await Promise.all(crowd.ends);
      await clock.advance(0);
      expect(clock.pendingTimers).toBe(0);
      let end: unknown;
      while (end !== 1) end = await clock.runUntilSettled(ending(poller.pollUntilDone()));
      for (const { from, to } of silences) expect(readTimes()[from] ?? to).toBeGreaterThanOrEqual(to);
    }),
    { numRuns: 500 },
  );
});

test("a wait that begins as the request of the one before is aborted is read for, and ends", async () => {
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
  const first = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
  await clock.advance(100);
  controller.abort("enough");
  expect(await first).toBe("enough");
  expect(waits).toHaveLength(1);
  expect(await clock.runUntilSettled(Promise.all(waits))).toEqual([1]);
  expect(clock.pendingTimers).toBe(0);
});
