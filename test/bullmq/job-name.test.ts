import { LroClient, OperationStatusesClient } from "lro-poller";
import { expect, test } from "vitest";
import { jobNameOf } from "../../src/bullmq/job-name.ts";
import { tokenFor } from "../../src/bullmq/operation-identity.ts";
import type { QueueableOperation } from "../../src/bullmq/operation-identity.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const arm = new LroClient("https://management.azure.com");

function nameOf(operation: QueueableOperation): string {
  return jobNameOf(tokenFor(operation)(0));
}

test("an operation of DevCenter has its project and id as the name of its job", () => {
  const client = new OperationStatusesClient("https://devcenter.example");
  expect(nameOf(client.operation("myProject", operationId))).toBe(`myProject/${operationId}`);
  const reference = { endpoint: "https://devcenter.example", projectName: "myProject", operationId };
  expect(nameOf(reference)).toBe(`myProject/${operationId}`);
});

test("any other operation has the path of its URL, without the signature", () => {
  const url = "https://management.azure.com/subscriptions/s/operations/1?api-version=1&sig=secret";
  expect(nameOf(arm.operationAt(url))).toBe("/subscriptions/s/operations/1");
  const times = { startedAt: 1, savedAt: 1, pollCount: 0, failedPollCount: 0 };
  const state = { config: { operationLocation: url } };
  expect(jobNameOf({ version: 1, operation: {}, state, ...times })).toBe("/subscriptions/s/operations/1");
  expect(jobNameOf({ version: 1, operation: {}, ...times })).toBe("operation");
});

test("a name has at most 100 characters, of which the last say most", () => {
  const url = `https://management.azure.com/subscriptions/${"s".repeat(100)}/operations/1?api-version=1`;
  const name = nameOf(arm.operationAt(url));
  expect(name).toHaveLength(100);
  expect(name).toMatch(/^…s+\/operations\/1$/);
});
