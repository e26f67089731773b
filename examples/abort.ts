import { OperationStatusesClient, createPoller } from "lro-poller";
import { connect } from "./connect.ts";

const { endpoint, credential, projectName, operationId, close } = await connect();

const client = new OperationStatusesClient(endpoint, credential);
const poller = createPoller(client.operation(projectName, operationId));

// Abort the wait after a second and a half. The operation continues, and the poller can wait again.
try {
  await poller.pollUntilDone({ abortSignal: AbortSignal.timeout(1500) });
} catch {
  console.log("wait aborted; the operation is", poller.status);
}
for await (const { status, percentComplete, elapsedInMs } of poller) {
  console.log(`${Math.round(elapsedInMs / 1000)} s: ${status} ${percentComplete ?? ""}`);
}
console.log(await poller.pollUntilDone());

await close();
