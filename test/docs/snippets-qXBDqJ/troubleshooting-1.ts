import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
console.log((await client.getOperationStatus(PROJECT, OPERATION_ID)).status);
