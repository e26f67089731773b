import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  LroError,
  OperationFailedError,
  PollingError,
  PollingTimeoutError,
  RequestError,
  createPoller,
  fixed,
  pollUntilDone,
} from "lro-poller";
import type { FailedPoll, Operation, PollLogger, Progress, StatusResponse } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedPoll, ScriptedReply } from "lro-poller/testing";
import { ending, microtasks, rejection } from "../support/rejections.ts";
import { down, forever, setUp } from "../support/scripted-poller.ts";

/** More than any read takes to be handled. */
const everyMicrotask = Array.from({ length: 40 }, (_, count) => count);

const succeeded: ScriptedReply = { status: "Succeeded", properties: 1 };

class Verdict extends LroError {
  override readonly name = "Verdict";
}

const refusal = down({ kind: "permanent" });

function nameOf(end: unknown): unknown {
  return end instanceof Error ? end.name : end;
}

/** What a read may bring first; then the operation succeeds. */
const firstReads: [string, ScriptedReply][] = [
  ["brings the result", succeeded],
  ["brings a state", "Running"],
  ["brings a state later", async () => microtasks(9).then(() => "Running")],
  ["fails", down()],
  ["fails and holds back the next", down({ retryAfterInMs: 3_600_000 })],
  ["is refused", refusal],
  ["hangs", forever],
];

describe("an abort at any microtask", () => {
  test.each(firstReads)(
    "of a wait whose read %s leaves no timer and no listener, and tells nothing more",
    async (_, reply) => {
      for (const count of everyMicrotask) {
        const heard = vi.fn<(event: Progress | FailedPoll) => void>();
        const { clock, operation, poller } = setUp([reply, succeeded], {
          onProgress: heard,
          onFailedPoll: heard,
        });
        const controller = new AbortController();
        const add = vi.spyOn(controller.signal, "addEventListener");
        const remove = vi.spyOn(controller.signal, "removeEventListener");
        const wait = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
        await microtasks(count);
        const heardBefore = heard.mock.calls.length;
        controller.abort("enough");
        await wait;
        await clock.advance(0);
        expect.soft(heard, `events after ${count} microtasks`).toHaveBeenCalledTimes(heardBefore);
        expect.soft(clock.pendingTimers, `timers after ${count} microtasks`).toBe(0);
        expect.soft(remove).toHaveBeenCalledTimes(add.mock.calls.length);
        await clock.advance(7_200_000);
        expect.soft(operation.polls, `reads after ${count} microtasks`).toHaveLength(1);
      }
    },
  );

  test.each(firstReads)("by one of two whose read %s changes nothing for the other", async (_, reply) => {
    const options = { requestTimeoutInMs: 500 };
    const undisturbed = setUp([reply, succeeded], options);
    const end = await undisturbed.clock.runUntilSettled(ending(undisturbed.poller.pollUntilDone()));
    for (const count of everyMicrotask) {
      const { clock, poller, readTimes } = setUp([reply, succeeded], options);
      const controller = new AbortController();
      const one = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
      const other = ending(poller.pollUntilDone());
      await microtasks(count);
      controller.abort("enough");
      const endOfOther = await clock.runUntilSettled(other);
      expect.soft(nameOf(endOfOther)).toBe(nameOf(end));
      expect.soft(["enough", endOfOther]).toContain(await one);
      expect.soft(readTimes()).toEqual(undisturbed.readTimes());
      expect.soft(clock.pendingTimers).toBe(0);
    }
  });

  test.each(firstReads)("of a wait whose read %s lets the next wait end as ever", async (_, reply) => {
    for (const count of everyMicrotask) {
      const { clock, operation, poller } = setUp([reply, succeeded]);
      const controller = new AbortController();
      const wait = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
      await microtasks(count);
      controller.abort("enough");
      const end = await clock.runUntilSettled(ending(poller.pollUntilDone()));
      // A refusal ends even the next wait when the abort came too late to let go of its read.
      expect.soft(nameOf(end)).toBe(reply === refusal && operation.polls.length === 1 ? "PollingError" : 1);
      await wait;
      expect.soft(clock.pendingTimers).toBe(0);
    }
  });

  test("of poll() leaves nothing behind, and another poll() reads again", async () => {
    for (const count of everyMicrotask) {
      const { clock, poller } = setUp(["Running", "Running"]);
      const controller = new AbortController();
      const poll = ending(poller.poll({ abortSignal: controller.signal }));
      await microtasks(count);
      controller.abort("enough");
      await poll;
      expect.soft(clock.pendingTimers).toBe(0);
      expect.soft((await poller.poll()).status).toBe("Running");
    }
  });

  test("by a listener to failed reads leaves no timer, whatever the Retry-After", async () => {
    const controller = new AbortController();
    const { clock, poller } = setUp([down({ retryAfterInMs: 3_600_000 })], {
      onFailedPoll: () => controller.abort("enough"),
    });
    const wait = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(0);
    expect(await wait).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  test("that comes before a failure is heard leaves no unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): unknown => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    try {
      for (const count of everyMicrotask) {
        const controller = new AbortController();
        const { clock, poller } = setUp([async () => Promise.reject(new Error("too late"))]);
        const wait = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
        await microtasks(count);
        controller.abort("enough");
        await wait;
        await clock.advance(0);
      }
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", listener);
    }
  });
});

