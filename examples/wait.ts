import { OperationStatusesClient, pollUntilDone } from "lro-poller";
import { connect } from "./connect.ts";

const { endpoint, credential, projectName, operationId, close } = await connect();

const client = new OperationStatusesClient(endpoint, credential);
const properties = await pollUntilDone(client.operation(projectName, operationId), {
  onProgress: ({ status, percentComplete }) => console.log(status, percentComplete),
});
console.log(properties);

await close();
