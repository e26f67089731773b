import { describe, expect, test } from "vitest";
import {
  OperationFailedError,
  OperationStartError,
  PollingTimeoutError,
  RequestError,
  createPoller,
  createPollerGroup,
  fixed,
} from "lro-poller";
import type { Poller, PollOptions } from "lro-poller";
import { scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { resumePoller } from "../../src/poller/poller.ts";
import { lateClock } from "../support/clock.ts";
import { rejection, settled } from "../support/rejections.ts";
import { down } from "../support/scripted-poller.ts";

const timeoutInMs = 60_000;

/** The reply comes after the deadline, and before the deadline's timer, which is 5 ms late. */
function lateReply(clock: VirtualClock, reply: ScriptedReply): ScriptedReply {
  return async (poll) => {
    await new Promise<void>((resolve) => {
      clock.setTimer(resolve, timeoutInMs + 2 - clock.now() - 5);
    });
    return typeof reply === "function" ? reply(poll) : reply;
  };
}

interface LatePoller {
  readonly clock: VirtualClock;
  readonly operation: ReturnType<typeof scriptedOperation>;
  readonly options: Omit<PollOptions, "onProgress" | "onFailedPoll">;
}

function latePoller(reply: ScriptedReply): LatePoller {
  const clock = lateClock(5);
  const next = { status: "Succeeded", properties: 1 };
  const operation = scriptedOperation([lateReply(clock, reply), next], { clock });
  const options = { clock, timeoutInMs, requestTimeoutInMs: 90_000, schedule: fixed(1000), random: () => 0 };
  return { clock, operation, options };
}

/** The ways to wait. Each returns the poller, and what settles as the wait does. */
const ways: readonly [string, (setup: LatePoller) => { poller: Poller; waiting: Promise<unknown> }][] = [
  [
    "pollUntilDone",
    ({ operation, options }) => {
      const poller = createPoller(operation, options);
      return { poller, waiting: poller.pollUntilDone() };
    },
  ],
  [
    "pollUntilDone beside a poll()",
    ({ operation, options }) => {
      const poller = createPoller(operation, options);
      void settled(poller.poll());
      return { poller, waiting: poller.pollUntilDone() };
    },
  ],
  [
    "an iteration",
    ({ operation, options }) => {
      const poller = createPoller(operation, options);
      const iterate = async (): Promise<void> => {
        for await (const _ of poller);
      };
      return { poller, waiting: iterate() };
    },
  ],
  [
    "a resumed wait",
    ({ operation, options }) => {
      const poller = resumePoller(operation, createPoller(operation, options).toJSON(), options);
      return { poller, waiting: poller.pollUntilDone() };
    },
  ],
  [
    "a group",
    ({ operation, options }) => {
      const group = createPollerGroup(options);
      const poller = group.add(operation);
      const wait = async (): Promise<void> => {
        const [result] = await group.pollUntilDone();
        if (result?.status === "rejected") throw result.reason;
      };
      return { poller, waiting: wait() };
    },
  ],
];

describe.each(ways)("%s whose last poll ends after the deadline, but before its timer", (_, wait) => {
  test.each<[string, ScriptedReply]>([
    ["a running state", "Running"],
    ["a failed poll", down()],
    ["a 404", new RequestError("HTTP 404", { kind: "notFound" })],
  ])("with %s is not final: the same poller can wait again", async (__, reply) => {
    const setup = latePoller(reply);
    const { poller, waiting } = wait(setup);
    await setup.clock.runUntilSettled(settled(waiting));
    await expect(waiting).rejects.toMatchObject({ name: expect.stringMatching(/Timeout|NotFound/) });
    expect(poller.isDone).toBe(false);
    await expect(setup.clock.runUntilSettled(poller.pollUntilDone())).resolves.toBe(1);
    expect(setup.operation.polls).toHaveLength(2);
    expect(poller.isDone).toBe(true);
    expect(setup.clock.pendingTimers).toBe(0);
  });

  test("with a terminal state ends as the operation did", async () => {
    const setup = latePoller({ status: "Failed" });
    const { poller, waiting } = wait(setup);
    await setup.clock.runUntilSettled(settled(waiting));
    if (!setup.operation.polls[0]) throw new Error("expected a poll");
    await expect(poller.pollUntilDone()).rejects.toBeInstanceOf(OperationFailedError);
    expect(poller.isDone).toBe(true);
    expect(setup.operation.polls).toHaveLength(1);
  });
});

test("a stall that a late response shows is not final", async () => {
  const clock = lateClock(5);
  const operation = scriptedOperation(["Running", lateReply(clock, "Running"), "Succeeded"], { clock });
  const options = { clock, timeoutInMs, stallTimeoutInMs: 10_000, requestTimeoutInMs: 90_000 };
  const poller = createPoller(operation, options);
  expect(await clock.runUntilSettled(settled(poller.pollUntilDone()))).toBeInstanceOf(PollingTimeoutError);
  expect(poller.isDone).toBe(false);
  await clock.runUntilSettled(poller.pollUntilDone());
  expect(poller.isDone).toBe(true);
});

test("there is nothing to poll after a failed start: later calls reject with the same error", async () => {
  const cause = new RequestError("HTTP 409", { kind: "permanent", statusCode: 409 });
  const startError = new OperationStartError("PUT box did not start an operation", cause);
  const clock = lateClock(5);
  const operation = {
    id: "7",
    toJSON: () => ({}),
    initialRequest: Promise.reject(startError),
    getStatus: () => Promise.reject(startError),
  };
  const poller = createPoller(operation, { clock });
  expect(await rejection(clock.runUntilSettled(poller.pollUntilDone()))).toBe(startError);
  expect(poller.isDone).toBe(true);
  expect(await rejection(clock.runUntilSettled(poller.poll()))).toBe(startError);
  expect(await rejection(clock.runUntilSettled(poller.pollUntilDone()))).toBe(startError);
  expect(clock.pendingTimers).toBe(0);
});
