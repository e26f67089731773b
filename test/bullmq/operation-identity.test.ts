import { LroClient } from "lro-poller";
import { expect, test } from "vitest";
import { jobIdOf, tokenFor } from "../../src/bullmq/operation-identity.ts";

const monitorUrl = "https://management.azure.com/subscriptions/s/operations/1?api-version=1";

/** The id of the job for a polling location. */
function idAt(pollingLocation: object): string {
  const token = { startedAt: 1, savedAt: 1, pollCount: 0, failedPollCount: 0 };
  return jobIdOf({ version: 1, operation: { pollingLocation }, ...token });
}

test("a condition is refused: a job cannot hold a function", () => {
  const client = new LroClient("https://management.azure.com");
  expect(() => tokenFor(client.operationAt("/vm", { until: "deleted" }))).toThrow(
    /^operation: expected one without until/,
  );
});

test("an operation has one job, whatever is known of it beside its URL", () => {
  const client = new LroClient("https://management.azure.com");
  const first = jobIdOf(tokenFor(client.operationAt(monitorUrl))(0));
  const resultUrl = "https://management.azure.com/subscriptions/s/vms/v";
  for (const rest of [
    { kind: "auto" },
    { kind: "statusMonitor", resultUrl },
    { kind: "location", deletion: "observed" },
  ]) {
    expect(idAt({ monitorUrl, ...rest })).toBe(first);
  }
  for (const spelling of [
    `${monitorUrl}&t=1&c=2&s=3&h=4`,
    `${monitorUrl}#x`,
    monitorUrl.replace("/sub", "/SUB"),
  ])
    expect(idAt({ kind: "auto", monitorUrl: spelling })).toBe(first);
  const times = { startedAt: 1, savedAt: 1, pollCount: 0, failedPollCount: 0 };
  const state = { status: "running", config: { operationLocation: monitorUrl } };
  expect(jobIdOf({ version: 1, operation: {}, state, ...times })).toBe(first);
  expect(idAt({ kind: "auto", monitorUrl: `${monitorUrl}&asyncId=1` })).not.toBe(first);
  expect(idAt({ kind: "auto", monitorUrl: resultUrl })).not.toBe(first);
});
