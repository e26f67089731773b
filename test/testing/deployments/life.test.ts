import { expect, test } from "vitest";
import { deployments, emulate, group, root, storage, version } from "./support.ts";

const template = {
  resources: [
    { type: storage, apiVersion: "2023-05-01", name: "data", metadata: { durationInMs: 20_000 } },
    {
      type: "Microsoft.Resources/deployments",
      name: "inner",
      dependsOn: ["[resourceId('Microsoft.Storage/storageAccounts', 'data')]"],
      properties: { template: { resources: [{ type: storage, name: "more" }] } },
    },
  ],
  outputs: { answer: { type: "int", value: 42 } },
};
const start = { properties: { mode: "Incremental", template } };

test("a deployment lives from 201 to its outputs, and its nested one lags in its list", async () => {
  const { send, rows, clock } = emulate();
  const started = await send("PUT", root + version, start);
  expect(started).toMatchObject({
    status: 201,
    body: {
      id: root,
      properties: {
        provisioningState: "Accepted",
        dependencies: [
          {
            id: `${group}${deployments}/inner`,
            dependsOn: [{ id: `${group}/providers/${storage}/data` }],
          },
        ],
      },
    },
  });
  expect(started.headers).not.toHaveProperty("location");
  expect(started.headers).not.toHaveProperty("retry-after");
  const monitor = started.headers["azure-asyncoperation"] ?? "";
  expect(monitor).toMatch(
    /^https:\/\/management\.azure\.com\/.+\/operationStatuses\/0858\d{16}\?api-version=2025-04-01&t=/,
  );
  expect(monitor.length).toBeGreaterThan(2500);
  expect(await rows(root)).toEqual([]);
  await clock.advance(2000);
  expect(await rows(root)).toEqual(["data Running"]);
  expect((await send("GET", monitor)).body).toEqual({ status: "Running" });
  await clock.advance(18_000);
  expect(await rows(root)).toEqual(["data Succeeded"]);
  await clock.advance(6000);
  expect(await rows(`${group}${deployments}/inner`)).toEqual(["more Succeeded", "(outputs) Succeeded"]);
  expect(await rows(root)).toEqual(["inner Running", "data Succeeded"]);
  await clock.advance(6600);
  expect((await send("GET", monitor)).body).toEqual({ status: "Succeeded" });
  expect((await send("GET", root + version)).body).toMatchObject({
    properties: {
      provisioningState: "Succeeded",
      duration: "PT32.6S",
      outputs: { answer: { type: "Int", value: 42 } },
      outputResources: [
        { id: `${group}/providers/${storage}/data` },
        { id: `${group}/providers/${storage}/more` },
      ],
    },
  });
  expect(await rows(root)).toEqual(["inner Succeeded", "data Succeeded", "(outputs) Succeeded"]);
});

test("a deployment that is over can be deleted", async () => {
  const { send, clock } = emulate();
  await send("PUT", root + version, start);
  expect((await send("DELETE", root + version)).status).toBe(409);
  await clock.advance(60_000);
  const { status, headers } = await send("DELETE", root + version);
  expect(status).toBe(202);
  expect((await send("GET", headers["location"] ?? "")).status).toBe(202);
  await clock.advance(3000);
  expect((await send("GET", headers["location"] ?? "")).status).toBe(204);
  expect((await send("HEAD", root + version)).status).toBe(404);
  expect((await send("DELETE", root + version)).status).toBe(204);
});
