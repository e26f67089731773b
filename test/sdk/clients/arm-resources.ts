import { ResourceManagementClient, restorePoller } from "@azure/arm-resources";
import { clientOptions, credential } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { armError } from "../services.ts";

const location = "/subscriptions/s1/operationresults/o1";
const running = { status: 202, headers: { location: `{origin}${location}?api-version=2024-01-01` } };
const options = { updateIntervalInMs: 1 };

export const armResources: SdkClient = {
  name: "@azure/arm-resources",
  method: "resourceGroups.delete",
  generation: "modular",
  service: {
    initial: ["DELETE /subscriptions/s1/resourcegroups/g1", running],
    poll: [
      `GET ${location}`,
      { running, succeeded: { status: 200 }, failed: { status: 409, body: { error: armError } } },
    ],
  },
  hasResult: false,
  async start(endpoint, serialized) {
    const client = new ResourceManagementClient(credential, "s1", { ...clientOptions, endpoint });
    const { resourceGroups, pipeline } = client;
    const poller = serialized
      ? restorePoller(client, serialized, resourceGroups.delete, options)
      : resourceGroups.delete("g1", options);
    return { poller, pipeline, serialize: () => poller.serialize() };
  },
};
