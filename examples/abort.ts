import { OperationStatusesClient, createPoller } from "lro-poller";
import { connect } from "./connect.ts";

const { endpoint, credential, projectName, operationId, close } = await connect();

const client = new OperationStatusesClient(endpoint, credential);
const poller = createPoller(client.operation(projectName, operationId));

// Stop waiting after a second and a half. The operation goes on, and the poller can be asked again.
try {
  await poller.pollUntilDone({ abortSignal: AbortSignal.timeout(1500) });
} catch {
  console.log("stopped waiting; the operation is", poller.status);
}
for await (const { status, percentComplete, elapsedInMs } of poller) {
  console.log(`${Math.round(elapsedInMs / 1000)} s: ${status} ${percentComplete ?? ""}`);
}
console.log(await poller.pollUntilDone());

await close();
