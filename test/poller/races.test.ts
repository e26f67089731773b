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
import type {
  FailedPoll,
  Operation,
  PollLogger,
  PollOptions,
  PollerEnd,
  Progress,
  StatusResponse,
} from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedPoll, ScriptedReply, VirtualClock } from "lro-poller/testing";
import { sleep } from "../../src/clock.ts";
import { settled, microtasks, rejection } from "../support/rejections.ts";
import { down, forever, scriptedPoller } from "../support/scripted-poller.ts";

/** More microtasks than any response takes to be handled. */
const everyMicrotask = Array.from({ length: 40 }, (_, count) => count);

const succeeded: ScriptedReply = { status: "Succeeded", properties: 1 };

class FinalError extends LroError {
  override readonly name = "FinalError";
}

const permanentFailure = down({ kind: "permanent" });

function nameOf(end: unknown): unknown {
  return end instanceof Error ? end.name : end;
}

/** The first reply; then the operation succeeds. */
const firstReplies: [string, ScriptedReply][] = [
  ["has the result", succeeded],
  ["has a state", "Running"],
  ["has a state later", async () => microtasks(9).then(() => "Running")],
  ["fails", down()],
  ["fails with a long Retry-After", down({ retryAfterInMs: 3_600_000 })],
  ["fails permanently", permanentFailure],
  ["hangs", forever],
];

