import { describe, expect, test } from "vitest";
import { emulate } from "./support.ts";
import type { Emulator } from "./support.ts";

const vm = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Compute/virtualMachines/vm1";
const version = "?api-version=2024-07-01";
const uuid = "[0-9a-f-]{36}";

function pathTo(name: string, location = "eastus"): unknown {
  const folder = `/subscriptions/s1/providers/Microsoft\\.Compute/locations/${location}/${name}`;
  return expect.stringMatching(new RegExp(`^${folder}/${uuid}\\?api-version=2024-07-01$`));
}

async function create({ send }: Emulator): Promise<void> {
  const { headers } = await send("PUT", vm + version, {});
  for (let poll = 1; poll <= 3; poll++) await send("GET", headers["azure-asyncoperation"] ?? "");
}

describe("PUT", () => {
  test("makes a resource, and names a status monitor and a polling location", async () => {
    const { send } = await emulate({ style: "arm" });
    const body = { location: "West Europe", properties: { size: 2 } };
    expect(await send("PUT", vm + version, body)).toEqual({
      status: 201,
      headers: {
        "azure-asyncoperation": pathTo("operationStatuses", "westeurope"),
        location: pathTo("operationResults", "westeurope"),
        "retry-after": "1",
      },
      body: {
        id: vm,
        name: "vm1",
        type: "Microsoft.Compute/virtualMachines",
        location: "West Europe",
        properties: { size: 2, provisioningState: "Creating" },
      },
    });
  });

  test("updates a resource that exists, with a 200", async () => {
    const emulator = await emulate({ style: "arm" });
    await create(emulator);
    const { status, body } = await emulator.send("PUT", vm + version, { tags: {} });
    expect([status, body]).toMatchObject([200, { properties: { provisioningState: "Updating" } }]);
  });

  test("the status monitor answers 200 with the status, until the end with Retry-After", async () => {
    const ended = { status: "Succeeded", properties: { vmId: "1" } };
    const timeline = [{ status: "Running", polls: 1, percentComplete: 40 }, ended];
    const { send, server } = await emulate({ style: "arm" }, { timeline });
    const { "azure-asyncoperation": monitor = "" } = (await send("PUT", vm + version)).headers;
    const id = monitor.replace(version, "");
    const name = id.slice(-36);
    const startTime = expect.any(String);
    expect(await send("GET", monitor)).toMatchObject({
      status: 200,
      headers: { "azure-asyncoperation": monitor, "retry-after": "1" },
      body: { id, name, status: "Running", startTime, percentComplete: 40 },
    });
    expect(await send("GET", monitor)).toEqual({
      status: 200,
      headers: {},
      body: {
        id,
        name,
        status: "Succeeded",
        startTime,
        endTime: expect.any(String),
        properties: { vmId: "1" },
      },
    });
    expect((await send("GET", vm + version)).body).toMatchObject({
      properties: { vmId: "1", provisioningState: "Succeeded" },
    });
    expect(server.requests.map(({ pollNumber }) => pollNumber)).toEqual([undefined, 1, 2, undefined]);
  });

  test("a resource can be polled too", async () => {
    const { send, server } = await emulate({ style: "arm" });
    await send("PUT", vm + version);
    const states: unknown[] = [];
    for (let poll = 1; poll <= 3; poll++) states.push((await send("GET", vm + version)).body);
    expect(states).toMatchObject([
      { properties: { provisioningState: "Creating" } },
      { properties: { provisioningState: "Creating" } },
      { properties: { provisioningState: "Succeeded" } },
    ]);
    expect(server.requests.map(({ pollNumber }) => pollNumber)).toEqual([undefined, 1, 2, undefined]);
  });

  test("an operation that failed has the error at its monitor, and with a code at its polling location", async () => {
    const error = { code: "SkuNotAvailable", message: "No.", details: [{ code: "Zone", message: "z" }] };
    const { send } = await emulate({ style: "arm" }, { timeline: [{ status: "Failed", error }] });
    const { headers } = await send("PUT", vm + version);
    const monitor = await send("GET", headers["azure-asyncoperation"] ?? "");
    expect(monitor).toMatchObject({ status: 200, body: { status: "Failed", error } });
    expect(await send("GET", headers["location"] ?? "")).toEqual({
      status: 409,
      headers: {},
      body: { error },
    });
    expect((await send("GET", vm + version)).body).toMatchObject({
      properties: { provisioningState: "Failed" },
    });
  });
});

