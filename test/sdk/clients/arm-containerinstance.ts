import { ContainerInstanceManagementClient } from "@azure/arm-containerinstance";
import { clientOptions, credential } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { armService } from "../services.ts";

const path = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.ContainerInstance/containerGroups/c1";
const group = { location: "westeurope", containers: [], osType: "Linux" };

export const armContainerInstance: SdkClient = {
  name: "@azure/arm-containerinstance",
  method: "containerGroups.beginCreateOrUpdate",
  generation: "generated",
  service: armService(path, { containers: [], osType: "Linux" }),
  async start(endpoint, resumeFrom) {
    const client = new ContainerInstanceManagementClient(credential, "s1", { ...clientOptions, endpoint });
    const options = { updateIntervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const poller = await client.containerGroups.beginCreateOrUpdate("g1", "c1", group, options);
    return { poller, pipeline: client.pipeline, serialize: () => poller.toString() };
  },
};
