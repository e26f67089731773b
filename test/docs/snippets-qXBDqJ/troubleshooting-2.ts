import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, createPoller } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const poller = createPoller(client.operation(PROJECT, OPERATION_ID));
await poller.poll();

const token = JSON.stringify(poller);
console.log(await client.resume(token, { timeoutInMs: 3_600_000 }).pollUntilDone());
