import { ComputeManagementClient } from "@azure/arm-compute";
import { DefaultAzureCredential } from "@azure/identity";
import { LroClient } from "lro-poller";

const { ARM_ENDPOINT = "https://management.azure.com", SUBSCRIPTION = "my-subscription" } = process.env;

const sdk = new ComputeManagementClient(new DefaultAzureCredential(), SUBSCRIPTION, {
  endpoint: ARM_ENDPOINT,
});
const client = new LroClient(ARM_ENDPOINT, { pipeline: sdk.pipeline }, { apiVersion: "2024-07-01" });
const vm = `/subscriptions/${SUBSCRIPTION}/resourceGroups/my-group/providers/Microsoft.Compute/virtualMachines/my-vm`;
const poller = client.startOperation({ method: "POST", url: `${vm}/start` });
await poller.pollUntilDone();
console.log(poller.status);
