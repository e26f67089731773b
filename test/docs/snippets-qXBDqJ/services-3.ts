import { DefaultAzureCredential } from "@azure/identity";
import { LroClient } from "lro-poller";

const { ARM_ENDPOINT = "https://management.azure.com", RESOURCE_ID = "" } = process.env;

const client = new LroClient(ARM_ENDPOINT, new DefaultAzureCredential(), { apiVersion: "2024-07-01" });
const poller = client.startOperation({ method: "PUT", url: RESOURCE_ID, body: { location: "westeurope" } });
await poller.pollUntilDone();
console.log(poller.status);
