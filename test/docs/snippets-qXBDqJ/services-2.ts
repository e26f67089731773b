import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient } from "lro-poller";

const { ENDPOINT = "", PROJECT = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const poller = client.createDevBox(PROJECT, "me", "my-dev-box", { poolName: "myPool" });
console.log((await poller.started).statusCode);
console.log((await poller.pollUntilDone()).provisioningState);
