import { createPoller } from "lro-poller";
import type { Operation } from "lro-poller";
import { scriptedOperation } from "lro-poller/testing";
import { expect, test } from "vitest";
import { waitForAll } from "../../../src/cli/commands/waits.ts";
import type { Target } from "../../../src/cli/input/targets.ts";
import { exitCodeOfAll } from "../../../src/cli/output/wait-outcome.ts";

function targetOf(operation: Operation): Target {
  return {
    id: operation.id,
    kind: "operations",
    operation,
    canCancel: false,
    createPoller: (options) => createPoller(operation, options),
  };
}

test("with --any the first of two operations that are over at the same time counts", async () => {
  const [failed, succeeded] = [
    scriptedOperation([{ status: "Failed" }]),
    scriptedOperation([{ status: "Succeeded" }]),
  ];
  const ended: [number, string][] = [];
  const outcomes = await waitForAll([targetOf(succeeded), targetOf(failed)], {
    options: { any: true },
    reporter: {
      progress() {},
      failedPoll() {},
      ended: (index, { type }) => void ended.push([index, type]),
      close() {},
    },
    // With a history each wait is alone.
    history: { options: (options) => Promise.resolve(options), close: () => Promise.resolve() },
    interruption: new AbortController().signal,
    pollOptions: {},
  });
  expect(ended).toEqual([
    [0, "succeeded"],
    [1, "interrupted"],
  ]);
  expect(exitCodeOfAll(outcomes, true)).toBe(0);
});
