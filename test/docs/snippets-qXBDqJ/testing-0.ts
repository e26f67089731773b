import { RequestError, pollUntilDone } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";

const clock = createVirtualClock();
const outage = new RequestError("HTTP 503", { kind: "transient", statusCode: 503 });
const inAnHour = { status: "Running", retryAfterInMs: 3_600_000 };
const operation = scriptedOperation([
  inAnHour,
  inAnHour,
  outage,
  { status: "Succeeded", properties: "deployed" },
]);

const result = await clock.runUntilSettled(pollUntilDone(operation, { clock, random: () => 0 }));
console.log(result, "after", clock.now() / 1000, "virtual seconds");
