import { DefaultAzureCredential } from "@azure/identity";
import { LroClient, createPoller } from "lro-poller";

const { ARM_ENDPOINT = "https://management.azure.com", ASYNC_OPERATION_URL = "" } = process.env;

const client = new LroClient(ARM_ENDPOINT, new DefaultAzureCredential());
const poller = createPoller(client.operationAt(ASYNC_OPERATION_URL));
await poller.poll();
const token = JSON.stringify(poller);
console.log(await client.resume(token).pollUntilDone());
