import { DefaultAzureCredential } from "@azure/identity";
import {
  OperationCanceledError,
  OperationFailedError,
  OperationStatusesClient,
  pollUntilDone,
} from "lro-poller";

const { ENDPOINT = "", OPERATION_LOCATION = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
try {
  await pollUntilDone(client.operationAt(OPERATION_LOCATION));
} catch (error) {
  const isOver = error instanceof OperationFailedError || error instanceof OperationCanceledError;
  if (!isOver) throw error;
  console.log(error.code, error.target, error.details[0]?.code, error.innererror?.code);
  console.log(error.message.replace(/Operation \S+/, "Operation …"));
}