describe("callers who come and go", () => {
  test("begin anew at once what was let go of in the middle of an outage", async () => {
    const controller = new AbortController();
    const { clock, poller, readTimes } = setUp([down(), succeeded], {
      onFailedPoll: () => controller.abort("enough"),
    });
    const one = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(0);
    const other = poller.pollUntilDone();
    await clock.advance(0);
    expect(await one).toBe("enough");
    expect(await other).toBe(1);
    expect(readTimes()).toEqual([0, 0]);
  });

  test("may take a wait over from within a listener; when they leave too, nothing is sent", async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { clock, operation, poller } = setUp([down({ retryAfterInMs: 5000 }), "Running"]);
    const ends: Promise<unknown>[] = [];
    poller.onFailedPoll(() => {
      first.abort("one");
      ends.push(ending(poller.pollUntilDone({ abortSignal: second.signal })));
    });
    ends.push(ending(poller.pollUntilDone({ abortSignal: first.signal })));
    await clock.advance(0);
    second.abort("two");
    expect(await Promise.all(ends)).toEqual(["one", "two"]);
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("are not ended by a bug that ended the wait of those before them", async () => {
    const controller = new AbortController();
    const { clock, poller } = setUp([new TypeError("x is not a function"), succeeded], {
      onFailedPoll: () => controller.abort("enough"),
    });
    const one = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(0);
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(await one).toBe("enough");
  });

  test("of poll() keep silent while the Retry-After of a failed read runs, though another wait has begun", async () => {
    const controller = new AbortController();
    const { clock, operation, poller } = setUp([down({ retryAfterInMs: 60_000 }), succeeded]);
    const one = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(0);
    controller.abort("enough");
    await one;
    const other = poller.pollUntilDone();
    await clock.advance(1000);
    const failure = await rejection(poller.poll(), PollingError);
    expect(failure.message).toMatch(/Retry-After/);
    expect(operation.polls).toHaveLength(1);
    expect(await clock.runUntilSettled(other)).toBe(1);
  });

  test("of poll() after a timeout are told of the hold, not of the timeout", async () => {
    const { clock, operation, poller } = setUp([down({ retryAfterInMs: 60_000 })], { timeoutInMs: 2000 });
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    await rejection(poller.poll(), PollingError);
    expect(operation.polls).toHaveLength(1);
  });

  test("whatever they do never make two reads at a time, and leave nothing behind", async () => {
    const reply = fc.constantFrom<ScriptedReply>("Running", down(), down({ retryAfterInMs: 3000 }), forever);
    const action = fc.oneof(
      fc.constantFrom("wait", "poll", "iterate", "listen"),
      fc.record({ abort: fc.nat() }),
      fc.record({ advance: fc.integer({ min: 0, max: 4000 }) }),
      fc.record({ microtasks: fc.nat({ max: 12 }) }),
    );
    const script = fc.record({
      replies: fc.array(reply, { maxLength: 12 }),
      actions: fc.array(action),
      isDisposed: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(script, async ({ replies, actions, isDisposed }) => {
        const inFlight = new CountedReads();
        const everybody = new AbortController();
        const { clock, poller } = setUp([...replies, succeeded].map(inFlight.count), {
          requestTimeoutInMs: 2500,
          timeoutInMs: 9000,
          abortSignal: everybody.signal,
        });
        const callers: AbortController[] = [];
        const ends: Promise<unknown>[] = [];
        const begin = { wait: "pollUntilDone", poll: "poll" } as const;
        for (const step of actions) {
          if (step === "listen") poller.onProgress(() => JSON.stringify(poller));
          else if (step === "iterate") ends.push(ending(poller[Symbol.asyncIterator]().next()));
          else if (typeof step === "string") {
            const caller = new AbortController();
            callers.push(caller);
            ends.push(ending(poller[begin[step]]({ abortSignal: caller.signal })));
          } else if ("abort" in step) callers[step.abort % Math.max(1, callers.length)]?.abort();
          else if ("advance" in step) await clock.advance(step.advance);
          else await microtasks(step.microtasks);
        }
        if (isDisposed) await clock.runUntilSettled(poller[Symbol.asyncDispose]());
        else everybody.abort();
        await Promise.all(ends);
        await clock.advance(0);
        expect(clock.pendingTimers).toBe(0);
        expect(inFlight.most).toBeLessThanOrEqual(1);
        expect(inFlight.reads.size).toBe(0);
      }),
    );
  });
});

/** Knows how many reads are under way. */
class CountedReads {
  readonly reads = new Set<ScriptedPoll>();
  most = 0;

  readonly count =
    (reply: ScriptedReply): ScriptedReply =>
    async (read) => {
      this.reads.add(read);
      this.most = Math.max(this.most, this.reads.size);
      read.abortSignal.addEventListener("abort", () => this.reads.delete(read));
      await Promise.resolve();
      const answer = await (typeof reply === "function" ? reply(read) : reply);
      this.reads.delete(read);
      return answer;
    };
}

describe("an iterator that is returned", () => {
  test("while its next() is pending ends at once, and stops the loop", async () => {
    const { clock, operation, poller } = setUp(["Running", "Running"]);
    const iterator = poller[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await next).toEqual({ done: true, value: undefined });
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("before its first next() has sent nothing", async () => {
    const { clock, operation, poller } = setUp(["Running"]);
    await poller[Symbol.asyncIterator]().return?.();
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(0);
  });

  test("leaves those who wait to wait on", async () => {
    const { clock, poller } = setUp(["Running", "Running", succeeded]);
    const wait = poller.pollUntilDone();
    const iterator = poller[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    expect(await clock.runUntilSettled(wait)).toBe(1);
  });
});

describe("a listener", () => {
  test("that has left before it was told of what is known is not called", async () => {
    const { clock, poller } = setUp(["Running"]);
    await poller.poll();
    const listener = vi.fn<(progress: Progress) => void>();
    poller.onProgress(listener)();
    await clock.advance(0);
    expect(listener).not.toHaveBeenCalled();
  });

  test("that comes at any microtask never hears of an older progress after a newer one", async () => {
    for (const count of everyMicrotask) {
      const { clock, poller } = setUp(["Running", succeeded]);
      await poller.poll();
      const heard: string[] = [];
      const poll = poller.poll();
      await microtasks(count);
      poller.onProgress(({ status }) => heard.push(status));
      await poll;
      await clock.advance(0);
      expect.soft(["Running,Succeeded", "Succeeded"]).toContain(heard.join());
    }
  });

  test("may poll, wait, listen and write the token of the poller that it listens to", async () => {
    const { clock, poller, readTimes } = setUp(["Running", "Running", succeeded]);
    const heard: unknown[] = [];
    const ends: Promise<unknown>[] = [];
    const leave = poller.onProgress(({ pollCount }) => {
      leave();
      poller.onProgress((progress) => heard.push([pollCount, progress.pollCount]));
      heard.push(poller.toJSON().pollCount);
      ends.push(poller.poll(), poller.pollUntilDone());
    });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(await Promise.all(ends)).toMatchObject([{ pollCount: 2 }, 1]);
    expect(heard).toEqual([1, [1, 1], [1, 2], [1, 3]]);
    expect(readTimes()).toEqual([0, 0, 1000]);
  });

  test("that aborts at the last progress loses the result of its own caller only", async () => {
    const controller = new AbortController();
    const { clock, poller } = setUp([succeeded], { onProgress: () => controller.abort("enough") });
    const one = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
    const other = poller.pollUntilDone();
    expect(await clock.runUntilSettled(other)).toBe(1);
    expect(await one).toBe("enough");
  });
});

describe("a deadline", () => {
  test("counts for a wait that joins a poll() under way", async () => {
    const { clock, operation, poller } = setUp([forever], { timeoutInMs: 5000 });
    const poll = ending(poller.poll());
    await clock.advance(1000);
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    expect(clock.now()).toBe(6000);
    expect(operation.polls[0]?.abortSignal.aborted).toBe(true);
    await poll;
    expect(clock.pendingTimers).toBe(0);
  });

  test("is not a poll()'s", async () => {
    const slow = (): Promise<string> =>
      new Promise((resolve) => void clock.setTimer(() => resolve("Running"), 9000));
    const { clock, poller } = setUp([slow], { timeoutInMs: 5000 });
    expect((await clock.runUntilSettled(poller.poll())).status).toBe("Running");
  });

  test("ends a wait whose operation cannot write its token", async () => {
    const clock = createVirtualClock();
    const operation = withoutToken(scriptedOperation(["Running"]));
    const wait = pollUntilDone(operation, { clock, schedule: fixed(60_000), timeoutInMs: 1500 });
    const failure = await rejection(clock.runUntilSettled(wait), PollingTimeoutError);
    expect(failure.resumeToken).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});

function withoutToken<P>(operation: Operation<P>): Operation<P> {
  return {
    ...operation,
    toJSON() {
      throw new Error("not my day");
    },
  };
}

describe("code of others", () => {
  test("that cannot write a token loses neither a result nor an error", async () => {
    const clock = createVirtualClock();
    const good = withoutToken(scriptedOperation([succeeded]));
    expect(await clock.runUntilSettled(pollUntilDone(good, { clock }))).toBe(1);
    const bad = withoutToken(scriptedOperation(["Failed"]));
    await rejection(clock.runUntilSettled(pollUntilDone(bad, { clock })), OperationFailedError);
  });

  test("that logs and throws loses nothing", async () => {
    const clock = createVirtualClock();
    const fail = (): never => {
      throw new Error("the disk is full");
    };
    const [onProgress, onFailedPoll] = [vi.fn<() => void>(fail), vi.fn<() => void>(fail)];
    const logger: PollLogger = { verbose: fail, info: fail, warning: fail, error: fail };
    const operation = scriptedOperation(["Running", down(), succeeded], { logger });
    const options = { clock, schedule: fixed(1000), onProgress, onFailedPoll };
    expect(await clock.runUntilSettled(pollUntilDone(operation, options))).toBe(1);
    expect(onProgress).toHaveBeenCalledTimes(2);
    expect(onFailedPoll).toHaveBeenCalledTimes(1);
    operation.assertFinished();
  });

  test.each<[string, unknown]>([
    ["a string", "ECONNRESET"],
    ["nothing", undefined],
    ["an object with a message", { code: "X", message: "socket gone" }],
    ["an object without one", { why: 1 }],
    ["an object without a prototype", Object.create(null)],
    ["an error without a message", new Error("")],
  ])("that rejects a read with %s is a passing fault, told in words", async (_, reason) => {
    const reject = async (): Promise<never> => {
      throw reason;
    };
    const { clock, poller } = setUp([reject, reject, succeeded]);
    const failure = await rejection(poller.poll(), PollingError);
    expect(failure.message).not.toMatch(/\[object|: undefined|: \./);
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
  });

  test.each([undefined, null, {}, "Running"])(
    "that answers a read by %j ends the wait by an error",
    async (answer) => {
      const { clock } = setUp([]);
      // What types forbid, plain JavaScript does.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const getStatus = (): Promise<StatusResponse> => Promise.resolve(answer as StatusResponse);
      const wait = pollUntilDone({ id: "1", getStatus, toJSON: () => ({}) }, { clock });
      expect(await rejection(clock.runUntilSettled(wait), Error)).toBeInstanceOf(Error);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  test.each([NaN, -1, -Infinity])("that gives %d as Retry-After gives none", async (retryAfterInMs) => {
    const { clock, poller, readTimes } = setUp([
      { status: "Running", retryAfterInMs },
      down({ retryAfterInMs }),
      succeeded,
    ]);
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(readTimes()).toEqual([0, 1000, 2000]);
  });

  test("that gives a verdict ends the wait, and every later call, by it", async () => {
    const verdict = new Verdict("gone for good", "Gone");
    const { clock, operation, poller } = setUp([
      "Running",
      () => {
        throw verdict;
      },
    ]);
    expect(await clock.runUntilSettled(rejection(poller.pollUntilDone()))).toBe(verdict);
    expect(await rejection(poller.poll())).toBe(verdict);
    expect(await rejection(poller.pollUntilDone())).toBe(verdict);
    expect(poller.isDone).toBe(true);
    expect(operation.polls).toHaveLength(2);
  });
});

test("a token written before anybody waits does not begin the wait", async () => {
  const notFound = new RequestError("HTTP 404", { kind: "notFound", statusCode: 404 });
  const { clock, poller } = setUp([notFound, succeeded], { notFoundGraceInMs: 30_000 });
  JSON.stringify(poller);
  await clock.advance(60_000);
  expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
});

test("a wait on the system's clock that is aborted in an outage leaves the process nothing to wait for", async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const controller = new AbortController();
  const operation = scriptedOperation([down({ retryAfterInMs: 60_000 })]);
  const { signal: abortSignal } = controller;
  const poller = createPoller(operation, { abortSignal, onFailedPoll: () => controller.abort("enough") });
  expect(await rejection(poller.pollUntilDone())).toBe("enough");
  expect(timers()).toBe(before);
});
