import { ComputeManagementClient, restorePoller } from "@azure/arm-compute";
import { clientOptions, credential } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { armService } from "../services.ts";

const path = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Compute/virtualMachines/vm1";
const options = { updateIntervalInMs: 1 };

export const armCompute: SdkClient = {
  name: "@azure/arm-compute",
  method: "virtualMachines.createOrUpdate",
  generation: "modular",
  service: armService(path, { vmId: "1" }),
  async start(endpoint, serialized) {
    const client = new ComputeManagementClient(credential, "s1", { ...clientOptions, endpoint });
    const { virtualMachines, pipeline } = client;
    const poller = serialized
      ? restorePoller(client, serialized, virtualMachines.createOrUpdate, options)
      : virtualMachines.createOrUpdate("g1", "vm1", { location: "westeurope" }, options);
    return { poller, pipeline, serialize: () => poller.serialize() };
  },
};
