import { expect, test } from "vitest";
import { OperationFailedError, RequestError } from "lro-poller";
import { createStepper, firstState } from "lro-poller/durable";
import type { StepOptions } from "lro-poller/durable";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply } from "lro-poller/testing";
import { down } from "../support/scripted-poller.ts";
import { outcomeOf } from "./outcome-of.ts";

const hour = 3_600_000;
const notFound = new RequestError("HTTP 404", { kind: "notFound", statusCode: 404 });
const noHost = new RequestError("getaddrinfo ENOTFOUND host", { kind: "transient", code: "ENOTFOUND" });
const succeeded = { status: "Succeeded", properties: 1 };

test.each<[string, ScriptedReply[], readonly number[], StepOptions]>([
  ["is no outage", ["Running", down(), noHost, succeeded], [2, 3], {}],
  ["is no grace of a new operation", [notFound, notFound, succeeded], [1, 2], {}],
  [
    "is no grace of an operation that was seen before",
    ["Running", notFound, notFound, succeeded],
    [2, 3],
    {},
  ],
  ["is no stall", ["Running", "Running", "Running", succeeded], [2, 3], { stallTimeoutInMs: 120_000 }],
])("the time in which a wait has no process %s", async (_, replies, awayBefore, options) => {
  const clock = createVirtualClock();
  const beforeStep = async (step: number): Promise<void> => {
    if (awayBefore.includes(step)) await clock.advance(hour);
  };
  const outcome = await outcomeOf(scriptedOperation(replies), options, { clock, beforeStep });
  expect(outcome).toEqual({ type: "succeeded", result: 1 });
});

test("a Retry-After is no outage of a wait in steps", async () => {
  const asked = Array.from({ length: 5 }, () => down({ retryAfterInMs: 310_000 }));
  const outcome = await outcomeOf(scriptedOperation([...asked, succeeded]));
  expect(outcome).toEqual({ type: "succeeded", result: 1 });
});

test("a wait in steps whose endpoint was never reached is told early", async () => {
  const outcome = await outcomeOf(scriptedOperation(Array.from({ length: 9 }, () => noHost)));
  expect(outcome).toMatchObject({
    type: "pollingFailed",
    error: { code: "ENOTFOUND", message: expect.stringContaining("Check the endpoint."), pollCount: 4 },
  });
});

test("an error of an operation that ends the wait is no failed poll of a wait in steps", async () => {
  const status = { id: "7", name: "7", status: "Failed" };
  const final = new OperationFailedError({ operation: status });
  const operation = scriptedOperation([
    () => {
      throw final;
    },
  ]);
  const outcome = await outcomeOf(operation);
  expect(outcome).toMatchObject({ type: "pollingFailed", error: { pollCount: 1 } });
});

test("the time in which no process has a client is no outage", async () => {
  const clock = createVirtualClock();
  const operation = scriptedOperation([down(), down(), succeeded]);
  const stranger = createStepper({ resolveOperation: () => undefined, clock });
  const owner = createStepper({ resolveOperation: () => operation, clock });
  let result = await owner.step(firstState(operation, { clock }));
  for (let step = 0; result.type === "again" && step < 90; step++) {
    await clock.advance(result.delayInMs);
    result = await stranger.step(result.state);
  }
  while (result.type === "again") {
    await clock.advance(result.delayInMs);
    result = await owner.step(result.state);
  }
  expect(result.outcome.reason).toBe("terminal");
});
