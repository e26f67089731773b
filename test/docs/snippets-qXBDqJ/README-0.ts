import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, pollUntilDone } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const properties = await pollUntilDone(client.operation(PROJECT, OPERATION_ID), {
  onProgress: ({ status, percentComplete = 0 }) => console.log(status, `${percentComplete} %`),
});
console.log(properties);
