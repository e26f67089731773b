// Runs in Node, Bun and Deno.
import { OperationStatusesClient, RequestError, pollUntilDone } from "lro-poller";
import { createVirtualClock, scriptedOperation, startOperationServer } from "lro-poller/testing";
import { hostAt, printReport } from "./report.ts";
import { equal } from "./scenarios.ts";

const { CONTROL = "", ENDPOINT: endpoint = "", ARM_ENDPOINT: armEndpoint = "" } = process.env;

await printReport(hostAt(CONTROL, { endpoint, armEndpoint, hidesHeaders: false }), {
  "virtual clock": async () => {
    const clock = createVirtualClock();
    const lost = new RequestError("HTTP 503", { kind: "transient", statusCode: 503 });
    const inAnHour = { status: "Running", retryAfterInMs: 3_600_000 };
    const operation = scriptedOperation([inAnHour, lost, { status: "Succeeded", properties: "deployed" }]);
    equal(await clock.runUntilSettled(pollUntilDone(operation, { clock, random: () => 0 })), "deployed");
    equal(clock.now() > 3_600_000, true);
  },

  "the emulator itself": async () => {
    const server = await startOperationServer();
    const { operationLocation } = server.addOperation({
      timeline: [
        { status: "Running", polls: 1 },
        { status: "Succeeded", properties: { answer: 42 } },
      ],
      faults: { 2: { kind: "status", status: 503 }, 3: { kind: "reset", when: "midBody" } },
    });
    const operation = new OperationStatusesClient(server.endpoint).operationAt(operationLocation);
    equal(await pollUntilDone(operation, { minDelayInMs: 20, maxDelayInMs: 20 }), { answer: 42 });
    equal(server.requests.length, 4);
    await server.close();
  },
});
