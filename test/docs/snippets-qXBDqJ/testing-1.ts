import assert from "node:assert/strict";
import { createPoller, fixed } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";

const clock = createVirtualClock();
const operation = scriptedOperation(["Running", "Running", { status: "Succeeded", properties: 42 }]);
const poller = createPoller(operation, { clock, schedule: fixed(1000) });

const result = poller.pollUntilDone();
await clock.advance(500);
assert.equal(poller.status, "Running");
assert.equal(await clock.runUntilSettled(result), 42);
operation.assertFinished();
assert.equal(clock.pendingTimers, 0);
console.log(operation.polls.length, "polls in", clock.now(), "virtual ms");
