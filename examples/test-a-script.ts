import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationFailedError, PollingTimeoutError, RequestError, createPoller } from "lro-poller";
import type { Clock, Operation } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";

/** The script to test. It waits for a deployment, an hour at most, and returns the exit code of the process. */
async function waitForDeployment(operation: Operation, log: string[], clock?: Clock): Promise<number> {
  const poller = createPoller(operation, { timeoutInMs: 3_600_000, ...(clock && { clock }) });
  poller.onFailedPoll(({ error }) => log.push(`poll failed: ${error.message}`));
  try {
    log.push(`deployed: ${String(await poller.pollUntilDone())}`);
    return 0;
  } catch (error) {
    if (error instanceof OperationFailedError) log.push(`failed: ${error.code}`);
    else if (error instanceof PollingTimeoutError) log.push(`still ${poller.status} after an hour`);
    else throw error;
    return 1;
  }
}

// Hours take milliseconds, and no request is sent.
const inTwentyMinutes = { status: "Running", retryAfterInMs: 1_200_000 };
const outage = new RequestError("HTTP 503", { kind: "transient", statusCode: 503 });

await test("an outage in the middle does not fail a deployment", async () => {
  const clock = createVirtualClock();
  const log: string[] = [];
  const end = { status: "Succeeded", properties: "v2" };
  const operation = scriptedOperation([inTwentyMinutes, outage, outage, inTwentyMinutes, end]);
  assert.equal(await clock.runUntilSettled(waitForDeployment(operation, log, clock)), 0);
  assert.deepEqual(log, ["poll failed: HTTP 503", "poll failed: HTTP 503", "deployed: v2"]);
  operation.assertFinished();
});

await test("the service's own code is in the log", async () => {
  const clock = createVirtualClock();
  const log: string[] = [];
  const error = { code: "QuotaExceeded", message: "8 cores needed, 2 left." };
  const operation = scriptedOperation(["Running", { status: "Failed", error }]);
  assert.equal(await clock.runUntilSettled(waitForDeployment(operation, log, clock)), 1);
  assert.deepEqual(log, ["failed: QuotaExceeded"]);
});

await test("the wait ends after an hour", async () => {
  const clock = createVirtualClock();
  const log: string[] = [];
  const operation = scriptedOperation(Array.from({ length: 9 }, () => inTwentyMinutes));
  assert.equal(await clock.runUntilSettled(waitForDeployment(operation, log, clock)), 1);
  assert.deepEqual(log, ["still Running after an hour"]);
  assert.equal(clock.now(), 3_600_000);
});
