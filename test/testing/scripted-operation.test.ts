import { describe, expect, test } from "vitest";
import {
  ContractError,
  PollingError,
  RequestError,
  createPoller,
  fixed,
  pollUntilDone,
} from "../../src/index.ts";
import type { StatusResponse } from "../../src/index.ts";
import { createVirtualClock, scriptedOperation } from "../../src/testing/index.ts";
import type { ScriptedOperation } from "../../src/testing/index.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const silent = { verbose() {}, info() {}, warning() {}, error() {} };

function poll<P>(operation: ScriptedOperation<P>): Promise<StatusResponse<P>> {
  return operation.getStatus({ abortSignal: new AbortController().signal });
}

describe("replies", () => {
  test("a word stands for a body that the real parser takes", async () => {
    const { status } = await poll(scriptedOperation(["cancelled"], { operationId }));
    expect(status).toMatchObject({ name: operationId, status: "Canceled" });
    expect(status.id).toBe(`/projects/scripted/operationStatuses/${operationId}`);
  });

  test("a body keeps its fields, without those that stand for headers", async () => {
    const startTime = "2024-01-24T21:14:58.472Z";
    const reply = { status: "Running", percentComplete: 40, startTime, retryAfterInMs: 5000, requestId: "r" };
    const { status, ...rest } = await poll(scriptedOperation([reply]));
    expect(status).toMatchObject({ percentComplete: 40, startTime: new Date(startTime) });
    expect(status).not.toHaveProperty("retryAfterInMs");
    expect(rest).toEqual({ retryAfterInMs: 5000, requestId: "r" });
  });

  test("a body that breaks the contract, or names another operation, is rejected", async () => {
    await expect(poll(scriptedOperation([{ status: "" }]))).rejects.toThrow(ContractError);
    const name = "00000000-e49d-41bd-8dd8-de719b9de3b3";
    const other = scriptedOperation([{ status: "Running", name }], { operationId });
    await expect(poll(other)).rejects.toThrow(`$.name: expected the operation ${operationId}, got "${name}"`);
  });

  test("an error is thrown as it is", async () => {
    const error = new RequestError("busy", { kind: "transient", statusCode: 503 });
    await expect(poll(scriptedOperation([error]))).rejects.toBe(error);
  });

  test("a function gets the poll, and may return a promise", async () => {
    const operation = scriptedOperation([
      "Running",
      ({ pollNumber }) => Promise.resolve({ status: "Running", percentComplete: pollNumber }),
      () => new Error("from a function"),
    ]);
    await poll(operation);
    expect((await poll(operation)).status.percentComplete).toBe(2);
    await expect(poll(operation)).rejects.toThrow("from a function");
  });

  test("an invalid reply is rejected", () => {
    // @ts-expect-error a number is no reply
    expect(() => scriptedOperation(["Running", 5])).toThrow("replies[1]: expected a state, a body");
    // @ts-expect-error replies are an array
    expect(() => scriptedOperation("Running")).toThrow('replies: expected an array, got "Running"');
    expect(() => scriptedOperation([], { operationId: "1" })).toThrow("operationId: expected text like");
  });
});

describe("strictness", () => {
  test("a poll after the last reply fails, and assertFinished reports it too", async () => {
    const operation = scriptedOperation(["Running"], { operationId });
    await poll(operation);
    await expect(poll(operation)).rejects.toThrow(
      'no reply for poll 2: expected polls: 1; the last reply was "Running"',
    );
    expect(() => operation.assertFinished()).toThrow(`Operation ${operationId}: expected polls: 1, got 2`);
  });

  test("a poll after the last reply ends a wait at once", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation(["Running"], { logger: silent });
    const wait = pollUntilDone(operation, { clock, schedule: fixed(1000) });
    await expect(clock.runUntilSettled(wait)).rejects.toThrow(PollingError);
    expect(clock.now()).toBe(1000);
  });

  test("assertFinished reports the replies that are left", async () => {
    const operation = scriptedOperation(["Running", { status: "Succeeded" }], { operationId });
    await poll(operation);
    expect(() => operation.assertFinished()).toThrow(
      "expected polls: 2, got 1; the next reply is { status: 'Succeeded' }",
    );
    await poll(operation);
    expect(() => operation.assertFinished()).not.toThrow();
  });
});

test("serves a whole wait in virtual time, with the times of its polls", async () => {
  const clock = createVirtualClock();
  const operation = scriptedOperation<{ uri: string }>(
    [
      "NotStarted",
      { status: "Running", retryAfterInMs: 60_000 },
      { status: "Succeeded", properties: { uri: "u" } },
    ],
    { clock, logger: silent },
  );
  const wait = pollUntilDone(operation, { clock, schedule: fixed(10_000), random: () => 0 });
  await expect(clock.runUntilSettled(wait)).resolves.toEqual({ uri: "u" });
  expect(operation.polls.map(({ pollNumber, startedAt }) => [pollNumber, startedAt])).toEqual([
    [1, 0],
    [2, 10_000],
    [3, 70_000],
  ]);
  operation.assertFinished();
  expect(clock.pendingTimers).toBe(0);
});

test("the signal of a poll shows that the poller has given up a reply that hangs", async () => {
  const clock = createVirtualClock();
  const operation = scriptedOperation([() => new Promise<"Running">(() => {}), "Succeeded"], {
    logger: silent,
  });
  const wait = createPoller(operation, { clock, requestTimeoutInMs: 5000 }).pollUntilDone();
  await clock.runUntilSettled(wait);
  expect(operation.polls.map(({ abortSignal }) => abortSignal.aborted)).toEqual([true, false]);
});

test("has its id in messages and in tokens", () => {
  const operation = scriptedOperation([], { operationId });
  expect(operation.id).toBe(operationId);
  expect(JSON.stringify(operation.toJSON())).toBe(`{"operationId":"${operationId}"}`);
  expect(scriptedOperation([]).id).toMatch(/^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/);
});
