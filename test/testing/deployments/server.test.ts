import { expect, test } from "vitest";
import { startOperationServer } from "lro-poller/testing";
import { emulate } from "../styles/support.ts";
import { root, storage, version } from "./support.ts";

const body = { properties: { mode: "Incremental", template: { resources: [{ type: storage, name: "a" }] } } };

test("the server serves deployments beside other resources of the style arm", async () => {
  const { send, server } = await emulate({ style: "arm", deployments: {} });
  const machine = root.replace(/Microsoft.*/, "Microsoft.Compute/virtualMachines/vm1");
  expect((await send("PUT", machine + version, {})).status).toBe(201);
  const { status, headers } = await send("PUT", root + version, body);
  expect([status, headers["azure-asyncoperation"]]).toEqual([
    201,
    expect.stringContaining("/operationStatuses/0858"),
  ]);
  const response = await fetch(`${server.endpoint}${root}${version}`);
  expect(response.headers.get("x-ms-ratelimit-remaining-subscription-reads")).toBe("249");
  expect(response.headers.get("x-ms-ratelimit-remaining-subscription-global-reads")).toBe("3749");
  expect(server.requests[1]?.operationId).toMatch(/^0858/);
});

test("failNext applies to polls of the status monitor, and failNextInitialRequest to the start", async () => {
  const { send, server } = await emulate({ style: "arm", deployments: {} });
  server.failNextInitialRequest({ kind: "status", status: 503 });
  expect((await send("PUT", root + version, body)).status).toBe(503);
  const { status, headers } = await send("PUT", root + version, body);
  expect(status).toBe(201);
  server.failNext({ kind: "status", status: 500 });
  expect((await send("GET", root + version)).status).toBe(200);
  expect((await send("GET", headers["azure-asyncoperation"] ?? "")).status).toBe(500);
  expect(await send("GET", headers["azure-asyncoperation"] ?? "")).toMatchObject({
    body: { status: "Accepted" },
  });
  expect(server.requests.map(({ pollNumber }) => pollNumber)).toEqual([
    undefined,
    undefined,
    undefined,
    1,
    2,
  ]);
});

test("deployments need the style arm, and addDeployment needs the option", async () => {
  await expect(startOperationServer({ deployments: {} })).rejects.toThrow(
    'deployments: expected style "arm", got "devcenter"',
  );
  const { server } = await emulate({ style: "arm" });
  expect(() => server.addDeployment()).toThrow("deployments: expected the option of startOperationServer");
});
