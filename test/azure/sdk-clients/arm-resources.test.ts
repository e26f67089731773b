import { ResourceManagementClient } from "@azure/arm-resources";
import { DeploymentsClient } from "@azure/arm-resourcesdeployments";
import { describe, expect, test } from "vitest";
import { fromPollerLike, pollUntilDone, startOperation } from "lro-poller";
import type { OperationServer } from "lro-poller/testing";
import { CountingCredential } from "../../support/credential.ts";
import { rejection } from "../../support/rejections.ts";
import { clientOptions, responsesOf, serve, startOptions, withoutLimits } from "./support.ts";

describe("resourceGroups.delete", () => {
  const responses = ["DELETE 202", "poll 1 200", "poll 2 200", "poll 3 200"];

  function clientOf({ endpoint }: OperationServer): ResourceManagementClient {
    return new ResourceManagementClient(new CountingCredential(), "s1", { ...clientOptions, endpoint });
  }

  async function serveOne(): Promise<OperationServer> {
    const server = await serve("arm", { status: "Succeeded" });
    const created = await clientOf(server).resourceGroups.createOrUpdate("g1", { location: "westeurope" });
    expect(created).toMatchObject({ name: "g1", type: "Microsoft.Resources/resourceGroups" });
    return server;
  }

  test("by the client's own poller: the group is gone", async () => {
    const server = await serveOne();
    const { resourceGroups } = clientOf(server);
    await resourceGroups.delete("g1", startOptions).pollUntilDone();
    expect(responsesOf(server).slice(1, 5)).toEqual(responses);
    expect(await rejection(resourceGroups.get("g1"))).toMatchObject({ statusCode: 404 });
  });

  test("by fromPollerLike", async () => {
    const server = await serveOne();
    await pollUntilDone(fromPollerLike(clientOf(server).resourceGroups.delete("g1")), withoutLimits());
    expect(responsesOf(server).slice(1, 5)).toEqual(responses);
  });

  test("by startOperation, over the client's pipeline", async () => {
    const server = await serveOne();
    const { pipeline } = clientOf(server);
    const url = `${server.endpoint}/subscriptions/s1/resourceGroups/g1?api-version=2021-04-01`;
    await startOperation({ method: "DELETE", url }, { pipeline, ...withoutLimits() }).pollUntilDone();
    expect(responsesOf(server).slice(1)).toEqual(responses);
  });
});

describe("deployments.createOrUpdate", () => {
  const outputs = { url: { type: "String", value: "https://app.example" } };
  const succeeded = { status: "Succeeded", properties: { outputs } } as const;
  const template = { $schema: "schema", resources: [] };
  const deployment = { properties: { mode: "Incremental" as const, template } };
  const responses = ["PUT 201", "poll 1 200", "poll 2 200", "poll 3 200", "GET 200"];

  function clientOf({ endpoint }: OperationServer): DeploymentsClient {
    return new DeploymentsClient(new CountingCredential(), "s1", { ...clientOptions, endpoint });
  }

  test("by the client's own poller", async () => {
    const server = await serve("arm", succeeded);
    const { deployments } = clientOf(server);
    const result = await deployments.createOrUpdate("g1", "d1", deployment, startOptions).pollUntilDone();
    expect(result).toMatchObject({ name: "d1", properties: { provisioningState: "Succeeded", outputs } });
    expect(responsesOf(server)).toEqual(responses);
  });

  test("by fromPollerLike", async () => {
    const server = await serve("arm", succeeded);
    const poller = clientOf(server).deployments.createOrUpdate("g1", "d1", deployment);
    const result = await pollUntilDone(fromPollerLike(poller), withoutLimits());
    expect(result).toMatchObject({ name: "d1", properties: { outputs } });
  });

  test("by startOperation, over the client's pipeline", async () => {
    const server = await serve("arm", succeeded);
    const { pipeline } = clientOf(server);
    const path = "/subscriptions/s1/resourcegroups/g1/providers/Microsoft.Resources/deployments/d1";
    const url = `${server.endpoint}${path}?api-version=2024-03-01`;
    const request = { method: "PUT", url, body: deployment } as const;
    const result = await startOperation(request, { pipeline, ...withoutLimits() }).pollUntilDone();
    expect(result).toMatchObject({ name: "d1", properties: { outputs } });
    expect(responsesOf(server)).toEqual(responses);
  });
});
