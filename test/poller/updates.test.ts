import { createPoller } from "lro-poller";
import type { GetStatusOptions, Operation, OperationStatus, StatusUpdate } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { expect, test } from "vitest";

/** An operation whose polls the test answers, and that keeps what the poller passes. */
function newsOperation(statuses: readonly string[]): {
  readonly operation: Operation<string>;
  readonly polls: GetStatusOptions[];
} {
  const polls: GetStatusOptions[] = [];
  return {
    polls,
    operation: {
      id: "op",
      toJSON: () => ({}),
      getStatus: async (options) => {
        const status: OperationStatus<string> = {
          id: "op",
          name: "op",
          status: statuses[polls.length] ?? "Running",
          properties: "result",
        };
        polls.push(options);
        return { status };
      },
    },
  };
}

const part = { name: "a", type: "t", status: "Running", parts: [] } as const;

async function followed(statuses: readonly string[]): Promise<{
  readonly clock: ReturnType<typeof createVirtualClock>;
  readonly polls: GetStatusOptions[];
  readonly seen: [percentComplete: number | undefined, nextPollInMs: number | undefined, parts: number][];
  readonly result: Promise<string>;
  readonly send: (update: StatusUpdate) => void;
}> {
  const { operation, polls } = newsOperation(statuses);
  const clock = createVirtualClock();
  const seen: [number | undefined, number | undefined, number][] = [];
  const result = createPoller(operation, {
    clock,
    random: () => 0,
    schedule: () => 10_000,
    onProgress: ({ percentComplete, nextPollInMs, operation: { parts = [] } }) =>
      seen.push([percentComplete, nextPollInMs, parts.length]),
  }).pollUntilDone();
  await clock.advance(4000);
  return { clock, polls, seen, result, send: (update) => polls[0]?.onUpdate?.(update) };
}

test("news between polls is a progress, and moves no poll", async () => {
  const { clock, polls, seen, result, send } = await followed(["Running", "Succeeded"]);
  send({ parts: [part], percentComplete: 40 });
  expect(seen).toEqual([
    [undefined, 10_000, 0],
    [40, 6000, 1],
  ]);
  await clock.advance(2000);
  send({ percentComplete: 30 });
  expect(seen.at(-1)).toEqual([40, 4000, 1]);
  await clock.advance(3999);
  expect(polls).toHaveLength(1);
  await clock.advance(1);
  expect(await result).toBe("result");
  expect(polls).toHaveLength(2);
});

test("news of the end makes the poller poll at once", async () => {
  const { clock, polls, result, send } = await followed(["Running", "Succeeded"]);
  send({ status: "Succeeded" });
  expect(await clock.runUntilSettled(result)).toBe("result");
  expect(clock.now()).toBe(4000);
  send({ percentComplete: 10 });
  expect(polls).toHaveLength(2);
});

test.each([
  ["reported", "number"],
  ["shareOfParts", "undefined"],
] as const)("a percentage that is %s leads to an estimate of type %s", async (percentageKind, type) => {
  const { operation, polls } = newsOperation(["Running"]);
  const clock = createVirtualClock();
  const poller = createPoller(operation, { clock, random: () => 0 });
  const estimates: string[] = [];
  poller.onProgress(({ estimatedRemainingInMs }) => estimates.push(typeof estimatedRemainingInMs));
  const controller = new AbortController();
  const waiting = poller.pollUntilDone({ abortSignal: controller.signal }).catch(() => {});
  for (const percentComplete of [10, 20, 30, 40, 50, 60]) {
    await clock.advance(10_000);
    polls.at(-1)?.onUpdate?.({ percentComplete, percentageKind });
  }
  expect(estimates.at(-1)).toBe(type);
  controller.abort();
  await waiting;
});

test("nobody asks for news where no caller follows the progress", async () => {
  const { operation, polls } = newsOperation(["Running", "Succeeded"]);
  const clock = createVirtualClock();
  await clock.runUntilSettled(createPoller(operation, { clock }).pollUntilDone());
  expect(polls.map(({ onUpdate }) => onUpdate)).toEqual([undefined, undefined]);
});
