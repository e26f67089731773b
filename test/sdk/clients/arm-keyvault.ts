import { KeyVaultManagementClient, restorePoller } from "@azure/arm-keyvault";
import { clientOptions, credential } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { resultMark } from "../service.ts";
import type { Reply } from "../service.ts";
import { armError } from "../services.ts";

const path = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.KeyVault/vaults/v1";
const properties = { tenantId: "t1", sku: { family: "A", name: "standard" } } as const;
const options = { updateIntervalInMs: 1 };

/** The vault itself is polled. */
function vault(provisioningState: string, status = 200, error?: object): Reply {
  const state = { provisioningState, ...(error && { error }) };
  return {
    status,
    body: { id: path, name: resultMark, location: "westeurope", properties: { ...properties, ...state } },
  };
}

export const armKeyVault: SdkClient = {
  name: "@azure/arm-keyvault",
  method: "vaults.createOrUpdate",
  generation: "modular",
  service: {
    initial: [`PUT ${path}`, vault("RegisteringDns", 201)],
    poll: [
      `GET ${path}`,
      {
        running: vault("RegisteringDns"),
        succeeded: vault("Succeeded"),
        failed: vault("Failed", 200, armError),
      },
    ],
  },
  async start(endpoint, serialized) {
    const client = new KeyVaultManagementClient(credential, "s1", { ...clientOptions, endpoint });
    const { vaults, pipeline } = client;
    const poller = serialized
      ? restorePoller(client, serialized, vaults.createOrUpdate, options)
      : vaults.createOrUpdate("g1", "v1", { location: "westeurope", properties }, options);
    return { poller, pipeline, serialize: () => poller.serialize() };
  },
};
