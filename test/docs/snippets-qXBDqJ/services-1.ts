import { DefaultAzureCredential } from "@azure/identity";
import { LroClient, pollUntilDone } from "lro-poller";

const { ARM_ENDPOINT = "https://management.azure.com", RESOURCE_ID = "" } = process.env;

interface Vm {
  properties: { provisioningState?: string };
}

const client = new LroClient(ARM_ENDPOINT, new DefaultAzureCredential(), { apiVersion: "2024-07-01" });
const ready = client.operationAt<Vm>(RESOURCE_ID, {
  until: ({ properties }) => properties.provisioningState === "Succeeded",
});
const { properties } = await pollUntilDone(ready, { timeoutInMs: 600_000 });
console.log(properties.provisioningState);
