import { ComputeManagementClient } from "@azure/arm-compute";
import { describe, expect, test } from "vitest";
import {
  OperationFailedError,
  OperationStartError,
  fromPollerLike,
  pollUntilDone,
  startOperation,
} from "lro-poller";
import type { OperationServer } from "lro-poller/testing";
import { CountingCredential } from "../../support/credential.ts";
import { rejection } from "../../support/rejections.ts";
import { clientOptions, responsesOf, serve, startOptions, withoutLimits } from "./support.ts";

const succeeded = { status: "Succeeded", properties: { vmId: "vm-1" } } as const;
const vm = { location: "West Europe", tags: { a: "b" } };
const path = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Compute/virtualMachines/vm1";

function clientOf({ endpoint }: OperationServer): ComputeManagementClient {
  return new ComputeManagementClient(new CountingCredential(), "s1", { ...clientOptions, endpoint });
}

function urlOf({ endpoint }: OperationServer, action = ""): string {
  return `${endpoint}${path}${action}?api-version=2024-07-01`;
}

describe("virtualMachines.createOrUpdate", () => {
  const created = { name: "vm1", location: "West Europe", tags: { a: "b" } };
  const responses = ["PUT 201", "poll 1 200", "poll 2 200", "poll 3 200", "GET 200"];

  test("by the client's own poller", async () => {
    const server = await serve("arm", succeeded);
    const { virtualMachines } = clientOf(server);
    const result = await virtualMachines.createOrUpdate("g1", "vm1", vm, startOptions).pollUntilDone();
    expect(result).toMatchObject({ ...created, vmId: "vm-1", provisioningState: "Succeeded" });
    expect(responsesOf(server)).toEqual(responses);
  });

  test("by fromPollerLike", async () => {
    const server = await serve("arm", succeeded);
    const poller = clientOf(server).virtualMachines.createOrUpdate("g1", "vm1", vm);
    expect(await pollUntilDone(fromPollerLike(poller), withoutLimits())).toMatchObject(created);
    expect(responsesOf(server)).toEqual(responses);
  });

  test("by startOperation, over the client's pipeline", async () => {
    const server = await serve("arm", succeeded);
    const { pipeline } = clientOf(server);
    const request = { method: "PUT", url: urlOf(server), body: vm } as const;
    const result = await startOperation(request, { pipeline, ...withoutLimits() }).pollUntilDone();
    expect(result).toMatchObject({
      ...created,
      properties: { vmId: "vm-1", provisioningState: "Succeeded" },
    });
    expect(responsesOf(server)).toEqual(responses);
  });

  test("fails with the service's error", async () => {
    const error = { code: "SkuNotAvailable", message: "Not in this region." };
    const server = await serve("arm", { status: "Failed", error });
    const { pipeline } = clientOf(server);
    const request = { method: "PUT", url: urlOf(server), body: vm } as const;
    const failure = await rejection(
      startOperation(request, { pipeline, ...withoutLimits() }).pollUntilDone(),
    );
    expect(failure).toBeInstanceOf(OperationFailedError);
    expect(failure).toMatchObject({ code: "SkuNotAvailable" });
  });

  test("is rejected at the start", async () => {
    const server = await serve("arm", succeeded);
    const error = { code: "QuotaExceeded", message: "No cores are left." };
    server.failNextInitialRequest({ kind: "status", status: 409, body: { error } }, 2);
    const { virtualMachines, pipeline } = clientOf(server);
    const own = virtualMachines.createOrUpdate("g1", "vm1", vm, startOptions).pollUntilDone();
    expect(await rejection(own)).toMatchObject({ statusCode: 409, code: "QuotaExceeded" });
    const request = { method: "PUT", url: urlOf(server), body: vm } as const;
    const failure = await rejection(
      startOperation(request, { pipeline, ...withoutLimits() }).pollUntilDone(),
    );
    expect(failure).toBeInstanceOf(OperationStartError);
    expect(responsesOf(server)).toEqual(["PUT 409", "PUT 409"]);
  });
});

describe("virtualMachines.start", () => {
  const responses = ["POST 202", "poll 1 200", "poll 2 200", "poll 3 200", "GET 200"];

  test("by the client's own poller", async () => {
    const server = await serve("arm", { status: "Succeeded" });
    await clientOf(server).virtualMachines.start("g1", "vm1", startOptions).pollUntilDone();
    expect(responsesOf(server)).toEqual(responses);
  });

  test("by fromPollerLike", async () => {
    const server = await serve("arm", { status: "Succeeded" });
    const poller = clientOf(server).virtualMachines.start("g1", "vm1");
    await pollUntilDone(fromPollerLike(poller), withoutLimits());
    expect(responsesOf(server)).toEqual(responses);
  });

  test("by startOperation, over the client's pipeline", async () => {
    const server = await serve("arm", { status: "Succeeded" });
    const { pipeline } = clientOf(server);
    const request = { method: "POST", url: urlOf(server, "/start") } as const;
    await startOperation(request, { pipeline, ...withoutLimits() }).pollUntilDone();
    expect(responsesOf(server)).toEqual(responses);
  });
});

describe("virtualMachines.delete", () => {
  const responses = ["DELETE 202", "poll 1 200", "poll 2 200", "poll 3 200"];

  async function serveOne(): Promise<OperationServer> {
    const server = await serve("arm", { status: "Succeeded" });
    await clientOf(server).virtualMachines.createOrUpdate("g1", "vm1", vm, startOptions).pollUntilDone();
    return server;
  }

  test("by the client's own poller: the machine is gone", async () => {
    const server = await serveOne();
    const before = server.requests.length;
    const { virtualMachines } = clientOf(server);
    await virtualMachines.delete("g1", "vm1", startOptions).pollUntilDone();
    expect(responsesOf(server).slice(before, before + 4)).toEqual(responses);
    const failure = await rejection(virtualMachines.get("g1", "vm1"));
    expect(failure).toMatchObject({ statusCode: 404, code: "ResourceNotFound" });
  });

  test("by fromPollerLike", async () => {
    const server = await serveOne();
    const before = server.requests.length;
    const poller = clientOf(server).virtualMachines.delete("g1", "vm1");
    await pollUntilDone(fromPollerLike(poller), withoutLimits());
    expect(responsesOf(server).slice(before, before + 4)).toEqual(responses);
  });

  test("by startOperation, over the client's pipeline", async () => {
    const server = await serveOne();
    const before = server.requests.length;
    const { pipeline } = clientOf(server);
    const request = { method: "DELETE", url: urlOf(server) } as const;
    await startOperation(request, { pipeline, ...withoutLimits() }).pollUntilDone();
    expect(responsesOf(server).slice(before)).toEqual(responses);
  });
});
