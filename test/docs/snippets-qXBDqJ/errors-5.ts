import { OperationStatusesClient, PollingError, createPoller } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT); // without a credential
try {
  await createPoller(client.operation(PROJECT, OPERATION_ID)).pollUntilDone();
} catch (error) {
  if (!(error instanceof PollingError)) throw error;
  console.log(error.statusCode, error.resumeToken !== undefined);
}
