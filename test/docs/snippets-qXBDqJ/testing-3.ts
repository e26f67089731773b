import { OperationStatusesClient, createPoller } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";

const server = await startOperationServer();
const { operationLocation } = server.addOperation({
  timeline: [
    { status: "Running", polls: 2 },
    { status: "Succeeded", properties: { answer: 42 } },
  ],
  faults: { 2: { kind: "status", status: 503 } },
});

const poller = createPoller(new OperationStatusesClient(server.endpoint).operationAt(operationLocation));
console.log(await poller.pollUntilDone(), server.requests.length, "requests");
await server.close();
