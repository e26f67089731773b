// A user's program: it waits, and prints the options of its operation's polls and whether metrics could be loaded.
import { OperationStatusesClient, pollUntilDone } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";

const server = await startOperationServer();
const { operationLocation } = server.addOperation({
  timeline: [{ status: "Succeeded", properties: "done" }],
});
const operation = new OperationStatusesClient(server.endpoint).operationAt(operationLocation);
const given: string[] = [];
const getStatus = operation.getStatus.bind(operation);
operation.getStatus = (options) => {
  given.push(...Object.keys(options));
  return getStatus(options);
};
const result = await pollUntilDone(operation);
await server.close();

const metrics = await import("lro-poller/opentelemetry").then(Object.keys, String);
console.log(JSON.stringify({ result, given, metrics }));
