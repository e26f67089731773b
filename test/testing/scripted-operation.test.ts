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

function read<P>(operation: ScriptedOperation<P>): Promise<StatusResponse<P>> {
  return operation.getStatus({ abortSignal: new AbortController().signal });
}

describe("replies", () => {
  test("a word stands for a body that the real parser takes", async () => {
    const { status } = await read(scriptedOperation(["cancelled"], { operationId }));
    expect(status).toMatchObject({ name: operationId, status: "Canceled" });
    expect(status.id).toBe(`/projects/scripted/operationStatuses/${operationId}`);
  });

  test("a body keeps its fields, and says apart what its headers said", async () => {
    const startTime = "2024-01-24T21:14:58.472Z";
    const reply = { status: "Running", percentComplete: 40, startTime, retryAfterInMs: 5000, requestId: "r" };
    const { status, ...rest } = await read(scriptedOperation([reply]));
    expect(status).toMatchObject({ percentComplete: 40, startTime: new Date(startTime) });
    expect(status).not.toHaveProperty("retryAfterInMs");
    expect(rest).toEqual({ retryAfterInMs: 5000, requestId: "r" });
  });

  test("a body that breaks the contract, or names another operation, is refused", async () => {
    await expect(read(scriptedOperation([{ status: "" }]))).rejects.toThrow(ContractError);
    const name = "00000000-e49d-41bd-8dd8-de719b9de3b3";
    const other = scriptedOperation([{ status: "Running", name }], { operationId });
    await expect(read(other)).rejects.toThrow(`$.name: expected the operation ${operationId}, got "${name}"`);
  });

  test("an error is thrown as it is", async () => {
    const error = new RequestError("busy", { kind: "transient", statusCode: 503 });
    await expect(read(scriptedOperation([error]))).rejects.toBe(error);
  });

  test("a function sees the read and takes its time", async () => {
    const operation = scriptedOperation([
      "Running",
      ({ pollNumber }) => Promise.resolve({ status: "Running", percentComplete: pollNumber }),
      () => new Error("from a function"),
    ]);
    await read(operation);
    expect((await read(operation)).status.percentComplete).toBe(2);
    await expect(read(operation)).rejects.toThrow("from a function");
  });

  test("what is no reply is refused", () => {
    // @ts-expect-error a number is no reply
    expect(() => scriptedOperation(["Running", 5])).toThrow("replies[1]: expected a state, a body");
    // @ts-expect-error replies are an array
    expect(() => scriptedOperation("Running")).toThrow('replies: expected an array, got "Running"');
    expect(() => scriptedOperation([], { operationId: "1" })).toThrow("operationId: expected text like");
  });
});

describe("strictness", () => {
  test("a read beyond the script is refused, and shows at the end too", async () => {
    const operation = scriptedOperation(["Running"], { operationId });
    await read(operation);
    await expect(read(operation)).rejects.toThrow(
      'read 2 is beyond the script, which expected the last to be read 1, answered by "Running"',
    );
    expect(() => operation.assertFinished()).toThrow(`Operation ${operationId}: expected polls: 1, got 2`);
  });

  test("such a read ends a wait at once", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation(["Running"], { logger: silent });
    const wait = pollUntilDone(operation, { clock, schedule: fixed(1000) });
    await expect(clock.runUntilSettled(wait)).rejects.toThrow(PollingError);
    expect(clock.now()).toBe(1000);
  });

  test("replies left over show at the end", async () => {
    const operation = scriptedOperation(["Running", { status: "Succeeded" }], { operationId });
    await read(operation);
    expect(() => operation.assertFinished()).toThrow(
      "expected polls: 2, got 1; next is { status: 'Succeeded' }",
    );
    await read(operation);
    expect(() => operation.assertFinished()).not.toThrow();
  });
});

test("drives a whole wait without time: progress, result, log", async () => {
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

test("the log shows that a reader let go of a reply that hangs", async () => {
  const clock = createVirtualClock();
  const operation = scriptedOperation([() => new Promise<"Running">(() => {}), "Succeeded"], {
    logger: silent,
  });
  const wait = createPoller(operation, { clock, requestTimeoutInMs: 5000 }).pollUntilDone();
  await clock.runUntilSettled(wait);
  expect(operation.polls.map(({ abortSignal }) => abortSignal.aborted)).toEqual([true, false]);
});

test("names itself, in messages and in tokens", () => {
  const operation = scriptedOperation([], { operationId });
  expect(operation.id).toBe(operationId);
  expect(JSON.stringify(operation.toJSON())).toBe(`{"operationId":"${operationId}"}`);
  expect(scriptedOperation([]).id).toMatch(/^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/);
});
