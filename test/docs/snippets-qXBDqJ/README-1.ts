import { DefaultAzureCredential } from "@azure/identity";
import { LroClient, pollUntilDone } from "lro-poller";

const { ARM_ENDPOINT = "https://management.azure.com", ASYNC_OPERATION_URL = "" } = process.env;

const client = new LroClient(ARM_ENDPOINT, new DefaultAzureCredential());
const result = await pollUntilDone(client.operationAt(ASYNC_OPERATION_URL), {
  onProgress: ({ status }) => console.log(status),
});
console.log(result);
