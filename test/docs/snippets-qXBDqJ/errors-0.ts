import { DefaultAzureCredential } from "@azure/identity";
import {
  OperationFailedError,
  OperationStatusesClient,
  PollingTimeoutError,
  pollUntilDone,
} from "lro-poller";

const { ENDPOINT = "", OPERATION_LOCATION = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
try {
  await pollUntilDone(client.operationAt(OPERATION_LOCATION), { timeoutInMs: 3_600_000 });
} catch (error) {
  if (error instanceof OperationFailedError) console.log("failed:", error.code);
  else if (error instanceof PollingTimeoutError) console.log("still running:", error.operation?.status);
  else throw error;
}
