import { LroClient } from "lro-poller";
import { firstState, operationKey } from "lro-poller/durable";
import { expect, test } from "vitest";

const monitorUrl = "https://management.azure.com/subscriptions/s/operations/1?api-version=1";

/** The key of a polling location. */
function keyAt(pollingLocation: object): string {
  const token = { startedAt: 1, savedAt: 1, pollCount: 0, failedPollCount: 0 };
  return operationKey({ version: 1, operation: { pollingLocation }, ...token });
}

test("a condition is refused: a state cannot hold a function", () => {
  const client = new LroClient("https://management.azure.com");
  expect(() => firstState(client.operationAt("/vm", { until: "deleted" }))).toThrow(
    /^operation: expected one without until/,
  );
});

test("an operation has one key, whatever is known of it beside its URL", () => {
  const client = new LroClient("https://management.azure.com");
  const first = operationKey(client.operationAt(monitorUrl));
  const resultUrl = "https://management.azure.com/subscriptions/s/vms/v";
  for (const rest of [
    { kind: "auto" },
    { kind: "statusMonitor", resultUrl },
    { kind: "location", deletion: "observed" },
  ]) {
    expect(keyAt({ monitorUrl, ...rest })).toBe(first);
  }
  for (const spelling of [
    `${monitorUrl}&t=1&c=2&s=3&h=4`,
    `${monitorUrl}#x`,
    monitorUrl.replace("/sub", "/SUB"),
  ])
    expect(keyAt({ kind: "auto", monitorUrl: spelling })).toBe(first);
  expect(operationKey(monitorUrl)).toBe(first);
  const times = { startedAt: 1, savedAt: 1, pollCount: 0, failedPollCount: 0 };
  const state = { status: "running", config: { operationLocation: monitorUrl } };
  expect(operationKey({ version: 1, operation: {}, state, ...times })).toBe(first);
  expect(keyAt({ kind: "auto", monitorUrl: `${monitorUrl}&asyncId=1` })).not.toBe(first);
  expect(keyAt({ kind: "auto", monitorUrl: resultUrl })).not.toBe(first);
});

test("the token of a state has the same key where a newer version has written into it", () => {
  const { token } = firstState(monitorUrl);
  const newer = { ...token, newer: 1, operation: { ...token.operation, newer: 1 } };
  expect(operationKey(newer)).toBe(operationKey(monitorUrl));
  expect(() => firstState(newer)).toThrow("token.newer: expected no such field");
});
