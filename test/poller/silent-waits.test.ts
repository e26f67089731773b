import { expect, test } from "vitest";
import { createPoller, createPollerGroup, fixed, fromPollerLike, pollAll, pollUntilDone } from "lro-poller";
import type { Operation, PollOptions } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { resumePoller } from "../../src/poller/poller.ts";
import { rejection } from "../support/rejections.ts";

const ignore = (): void => {};

/** An operation that is over, but by a word that the library does not know. */
function endedUnknown(warnings: unknown[]): Operation {
  return {
    id: "7",
    toJSON: () => ({ id: "7" }),
    logger: { verbose: ignore, info: ignore, error: ignore, warning: (text) => warnings.push(text) },
    async getStatus() {
      return { status: { id: "7", name: "7", status: "Dequeued", endTime: new Date() } };
    },
  };
}

/** The ways to wait for the end of an operation. Each rejects with what the wait rejects with. */
const ways: readonly [
  string,
  (operation: Operation, options: Omit<PollOptions, "onProgress">) => Promise<unknown>,
][] = [
  ["pollUntilDone", pollUntilDone],
  [
    "an iteration",
    async (operation, options) => {
      for await (const _ of createPoller(operation, options));
    },
  ],
  [
    "a resumed wait",
    (operation, options) => {
      const token = createPoller(operation, options).toJSON();
      return resumePoller(operation, token, options).pollUntilDone();
    },
  ],
  [
    "pollAll",
    async (operation, options) => {
      const [result] = await pollAll([operation], options);
      if (result?.status === "rejected") throw result.reason;
    },
  ],
  [
    "a group",
    async (operation, options) => {
      const group = createPollerGroup(options);
      group.add(operation);
      for await (const { result } of group) if (result.status === "rejected") throw result.reason;
    },
  ],
];

test.each(ways)("%s without a timeout warns of an unknown end, and ends by a stall", async (_, wait) => {
  const clock = createVirtualClock();
  const warnings: unknown[] = [];
  const options = { clock, schedule: fixed(1000), random: () => 0, stallTimeoutInMs: 60_000 };
  const error = await rejection(clock.runUntilSettled(wait(endedUnknown(warnings), options)));
  expect(error).toMatchObject({
    code: "Stalled",
    message: expect.stringContaining(
      "still Dequeued after 60 s, unchanged for 60 s. The service sent an end",
    ),
  });
  expect(warnings).toEqual([
    "Operation 7: Dequeued came with an end time: if it is terminal, add it to terminalStates.",
    expect.stringContaining("polling failed"),
  ]);
});

test("a wait for the poller of an Azure SDK ends by a stall", async () => {
  const clock = createVirtualClock();
  const azurePoller = {
    poll: () => Promise.resolve(),
    getOperationState: () => ({ isCompleted: false }),
  };
  const options = { clock, schedule: fixed(1000), random: () => 0, stallTimeoutInMs: 60_000 };
  const wait = pollUntilDone(fromPollerLike(azurePoller), options);
  expect(await rejection(clock.runUntilSettled(wait))).toMatchObject({
    code: "Stalled",
    message: expect.stringContaining("still Running after 60 s, unchanged for 60 s."),
  });
});
