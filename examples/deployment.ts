import { LroClient, OperationFailedError, createPoller } from "lro-poller";
import type { OperationPart } from "lro-poller";
import { deployment, failedPartsOf } from "lro-poller/arm";
import { startOperationServer } from "lro-poller/testing";

// An emulated Azure Resource Manager; a deployment of a minute takes six seconds.
const storage = "Microsoft.Storage/storageAccounts";
const server = await startOperationServer({ style: "arm", speed: 10, deployments: {} });
const { id } = server.addDeployment({
  name: "main",
  resources: [
    { type: "Microsoft.Network/virtualNetworks", name: "net", durationInMs: 15_000 },
    {
      name: "data",
      dependsOn: ["net"],
      deployment: {
        resources: [
          { type: storage, name: "hot", durationInMs: 30_000 },
          { type: storage, name: "cold", durationInMs: 20_000, failure: "policy" },
        ],
      },
    },
  ],
});

const client = new LroClient(server.endpoint);
const poller = createPoller(deployment(client, id), { minDelayInMs: 50, maxDelayInMs: 500 });

// While somebody follows the progress, the lists of the deployment's operations are read too.
poller.onProgress(({ status, operation: { parts = [], partsDone = 0, partsTotal = 0 } }) => {
  console.log(`${status}, ${partsDone} of ${partsTotal}`);
  show(parts, "  ");
});

function show(parts: readonly OperationPart[], indent: string): void {
  for (const part of parts) {
    console.log(`${indent}${part.name} ${part.status}`);
    show(part.parts, `${indent}  `);
  }
}

try {
  console.log(await poller.pollUntilDone());
} catch (error) {
  if (!(error instanceof OperationFailedError)) throw error;
  console.log(error.message);
  console.log(failedPartsOf(error).map((part) => part.id));
}
await server.close();
