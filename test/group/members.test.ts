import { describe, expect, test } from "vitest";
import { OperationStatusesClient, createPoller, createPollerGroup, pollAll, toPollerLike } from "lro-poller";
import type { Operation } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { settled } from "../support/rejections.ts";

const client = new OperationStatusesClient("https://dev.devcenter.azure.com");
const operation = client.operation("myProject", "fa067167-e49d-41bd-8dd8-de719b9de3b3");
const aPoller = createPoller(operation);
const azurePoller = { pollUntilDone: () => Promise.resolve(), operationState: undefined, isDone: false };
const legacyPoller = { pollUntilDone: () => Promise.resolve(), getOperationState: () => ({}) };

const wrongMembers: [unknown, string][] = [
  [undefined, "nothing"],
  [null, "null"],
  [7, "7"],
  ["https://x.example/operations/1?secret=1", '"https://x.example/operations/1'],
  [{}, "an object without id, getStatus and toJSON"],
  [{ ...operation, id: 7 }, "an object without id, getStatus and toJSON"],
  [[operation], "an array"],
  [Promise.resolve(operation), "a promise: await it first"],
  [aPoller, "a poller of this library: pass its operation"],
  [azurePoller, "the poller of an Azure SDK: pass fromPollerLike(poller)"],
  [legacyPoller, "the poller of an Azure SDK: pass fromPollerLike(poller)"],
  [toPollerLike(aPoller), "the poller of an Azure SDK: pass fromPollerLike(poller)"],
];

/** JavaScript callers pass anything. */
function asOperation(value: unknown): Operation {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as Operation;
}

describe("a member that is no operation is refused by name", () => {
  test.each(wrongMembers)("by pollAll, before anything is sent: %o", async (wrong, got) => {
    const first = scriptedOperation(["Succeeded"]);
    const error = await settled(pollAll([first, asOperation(wrong)]));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(`operations[1]: expected what client.operation() returns, got ${got}`);
    expect(String(error)).not.toContain("secret");
    expect(first.polls).toEqual([]);
  });

  test.each(wrongMembers)("by a group: %o", (wrong, got) => {
    const group = createPollerGroup();
    expect(() => group.add(asOperation(wrong))).toThrow(
      `operation: expected what client.operation() returns, got ${got}`,
    );
    expect(group.progress.total).toBe(0);
  });
});

test.each([
  [undefined, "nothing"],
  [operation, "an object without"],
  ["operation", '"operation"'],
])("pollAll refuses what is no list: %o", async (wrong, got) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const error = await settled(pollAll(wrong as Iterable<Operation>));
  expect(String(error)).toContain(`operations: expected an array or another iterable, got ${got}`);
});

test("pollAll takes any iterable", async () => {
  const clock = createVirtualClock();
  const operations = new Set([scriptedOperation(["Succeeded"]), scriptedOperation(["Succeeded"])]);
  expect(await clock.runUntilSettled(pollAll(operations, { clock }))).toHaveLength(2);
});

test("an operation that is added again after its id has changed is the same", () => {
  const renamed = scriptedOperation([]);
  const group = createPollerGroup();
  const poller = group.add(renamed);
  Object.assign(renamed, { id: "after" });
  expect(group.add(renamed)).toBe(poller);
});
