// A program of a user's: it waits, and prints what its operation's read was given, and how metrics could be loaded.
import { OperationStatusesClient, pollUntilDone } from "lro-poller";
import { startOperationStatusServer } from "lro-poller/testing";

const server = await startOperationStatusServer();
const { operationLocation } = server.addOperation({
  timeline: [{ status: "Succeeded", properties: "done" }],
});
const operation = new OperationStatusesClient(server.endpoint).operationAt(operationLocation);
const given: string[] = [];
const read = operation.getStatus.bind(operation);
operation.getStatus = (options) => {
  given.push(...Object.keys(options));
  return read(options);
};
const result = await pollUntilDone(operation);
await server.close();

const metrics = await import("lro-poller/opentelemetry").then(Object.keys, String);
console.log(JSON.stringify({ result, given, metrics }));
