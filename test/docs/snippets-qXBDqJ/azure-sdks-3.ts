import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, createPoller, toPollerLike } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const azurePoller = toPollerLike(createPoller(client.operation(PROJECT, OPERATION_ID)));
azurePoller.onProgress(({ status }) => console.log(status));
console.log(await azurePoller.pollUntilDone());
