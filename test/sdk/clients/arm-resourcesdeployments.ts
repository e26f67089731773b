import { DeploymentsClient, restorePoller } from "@azure/arm-resourcesdeployments";
import { clientOptions, credential } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { armService } from "../services.ts";

const path = "/subscriptions/s1/resourcegroups/g1/providers/Microsoft.Resources/deployments/d1";
const deployment = { properties: { mode: "Incremental" as const, template: { resources: [] } } };
const options = { updateIntervalInMs: 1 };

export const armDeployments: SdkClient = {
  name: "@azure/arm-resourcesdeployments",
  method: "deployments.createOrUpdate",
  generation: "modular",
  service: armService(path, { outputs: {} }),
  async start(endpoint, serialized) {
    const client = new DeploymentsClient(credential, "s1", { ...clientOptions, endpoint });
    const { deployments, pipeline } = client;
    const poller = serialized
      ? restorePoller(client, serialized, deployments.createOrUpdate, options)
      : deployments.createOrUpdate("g1", "d1", deployment, options);
    return { poller, pipeline, serialize: () => poller.serialize() };
  },
};
