import { ReadError, pollUntilDone } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";

// A service that takes three hours and has an outage in the middle, tested in milliseconds.
const clock = createVirtualClock();
const inAnHour = { status: "Running", retryAfterInMs: 3_600_000 };
const outage = new ReadError("HTTP 503", { kind: "transient", statusCode: 503 });
const operation = scriptedOperation<string>([
  inAnHour,
  inAnHour,
  outage,
  inAnHour,
  { status: "Succeeded", properties: "deployed" },
]);

const result = await clock.runUntilSettled(pollUntilDone(operation, { clock, random: () => 0 }));
console.log(result, "after", clock.now() / 1000, "virtual seconds");
operation.assertFinished();
