import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, pollAll } from "lro-poller";

const { ENDPOINT = "", OPERATION_LOCATION = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const operations = [client.operation(PROJECT, OPERATION_ID), client.operationAt(OPERATION_LOCATION)];
const results = await pollAll(operations, { onProgress: ({ finished, total }) => void [finished, total] });
console.log(results.map(({ status }) => status));
