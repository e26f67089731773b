import { OperationStatusesClient, PollingTimeoutError, pollUntilDone } from "lro-poller";
import { connect } from "./connect.ts";

const { endpoint, credential, projectName, operationId, close } = await connect();

const client = new OperationStatusesClient(endpoint, credential);
try {
  await pollUntilDone(client.operation(projectName, operationId), { timeoutInMs: 2000 });
} catch (error) {
  if (!(error instanceof PollingTimeoutError) || error.resumeToken === undefined) throw error;
  console.log(error.message);
  // The token is a small JSON object without secrets: keep it in a file, a queue or a pipeline variable.
  const poller = client.resume(error.resumeToken);
  console.log(await poller.pollUntilDone());
}

await close();
