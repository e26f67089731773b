import { ComputeManagementClient } from "@azure/arm-compute";
import { DefaultAzureCredential } from "@azure/identity";
import { fromPollerLike, pollUntilDone } from "lro-poller";

const { ARM_ENDPOINT = "https://management.azure.com", SUBSCRIPTION = "my-subscription" } = process.env;

const client = new ComputeManagementClient(new DefaultAzureCredential(), SUBSCRIPTION, {
  endpoint: ARM_ENDPOINT,
});
const vm = { location: "westeurope" };
const azurePoller = client.virtualMachines.createOrUpdate("my-group", "my-vm", vm);
const result = await pollUntilDone(fromPollerLike(azurePoller, { pipeline: client.pipeline }), {
  timeoutInMs: 600_000,
  onProgress: ({ status, changed }) => changed && console.log(status),
});
console.log(result.name);
