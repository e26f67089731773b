import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, PollingTimeoutError, createPoller } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const poller = createPoller(client.operation(PROJECT, OPERATION_ID), { timeoutInMs: 1 });
try {
  await poller.pollUntilDone();
} catch (error) {
  if (!(error instanceof PollingTimeoutError) || error.resumeToken === undefined) throw error;
  console.log(error.code, await client.resume(error.resumeToken).pollUntilDone());
}