describe("an abort at any microtask", () => {
  test.each(firstReplies)(
    "of a wait whose poll %s leaves no timer and no listener, and no event follows",
    async (_, reply) => {
      for (const count of everyMicrotask) {
        const received = vi.fn<(event: Progress | FailedPoll) => void>();
        const { clock, operation, poller } = scriptedPoller([reply, succeeded], {
          onProgress: received,
          onFailedPoll: received,
        });
        const controller = new AbortController();
        const add = vi.spyOn(controller.signal, "addEventListener");
        const remove = vi.spyOn(controller.signal, "removeEventListener");
        const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
        await microtasks(count);
        const receivedBefore = received.mock.calls.length;
        controller.abort("enough");
        await wait;
        await clock.advance(0);
        expect.soft(received, `events after ${count} microtasks`).toHaveBeenCalledTimes(receivedBefore);
        expect.soft(clock.pendingTimers, `timers after ${count} microtasks`).toBe(0);
        expect.soft(remove).toHaveBeenCalledTimes(add.mock.calls.length);
        await clock.advance(7_200_000);
        expect.soft(operation.polls, `polls after ${count} microtasks`).toHaveLength(1);
      }
    },
  );

  test.each(firstReplies)(
    "of one of two waits whose poll %s changes nothing for the other",
    async (_, reply) => {
      const options = { requestTimeoutInMs: 500 };
      const undisturbed = scriptedPoller([reply, succeeded], options);
      const end = await undisturbed.clock.runUntilSettled(settled(undisturbed.poller.pollUntilDone()));
      for (const count of everyMicrotask) {
        const { clock, poller, pollTimes } = scriptedPoller([reply, succeeded], options);
        const controller = new AbortController();
        const one = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
        const other = settled(poller.pollUntilDone());
        await microtasks(count);
        controller.abort("enough");
        const endOfOther = await clock.runUntilSettled(other);
        expect.soft(nameOf(endOfOther)).toBe(nameOf(end));
        expect.soft(["enough", endOfOther]).toContain(await one);
        expect.soft(pollTimes()).toEqual(undisturbed.pollTimes());
        expect.soft(clock.pendingTimers).toBe(0);
      }
    },
  );

  test.each(firstReplies)("of a wait whose poll %s does not change the next wait", async (_, reply) => {
    for (const count of everyMicrotask) {
      const { clock, operation, poller } = scriptedPoller([reply, succeeded]);
      const controller = new AbortController();
      const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
      await microtasks(count);
      controller.abort("enough");
      const end = await clock.runUntilSettled(settled(poller.pollUntilDone()));
      // A permanent failure ends even the next wait when the abort came too late to abort its request.
      expect
        .soft(nameOf(end))
        .toBe(reply === permanentFailure && operation.polls.length === 1 ? "PollingError" : 1);
      await wait;
      expect.soft(clock.pendingTimers).toBe(0);
    }
  });

  test("of poll() leaves nothing behind, and another poll() sends another request", async () => {
    for (const count of everyMicrotask) {
      const { clock, poller } = scriptedPoller(["Running", "Running"]);
      const controller = new AbortController();
      const poll = settled(poller.poll({ abortSignal: controller.signal }));
      await microtasks(count);
      controller.abort("enough");
      await poll;
      expect.soft(clock.pendingTimers).toBe(0);
      expect.soft((await poller.poll()).status).toBe("Running");
    }
  });

  test("by a listener to failed polls leaves no timer, whatever the Retry-After", async () => {
    const controller = new AbortController();
    const { clock, poller } = scriptedPoller([down({ retryAfterInMs: 3_600_000 })], {
      onFailedPoll: () => controller.abort("enough"),
    });
    const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(0);
    expect(await wait).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  test("that comes before a failure is handled leaves no unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): unknown => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    try {
      for (const count of everyMicrotask) {
        const controller = new AbortController();
        const { clock, poller } = scriptedPoller([async () => Promise.reject(new Error("too late"))]);
        const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
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

describe("callers that start and abort waits", () => {
  test("start again at once a wait that was aborted during an outage", async () => {
    const controller = new AbortController();
    const { clock, poller, pollTimes } = scriptedPoller([down(), succeeded], {
      onFailedPoll: () => controller.abort("enough"),
    });
    const one = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(0);
    const other = poller.pollUntilDone();
    await clock.advance(0);
    expect(await one).toBe("enough");
    expect(await other).toBe(1);
    expect(pollTimes()).toEqual([0, 0]);
  });

  test("may start another wait from within a listener; when that is aborted too, nothing is sent", async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { clock, operation, poller } = scriptedPoller([down({ retryAfterInMs: 5000 }), "Running"]);
    const ends: Promise<unknown>[] = [];
    poller.onFailedPoll(() => {
      first.abort("one");
      ends.push(settled(poller.pollUntilDone({ abortSignal: second.signal })));
    });
    ends.push(settled(poller.pollUntilDone({ abortSignal: first.signal })));
    await clock.advance(0);
    second.abort("two");
    expect(await Promise.all(ends)).toEqual(["one", "two"]);
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("are not affected by a bug that ended an earlier wait", async () => {
    const controller = new AbortController();
    const { clock, poller } = scriptedPoller([new TypeError("x is not a function"), succeeded], {
      onFailedPoll: () => controller.abort("enough"),
    });
    const one = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(0);
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(await one).toBe("enough");
  });

  test("of poll() send nothing during the Retry-After of a failed poll, though another wait has started", async () => {
    const controller = new AbortController();
    const { clock, operation, poller } = scriptedPoller([down({ retryAfterInMs: 60_000 }), succeeded]);
    const one = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
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

  test("of poll() after a timeout reject because of the Retry-After, not of the timeout", async () => {
    const { clock, operation, poller } = scriptedPoller([down({ retryAfterInMs: 60_000 })], {
      timeoutInMs: 2000,
    });
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    await rejection(poller.poll(), PollingError);
    expect(operation.polls).toHaveLength(1);
  });

  test("never cause two requests at a time, and unsubscribe nothing behind", async () => {
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
        const inFlight = new InFlightRequests();
        const ownSignal = new AbortController();
        const { clock, poller } = scriptedPoller([...replies, succeeded].map(inFlight.count), {
          requestTimeoutInMs: 2500,
          timeoutInMs: 9000,
          abortSignal: ownSignal.signal,
        });
        const callers: AbortController[] = [];
        const ends: Promise<unknown>[] = [];
        const methods = { wait: "pollUntilDone", poll: "poll" } as const;
        for (const step of actions) {
          if (step === "listen") poller.onProgress(() => JSON.stringify(poller));
          else if (step === "iterate") ends.push(settled(poller[Symbol.asyncIterator]().next()));
          else if (typeof step === "string") {
            const caller = new AbortController();
            callers.push(caller);
            ends.push(settled(poller[methods[step]]({ abortSignal: caller.signal })));
          } else if ("abort" in step) callers[step.abort % Math.max(1, callers.length)]?.abort();
          else if ("advance" in step) await clock.advance(step.advance);
          else await microtasks(step.microtasks);
        }
        if (isDisposed) await clock.runUntilSettled(poller[Symbol.asyncDispose]());
        else ownSignal.abort();
        await Promise.all(ends);
        await clock.advance(0);
        expect(clock.pendingTimers).toBe(0);
        expect(inFlight.max).toBeLessThanOrEqual(1);
        expect(inFlight.polls.size).toBe(0);
      }),
    );
  });
});

/** Counts the requests under way. */
class InFlightRequests {
  readonly polls = new Set<ScriptedPoll>();
  max = 0;

  readonly count =
    (reply: ScriptedReply): ScriptedReply =>
    async (poll) => {
      this.polls.add(poll);
      this.max = Math.max(this.max, this.polls.size);
      poll.abortSignal.addEventListener("abort", () => this.polls.delete(poll));
      await Promise.resolve();
      const response = await (typeof reply === "function" ? reply(poll) : reply);
      this.polls.delete(poll);
      return response;
    };
}

describe("an iterator that is returned", () => {
  test("while its next() is pending ends at once, and stops the loop", async () => {
    const { clock, operation, poller } = scriptedPoller(["Running", "Running"]);
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
    const { clock, operation, poller } = scriptedPoller(["Running"]);
    await poller[Symbol.asyncIterator]().return?.();
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(0);
  });

  test("does not affect other waits", async () => {
    const { clock, poller } = scriptedPoller(["Running", "Running", succeeded]);
    const wait = poller.pollUntilDone();
    const iterator = poller[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    expect(await clock.runUntilSettled(wait)).toBe(1);
  });
});

describe("a listener", () => {
  test("that unsubscribes before it got the latest progress is not called", async () => {
    const { clock, poller } = scriptedPoller(["Running"]);
    await poller.poll();
    const listener = vi.fn<(progress: Progress) => void>();
    poller.onProgress(listener)();
    await clock.advance(0);
    expect(listener).not.toHaveBeenCalled();
  });

  test("that subscribes at any microtask never gets an older progress after a newer one", async () => {
    for (const count of everyMicrotask) {
      const { clock, poller } = scriptedPoller(["Running", succeeded]);
      await poller.poll();
      const received: string[] = [];
      const poll = poller.poll();
      await microtasks(count);
      poller.onProgress(({ status }) => received.push(status));
      await poll;
      await clock.advance(0);
      expect.soft(["Running,Succeeded", "Succeeded"]).toContain(received.join());
    }
  });

  test("may poll, wait, listen and write the token of the poller that it listens to", async () => {
    const { clock, poller, pollTimes } = scriptedPoller(["Running", "Running", succeeded]);
    const received: unknown[] = [];
    const ends: Promise<unknown>[] = [];
    const unsubscribe = poller.onProgress(({ pollCount }) => {
      unsubscribe();
      poller.onProgress((progress) => received.push([pollCount, progress.pollCount]));
      received.push(poller.toJSON().pollCount);
      ends.push(poller.poll(), poller.pollUntilDone());
    });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(await Promise.all(ends)).toMatchObject([{ pollCount: 2 }, 1]);
    expect(received).toEqual([1, [1, 1], [1, 2], [1, 3]]);
    expect(pollTimes()).toEqual([0, 0, 1000]);
  });

  test("that aborts at the last progress affects its own wait only", async () => {
    const controller = new AbortController();
    const { clock, poller } = scriptedPoller([succeeded], { onProgress: () => controller.abort("enough") });
    const one = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    const other = poller.pollUntilDone();
    expect(await clock.runUntilSettled(other)).toBe(1);
    expect(await one).toBe("enough");
  });
});

describe("a poll() beside a wait", () => {
  const slowly =
    (clock: VirtualClock, reply: ScriptedReply, delayInMs = 9000): ScriptedReply =>
    async (poll) => {
      await sleep(clock, delayInMs);
      return typeof reply === "function" ? reply(poll) : reply;
    };

  test("whose timeout passes gets its own response", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation([slowly(clock, "Running"), succeeded], { clock });
    const poller = createPoller(operation, { clock, timeoutInMs: 5000 });
    const waiting = settled(poller.pollUntilDone());
    const poll = poller.poll();
    expect(await clock.runUntilSettled(waiting)).toBeInstanceOf(PollingTimeoutError);
    expect(clock.now()).toBe(5000);
    expect(await clock.runUntilSettled(poll)).toMatchObject({ status: "Running", nextPollInMs: undefined });
    expect(clock.pendingTimers).toBe(0);
    await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
  });

  test("whose timeout passes gets its own failure", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation([slowly(clock, down())], { clock });
    const poller = createPoller(operation, { clock, timeoutInMs: 5000 });
    const waiting = settled(poller.pollUntilDone());
    const poll = settled(poller.poll());
    expect(await clock.runUntilSettled(waiting)).toBeInstanceOf(PollingTimeoutError);
    expect(await clock.runUntilSettled(poll)).toMatchObject({ name: "PollingError", code: "RequestFailed" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("can learn the end of the operation after the timeout of the wait", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation([slowly(clock, succeeded)], { clock });
    const poller = createPoller(operation, { clock, timeoutInMs: 5000 });
    const waiting = settled(poller.pollUntilDone());
    const poll = poller.poll();
    await clock.runUntilSettled(waiting);
    expect(await clock.runUntilSettled(poll)).toMatchObject({ status: "Succeeded" });
    await expect(poller.pollUntilDone()).resolves.toBe(1);
  });

  test.each<[string, PollOptions, readonly ScriptedReply[]]>([
    ["stalls", { stallTimeoutInMs: 1500 }, ["Running", "Running", "Running"]],
    ["ends with an outage", { outageToleranceInMs: 1500 }, ["Running", down(), down(), down()]],
  ])(
    "that a listener makes in the poll by which it %s gets its own response",
    async (_, options, replies) => {
      const ends: Promise<unknown>[] = [];
      const { clock, operation, poller } = scriptedPoller([...replies, succeeded], options);
      const pollAgain = ({ pollCount }: { readonly pollCount: number }): void => {
        if (pollCount === replies.length) ends.push(settled(poller.poll()));
      };
      poller.onProgress(pollAgain);
      poller.onFailedPoll(pollAgain);
      expect(await clock.runUntilSettled(settled(poller.pollUntilDone()))).toBeInstanceOf(LroError);
      expect(await clock.runUntilSettled(Promise.all(ends))).toMatchObject([{ status: "Succeeded" }]);
      expect(operation.polls).toHaveLength(replies.length + 1);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  test("leaves it to the next wait to have an observer of its own", async () => {
    const clock = createVirtualClock();
    const onEnd = vi.fn<(snapshot: unknown, end: PollerEnd) => void>();
    const observer = { onResponse: () => {}, onFailedPoll: () => {}, onEnd };
    const scripted = scriptedOperation([slowly(clock, "Running", 6000), succeeded], { clock });
    const poller = createPoller({ ...scripted, observe: () => observer }, { clock, timeoutInMs: 5000 });
    void settled(poller.poll());
    await clock.runUntilSettled(settled(poller.pollUntilDone()));
    await clock.runUntilSettled(poller.pollUntilDone());
    expect(onEnd.mock.calls.map(([, { type }]) => type)).toEqual(["pollingFailed", "succeeded"]);
  });

  test("announces no next poll once nobody waits for the end", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation([slowly(clock, "Running"), slowly(clock, down())], { clock });
    const poller = createPoller(operation, { clock });
    for (const type of ["response", "failure"]) {
      const controller = new AbortController();
      const waiting = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
      const nextPolls: unknown[] = [];
      const listener = ({ nextPollInMs }: { readonly nextPollInMs: unknown }): void =>
        void nextPolls.push(nextPollInMs);
      const unsubscribe = type === "response" ? poller.onProgress(listener) : poller.onFailedPoll(listener);
      const poll = settled(poller.poll());
      controller.abort("enough");
      await clock.runUntilSettled(Promise.all([waiting, poll]));
      unsubscribe();
      expect(nextPolls).toEqual([undefined]);
      expect(clock.pendingTimers).toBe(0);
    }
  });
});

describe("a deadline", () => {
  test("applies to a wait that joins a poll() under way", async () => {
    const { clock, operation, poller } = scriptedPoller([forever], { timeoutInMs: 5000 });
    const poll = settled(poller.poll());
    await clock.advance(1000);
    await rejection(clock.runUntilSettled(poller.pollUntilDone()), PollingTimeoutError);
    expect(clock.now()).toBe(6000);
    expect(operation.polls[0]?.abortSignal.aborted).toBe(false);
    expect(await clock.runUntilSettled(poll)).toMatchObject({ code: "RequestTimeout" });
    expect(operation.polls[0]?.abortSignal.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test("does not apply to poll()", async () => {
    const slow = (): Promise<string> =>
      new Promise((resolve) => void clock.setTimer(() => resolve("Running"), 9000));
    const { clock, poller } = scriptedPoller([slow], { timeoutInMs: 5000 });
    expect((await clock.runUntilSettled(poller.poll())).status).toBe("Running");
  });

  test("ends a wait whose operation's toJSON() throws", async () => {
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

describe("user code", () => {
  test("whose toJSON() throws loses neither a result nor an error", async () => {
    const clock = createVirtualClock();
    const good = withoutToken(scriptedOperation([succeeded]));
    expect(await clock.runUntilSettled(pollUntilDone(good, { clock }))).toBe(1);
    const bad = withoutToken(scriptedOperation(["Failed"]));
    await rejection(clock.runUntilSettled(pollUntilDone(bad, { clock })), OperationFailedError);
  });

  test("that throws in loggers and listeners does not affect the wait", async () => {
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
  ])("that rejects a poll with %s is a transient failure with a readable message", async (_, reason) => {
    const reject = async (): Promise<never> => {
      throw reason;
    };
    const { clock, poller } = scriptedPoller([reject, reject, succeeded]);
    const failure = await rejection(poller.poll(), PollingError);
    expect(failure.message).not.toMatch(/\[object|: undefined|: \./);
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
  });

  test.each([undefined, null, {}, "Running"])(
    "that resolves a poll with %j ends the wait with an error",
    async (response) => {
      const { clock } = scriptedPoller([]);
      // What types forbid, plain JavaScript does.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const getStatus = (): Promise<StatusResponse> => Promise.resolve(response as StatusResponse);
      const wait = pollUntilDone({ id: "1", getStatus, toJSON: () => ({}) }, { clock });
      expect(await rejection(clock.runUntilSettled(wait), Error)).toBeInstanceOf(Error);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  test.each([NaN, -1, -Infinity])("that returns %d as Retry-After returns none", async (retryAfterInMs) => {
    const { clock, poller, pollTimes } = scriptedPoller([
      { status: "Running", retryAfterInMs },
      down({ retryAfterInMs }),
      succeeded,
    ]);
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(pollTimes()).toEqual([0, 1000, 2000]);
  });

  test("that throws an LroError of its own ends the wait, and every later call, with it", async () => {
    const finalError = new FinalError("gone for good", "Gone");
    const { clock, operation, poller } = scriptedPoller([
      "Running",
      () => {
        throw finalError;
      },
    ]);
    expect(await clock.runUntilSettled(rejection(poller.pollUntilDone()))).toBe(finalError);
    expect(await rejection(poller.poll())).toBe(finalError);
    expect(await rejection(poller.pollUntilDone())).toBe(finalError);
    expect(poller.isDone).toBe(true);
    expect(operation.polls).toHaveLength(2);
  });
});

test("a token written before a caller waits does not start the wait", async () => {
  const notFound = new RequestError("HTTP 404", { kind: "notFound", statusCode: 404 });
  const { clock, poller } = scriptedPoller([notFound, succeeded], { notFoundGraceInMs: 30_000 });
  JSON.stringify(poller);
  await clock.advance(60_000);
  expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
});

test("a wait on the system's clock that is aborted in an outage leaves no timer in the process", async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const controller = new AbortController();
  const operation = scriptedOperation([down({ retryAfterInMs: 60_000 })]);
  const { signal: abortSignal } = controller;
  const poller = createPoller(operation, { abortSignal, onFailedPoll: () => controller.abort("enough") });
  expect(await rejection(poller.pollUntilDone())).toBe("enough");
  expect(timers()).toBe(before);
});
