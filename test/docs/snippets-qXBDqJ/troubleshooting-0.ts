import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, pollUntilDone } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
await pollUntilDone(client.operation(PROJECT, OPERATION_ID), {
  onFailedPoll: ({ error, nextPollInMs }) => console.warn(error.code, error.message, nextPollInMs),
});
