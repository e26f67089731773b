import { describe, expect, test } from "vitest";
import { rejection } from "../../support/rejections.ts";
import { clientOf, fast, on, serve } from "../lro/support.ts";
import { at, azurePoller, box, busy, monitor, running, statusRequest, succeeded } from "./support.ts";

describe("a string of core-lro's serialize()", () => {
  const version = "?api-version=2025-02-01";
  const ends = [
    on(`${statusRequest}${version}`, 200, running),
    on(`${statusRequest}${version}`, 200, succeeded),
  ];
  const asResource = on(`GET /boxes/b1${version}`, 200, box);

  test.each([
    ["Operation-Location", "PUT", on("PUT /boxes/b1", 201, monitor), [...ends, asResource], box.body],
    ["Operation-Location", "DELETE", on("DELETE /boxes/b1", 202, monitor), ends, succeeded.body],
    [
      "Azure-AsyncOperation and Location",
      "POST",
      on("POST /boxes/b1", 202, { headers: { "azure-asyncoperation": at, location: "/boxes/b1" } }),
      [...ends, asResource],
      box.body,
    ],
    [
      "Location",
      "POST",
      on("POST /boxes/b1", 202, { headers: { location: at } }),
      [on(`${statusRequest}${version}`, 202), on(`${statusRequest}${version}`, 200, box)],
      box.body,
    ],
    [
      "the body",
      "PUT",
      on("PUT /boxes/b1", 201, { body: { provisioningState: "Creating" } }),
      [on(`GET /boxes/b1${version}`, 200, { body: { provisioningState: "Creating" } }), asResource],
      box.body,
    ],
    ["the body, over at once", "PUT", on("PUT /boxes/b1", 200, box), [asResource], box.body],
  ])(
    "of an operation polled by %s, started by %s, continues here",
    async (_, method, first, rest, result) => {
      const server = await serve([first]);
      const token = await azurePoller(server, `${method} /boxes/b1`).serialize();
      server.add(...rest);
      const resumed = clientOf(server).resume(token, fast());
      expect(resumed).toMatchObject({ status: undefined, isDone: false });
      expect(await resumed.pollUntilDone()).toEqual(result);
      server.assertFinished();
    },
  );

  test("written midway continues from there, parsed or not", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, { ...running, headers: { "operation-location": "/operations/7b" } }),
      on(`GET /operations/7b${version}`, 200, succeeded),
      asResource,
      on(`GET /operations/7b${version}`, 200, succeeded),
      asResource,
    ]);
    const azure = azurePoller(server);
    await azure.poll();
    const token = await azure.serialize();
    expect(await clientOf(server).resume(token, fast()).pollUntilDone()).toEqual(box.body);
    expect(await clientOf(server).resume(JSON.parse(token), fast()).pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("of an operation that core-lro marked as failed after one failed poll continues here", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 503, busy),
      ...ends,
      asResource,
    ]);
    const azure = azurePoller(server);
    expect(await rejection(azure.poll())).toMatchObject({ name: "RestError" });
    const token = await azure.serialize();
    expect(JSON.parse(token)).toMatchObject({ state: { status: "failed" } });
    expect(await clientOf(server).resume(token, fast()).pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("of DevCenter, whose Location is the status monitor itself, needs no second request", async () => {
    const headers = { "operation-location": at, location: `{origin}${at}?monitor=true` };
    const server = await serve([
      on("POST /boxes/b1:start", 202, { headers }),
      on(`${statusRequest}${version}`, 200, { body: { status: "Succeeded", properties: { started: true } } }),
    ]);
    const token = await azurePoller(server, "POST /boxes/b1:start").serialize();
    expect(await clientOf(server).resume(token, fast()).pollUntilDone()).toEqual({ started: true });
    server.assertFinished();
  });

  const config = { metadata: { mode: "OperationLocation" }, operationLocation: at };
  test.each<[string, unknown]>([
    ["no JSON", "{"],
    ["empty", "{}"],
    ["without a state", { state: null }],
    ["a state of nothing", { state: {} }],
    ["without a configuration", { state: { status: "running" } }],
    ["without a URL to poll", { state: { status: "running", config: { metadata: config.metadata } } }],
    ["with a place that is none", { state: { config: { ...config, operationLocation: "https://[" } } }],
    ["with a place that is no string", { state: { config: { ...config, operationLocation: 7 } } }],
    ["without a mode", { state: { config: { operationLocation: at } } }],
    ["of an unknown mode", { state: { config: { ...config, metadata: { mode: "Telepathy" } } } }],
    [
      "of a mode that objects inherit",
      { state: { config: { ...config, metadata: { mode: "constructor" } } } },
    ],
    ["with a result elsewhere that is none", { state: { config: { ...config, resourceLocation: 7 } } }],
    ["an array", []],
  ])("that is %s is rejected, and nothing is sent", async (_, value) => {
    const server = await serve();
    const token = typeof value === "string" ? value : JSON.stringify(value);
    expect(() => clientOf(server).resume(token, fast())).toThrow(/^token|^endpoint/);
    expect(server.requests).toEqual([]);
  });

  test("of an operation that ended without a URL to poll is rejected", async () => {
    const server = await serve([on("DELETE /boxes/b1", 204)]);
    const token = await azurePoller(server, "DELETE /boxes/b1").serialize();
    expect(() => clientOf(server).resume(token, fast())).toThrow(/^token\.state\.config/);
  });
});