describe("POST", () => {
  test("the polling location answers 202 until it has the result", async () => {
    const timeline = [
      { status: "Running", polls: 1 },
      { status: "Succeeded", result: { output: "o" } },
    ];
    const { send } = await emulate({ style: "arm" }, { timeline });
    const initial = await send("POST", `${vm}/runCommand${version}`, {});
    expect(initial).toMatchObject({ status: 202, body: undefined });
    const { location = "" } = initial.headers;
    expect(await send("GET", location)).toEqual({
      status: 202,
      headers: { location, "retry-after": "1" },
      body: undefined,
    });
    expect(await send("GET", location)).toEqual({ status: 200, headers: {}, body: { output: "o" } });
  });

  test("an action without a result ends with an empty 200", async () => {
    const { send } = await emulate({ style: "arm" }, { timeline: [{ status: "Succeeded" }] });
    const { location = "" } = (await send("POST", `${vm}/start${version}`)).headers;
    expect(await send("GET", location)).toEqual({ status: 200, headers: {}, body: undefined });
  });
});

describe("DELETE", () => {
  test("the resource is gone at the end", async () => {
    const emulator = await emulate({ style: "arm" });
    await create(emulator);
    const { send } = emulator;
    const { status, headers } = await send("DELETE", vm + version);
    expect(status).toBe(202);
    const whileRunning = await send("GET", vm + version);
    expect(whileRunning.body).toMatchObject({ properties: { provisioningState: "Deleting" } });
    await send("GET", headers["azure-asyncoperation"] ?? "");
    const gone = await send("GET", vm + version);
    expect(gone).toMatchObject({ status: 404, body: { error: { code: "ResourceNotFound" } } });
    expect(gone.headers).toEqual({});
    expect((await send("DELETE", vm + version)).status).toBe(204);
  });

  test("of a resource group reports at Microsoft.Resources", async () => {
    const { send } = await emulate({ style: "arm" });
    await send("PUT", `/subscriptions/s1/resourcegroups/g1${version}`);
    const { headers } = await send("DELETE", `/subscriptions/s1/resourceGroups/g1${version}`);
    expect(headers["location"]).toMatch(/^\/subscriptions\/s1\/providers\/Microsoft\.Resources\/locations\//);
  });
});

describe("rejects with the error of Azure Resource Manager", () => {
  const rejected: [string, string, string, number, string][] = [
    ["no api-version", "PUT", vm, 400, "MissingApiVersionParameter"],
    [
      "an api-version that is older than the service",
      "GET",
      `${vm}?api-version=1999-01-01`,
      400,
      "InvalidApiVersionParameter",
    ],
    ["an api-version that is no date", "GET", `${vm}?api-version=latest`, 400, "InvalidApiVersionParameter"],
    ["a path below no subscription", "PUT", `/tenants/t1${version}`, 404, "ResourceNotFound"],
    [
      "an unknown operation",
      "GET",
      `/subscriptions/s1/providers/A.B/locations/l/operationStatuses/1${version}`,
      404,
      "OperationNotFound",
    ],
  ];
  test.each(rejected)("%s", async (_, method, path, status, code) => {
    const { send } = await emulate({ style: "arm" });
    const message = expect.any(String);
    expect(await send(method, path)).toEqual({ status, headers: {}, body: { error: { code, message } } });
  });

  test("a preview of an api-version is accepted", async () => {
    const { send } = await emulate({ style: "arm" });
    expect((await send("PUT", `${vm}?api-version=2024-07-01-preview`)).status).toBe(201);
  });

  test("a body that is no JSON", async () => {
    const { server } = await emulate({ style: "arm" });
    const response = await fetch(`${server.endpoint}${vm}${version}`, { method: "PUT", body: "{" });
    expect([response.status, (await response.json()).error.code]).toEqual([400, "InvalidRequestBody"]);
  });

  test("more requests than the limit, and counts down in its header", async () => {
    const { server } = await emulate({ style: "arm", requestsPerMinute: 1 });
    const { operationLocation } = server.addOperation();
    const first = await fetch(operationLocation);
    const second = await fetch(operationLocation);
    expect(first.headers.get("x-ms-ratelimit-remaining-subscription-reads")).toBe("0");
    expect([second.status, second.headers.get("retry-after")]).toEqual([429, "60"]);
  });
});
