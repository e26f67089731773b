import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, pollUntilDone } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const { uri } = await pollUntilDone(client.operation<{ uri: string }>(PROJECT, OPERATION_ID));
console.log(new URL(uri).pathname);
