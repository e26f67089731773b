import { LroClient, OperationStatusesClient } from "lro-poller";
import { expect, test } from "vitest";
import { firstState } from "lro-poller/durable";
import type { OperationSource } from "lro-poller/durable";
import { nameOf } from "../../src/durable/operation-name.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const arm = new LroClient("https://management.azure.com");

function nameOfSource(source: OperationSource): string {
  return nameOf(firstState(source).token);
}

test("an operation of DevCenter has its project and id as its name", () => {
  const client = new OperationStatusesClient("https://devcenter.example");
  expect(nameOfSource(client.operation("myProject", operationId))).toBe(`myProject/${operationId}`);
  const reference = { endpoint: "https://devcenter.example", projectName: "myProject", operationId };
  expect(nameOfSource(reference)).toBe(`myProject/${operationId}`);
});

test("any other operation has the path of its URL, without the signature", () => {
  const url = "https://management.azure.com/subscriptions/s/operations/1?api-version=1&sig=secret";
  expect(nameOfSource(arm.operationAt(url))).toBe("/subscriptions/s/operations/1");
  const times = { startedAt: 1, savedAt: 1, pollCount: 0, failedPollCount: 0 };
  const state = { config: { operationLocation: url } };
  expect(nameOf({ version: 1, operation: {}, state, ...times })).toBe("/subscriptions/s/operations/1");
  expect(nameOf({ version: 1, operation: {}, ...times })).toBe("operation");
});

test("a name has at most 100 characters, of which the last say most", () => {
  const url = `https://management.azure.com/subscriptions/${"s".repeat(100)}/operations/1?api-version=1`;
  const name = nameOfSource(arm.operationAt(url));
  expect(name).toHaveLength(100);
  expect(name).toMatch(/^…s+\/operations\/1$/);
});
