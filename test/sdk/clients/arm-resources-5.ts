import { ResourceManagementClient } from "arm-resources-5";
import { clientOptions, credential } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { armService } from "../services.ts";

const path = "/subscriptions/s1/resourcegroups/g1/providers/Microsoft.Resources/deployments/d1";
const deployment = { properties: { mode: "Incremental" as const, template: { resources: [] } } };

export const armResources5: SdkClient = {
  name: "@azure/arm-resources 5",
  method: "deployments.beginCreateOrUpdate",
  generation: "generated",
  service: armService(path, { outputs: {} }),
  async start(endpoint, resumeFrom) {
    const client = new ResourceManagementClient(credential, "s1", { ...clientOptions, endpoint });
    const options = { updateIntervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const poller = await client.deployments.beginCreateOrUpdate("g1", "d1", deployment, options);
    return { poller, pipeline: client.pipeline, serialize: () => poller.toString() };
  },
};
