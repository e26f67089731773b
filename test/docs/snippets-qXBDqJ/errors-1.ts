import { DefaultAzureCredential } from "@azure/identity";
import { OperationFailedError, OperationStatusesClient, pollUntilDone } from "lro-poller";

const { ENDPOINT = "", OPERATION_LOCATION = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
try {
  await pollUntilDone(client.operationAt(OPERATION_LOCATION));
} catch (error) {
  if (!(error instanceof OperationFailedError)) throw error;
  console.log(error.hasCode("quotaExceeded"), error.rootCause);
}
