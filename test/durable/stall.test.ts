import { expect, test } from "vitest";
import { PollingTimeoutError } from "lro-poller";
import type { Operation } from "lro-poller";
import { createStepper, firstState } from "lro-poller/durable";
import { scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply } from "lro-poller/testing";
import { down } from "../support/scripted-poller.ts";
import { outcomeOf } from "./outcome-of.ts";

const deleting = { status: "Deleting", percentComplete: 100 };
const everySecond = { minDelayInMs: 1000, maxDelayInMs: 1000 };

test("a stall ends a wait in steps, whichever process polls, as in a poller", async () => {
  const replies: ScriptedReply[] = [{ status: "Deleting", percentComplete: 90 }, deleting, down(), deleting];
  const operation = scriptedOperation([...replies, deleting, deleting]);
  const options = { ...everySecond, stallTimeoutInMs: 3500 };
  const outcome = await outcomeOf(operation, options);
  if (outcome.type !== "pollingFailed") throw new Error(`expected a stall, got ${outcome.type}`);
  expect(outcome.error).toBeInstanceOf(PollingTimeoutError);
  expect(outcome.error).toMatchObject({
    code: "Stalled",
    pollCount: 6,
    resumeToken: expect.stringContaining('"version":1'),
    message: expect.stringMatching(
      / is still Deleting at 100 % after 5(\.\d)? s, unchanged for 4(\.\d)? s\. /,
    ),
  });
});

test("a wait in steps whose state changes does not stall", async () => {
  const operation = scriptedOperation(["A", "B", "C", "A", { status: "Succeeded", properties: 7 }]);
  const options = { ...everySecond, stallTimeoutInMs: 1500 };
  expect(await outcomeOf(operation, options)).toEqual({ type: "succeeded", result: 7 });
});

test("every poll of a wait in steps receives its terminal states", async () => {
  const scripted = scriptedOperation(["Running", "Succeeded"]);
  const received: unknown[] = [];
  const operation: Operation = {
    ...scripted,
    getStatus(options) {
      received.push(options.terminalStates);
      return scripted.getStatus(options);
    },
  };
  const terminalStates = { succeeded: ["Dequeued"], failed: ["Dead"] };
  await outcomeOf(operation, { ...everySecond, terminalStates });
  expect(received).toEqual([terminalStates, terminalStates]);
});

test("a state whose terminal states are no lists of words is rejected", async () => {
  const operation = scriptedOperation([]);
  const stepper = createStepper({ resolveOperation: () => operation });
  const state = firstState(operation);
  for (const [terminalStates, message] of [
    [{ succeeded: "Dequeued" }, "state.options.terminalStates.succeeded: expected an array"],
    [{ succeeded: [7] }, "state.options.terminalStates.succeeded[0]: expected a string"],
    [{ succeeded: ["x"], failed: ["X"] }, 'terminalStates: expected "x" in one list'],
  ] as const) {
    await expect(stepper.step({ ...state, options: { terminalStates } })).rejects.toThrow(message);
  }
});
