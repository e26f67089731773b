import { DeploymentsClient } from "@azure/arm-resourcesdeployments";
import { expect, onTestFinished, test } from "vitest";
import { createVirtualClock, startOperationServer } from "lro-poller/testing";
import type { OperationServer } from "lro-poller/testing";
import { CountingCredential } from "../../support/credential.ts";
import { rejection } from "../../support/rejections.ts";
import { createCertificate } from "../../support/tls.ts";
import { startOptions } from "./support.ts";

const certificate = await createCertificate();
const storage = "Microsoft.Storage/storageAccounts";
const template = {
  $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  contentVersion: "1.0.0.0",
  parameters: { account: { type: "string" } },
  resources: [
    {
      type: storage,
      apiVersion: "2023-05-01",
      name: "[parameters('account')]",
      location: "westeurope",
      kind: "StorageV2",
      sku: { name: "Standard_LRS" },
    },
    {
      type: "Microsoft.Resources/deployments",
      apiVersion: "2024-03-01",
      name: "access",
      dependsOn: ["[resourceId('Microsoft.Storage/storageAccounts', parameters('account'))]"],
      properties: {
        mode: "Incremental",
        template: {
          resources: [
            { type: "Microsoft.Authorization/roleAssignments", apiVersion: "2022-04-01", name: "reader" },
          ],
        },
      },
    },
  ],
  outputs: { account: { type: "string", value: "[parameters('account')]" } },
};
const deployment = {
  properties: { mode: "Incremental" as const, template, parameters: { account: { value: "files1" } } },
};

/** Starts a server on whose clock each request takes 2 s. */
async function serve(): Promise<OperationServer> {
  const clock = createVirtualClock();
  const server = await startOperationServer({
    style: "arm",
    tls: { key: certificate.key, cert: certificate.cert },
    clock,
    deployments: { pageSize: 1, emptyPages: 1, faults: () => void clock.advance(2000) },
  });
  onTestFinished(() => server.close());
  return server;
}

function clientOf({ endpoint }: OperationServer): DeploymentsClient {
  const options = { tlsOptions: { ca: certificate.cert }, endpoint };
  return new DeploymentsClient(new CountingCredential(), "s1", options);
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("@azure/arm-resourcesdeployments starts a deployment, and reads it and its operations", async () => {
  const client = clientOf(await serve());
  const result = await client.deployments
    .createOrUpdate("g1", "d1", deployment, startOptions)
    .pollUntilDone();
  const scope = "/subscriptions/s1/resourceGroups/g1/providers";
  const properties = {
    provisioningState: "Succeeded",
    outputs: { account: { type: "String", value: "files1" } },
    outputResources: [
      { id: `${scope}/${storage}/files1` },
      { id: `${scope}/Microsoft.Authorization/roleAssignments/reader` },
    ],
  };
  expect(result).toMatchObject({ name: "d1", properties });
  expect(await client.deployments.get("g1", "d1")).toMatchObject({ name: "d1", properties });
  const operations = await collect(client.deploymentOperations.list("g1", "d1"));
  expect(operations.map((operation) => operation.properties?.targetResource?.resourceName)).toEqual([
    "access",
    "files1",
    undefined,
  ]);
  const nested = operations[0]?.properties?.targetResource?.id ?? "";
  const [, name = ""] = /\/deployments\/([^/]+)$/.exec(nested) ?? [];
  expect(await collect(client.deploymentOperations.list("g1", name))).toMatchObject([
    { properties: { provisioningState: "Succeeded", targetResource: { resourceName: "reader" } } },
    { properties: { provisioningOperation: "EvaluateDeploymentOutput" } },
  ]);
});

test("@azure/arm-resourcesdeployments cancels a deployment, validates it and asks what would change", async () => {
  const client = clientOf(await serve());
  const poller = client.deployments.createOrUpdate("g1", "d1", deployment, startOptions);
  await poller.submitted();
  await client.deployments.cancel("g1", "d1");
  expect(await rejection(poller.pollUntilDone())).toMatchObject({
    message: expect.stringMatching(/cancel/i),
  });
  expect(await client.deployments.get("g1", "d1")).toMatchObject({
    properties: { provisioningState: "Canceled" },
  });
  const validated = await client.deployments.validate("g1", "d2", deployment, startOptions).pollUntilDone();
  expect(validated.properties?.validatedResources).toHaveLength(3);
  const compared = await client.deployments.whatIf("g1", "d2", deployment, startOptions).pollUntilDone();
  expect(compared.changes).toMatchObject([{ changeType: "Create" }, { changeType: "Create" }]);
});
