import { describe, expect, test } from "vitest";
import { emulate } from "./support.ts";

const uuid = "[0-9a-f-]{36}";
const version = "?api-version=2024-11-30";
const result = { answer: 42 };
const withResult = {
  timeline: [
    { status: "Running", polls: 1 },
    { status: "Succeeded", result },
  ],
};

describe("operation-location", () => {
  test("the result is in the status of a POST", async () => {
    const { send } = await emulate({ style: "operation-location" }, withResult);
    const initial = await send("POST", `/jobs/1:run${version}`, {});
    const { "operation-location": monitor = "" } = initial.headers;
    expect(monitor).toMatch(new RegExp(`^/operations/${uuid}\\?api-version=2024-11-30$`));
    expect(initial).toEqual({ status: 202, headers: { "operation-location": monitor }, body: undefined });
    expect(await send("GET", monitor)).toMatchObject({ status: 200, body: { status: "Running" } });
    expect(await send("GET", monitor)).toMatchObject({ status: 200, body: { status: "Succeeded", result } });
  });

  test("the status of a PUT names the resource", async () => {
    const { send, server } = await emulate({ style: "operation-location" });
    const { "operation-location": monitor = "" } = (await send("PUT", `/models/m1${version}`, { size: 1 }))
      .headers;
    await send("GET", monitor);
    expect((await send("GET", monitor)).body).not.toHaveProperty("resourceLocation");
    const resourceLocation = `${server.endpoint}/models/m1${version}`;
    expect((await send("GET", monitor)).body).toMatchObject({ status: "Succeeded", resourceLocation });
    const resource = { name: "m1", size: 1, provisioningState: "Succeeded" };
    expect(await send("GET", resourceLocation)).toEqual({ status: 200, headers: {}, body: resource });
  });

  test("Document Intelligence has its own words, paths and result", async () => {
    const { send } = await emulate({ style: "operation-location" }, withResult);
    const path = "/documentintelligence/documentModels/prebuilt-read";
    const { headers } = await send("POST", `${path}:analyze${version}`, {});
    const { "operation-location": monitor = "" } = headers;
    expect(monitor).toMatch(new RegExp(`^${path}/analyzeResults/${uuid}\\?`));
    expect((await send("GET", monitor)).body).toMatchObject({ status: "running" });
    expect((await send("GET", monitor)).body).toMatchObject({ status: "succeeded", analyzeResult: result });
  });

  test.each([
    ["", "MissingApiVersionParameter"],
    ["?api-version=2024", "UnsupportedApiVersionValue"],
  ])("rejects the query '%s'", async (query, code) => {
    const { send } = await emulate({ style: "operation-location" });
    expect(await send("POST", `/jobs/1:run${query}`)).toMatchObject({
      status: 400,
      headers: { "x-ms-error-code": code },
      body: { error: { code } },
    });
  });
});

describe("location", () => {
  test.each([
    ["a result", withResult, 200, result],
    ["none", {}, 204, undefined],
  ])("answers 202 until it ends, with %s", async (_, plan, status, body) => {
    const { send, server } = await emulate({ style: "location" }, plan);
    const initial = await send("POST", `/jobs/1:run${version}`);
    const { location = "" } = initial.headers;
    expect(initial).toEqual({ status: 202, headers: { location }, body: undefined });
    let response = await send("GET", location);
    expect(response).toEqual({ status: 202, headers: { location }, body: undefined });
    while (response.status === 202) response = await send("GET", location);
    expect(response).toEqual({ status, headers: {}, body });
    expect(server.requests.at(-1)?.pollNumber).toBe(server.requests.length - 1);
  });

  test("ends with the resource of a PUT", async () => {
    const { send } = await emulate({ style: "location" }, { timeline: [{ status: "Succeeded" }] });
    const { location = "" } = (await send("PUT", `/models/m1${version}`, { size: 1 })).headers;
    expect((await send("GET", location)).body).toEqual({
      name: "m1",
      size: 1,
      provisioningState: "Succeeded",
    });
  });

  test("ends with an error that has a code, also where the plan has none", async () => {
    const { send } = await emulate({ style: "location" }, { timeline: [{ status: "Canceled" }] });
    const { location = "" } = (await send("POST", `/jobs/1:run${version}`)).headers;
    const error = { code: "OperationCanceled" };
    expect(await send("GET", location)).toMatchObject({ status: 409, body: { error } });
  });
});

describe("resource", () => {
  test("a PUT and each poll answer with the resource", async () => {
    const { send, server } = await emulate({ style: "resource" });
    const path = `/things/t1${version}`;
    const body = { id: "/things/t1", name: "t1", properties: { provisioningState: "Creating" } };
    expect(await send("PUT", path)).toEqual({ status: 201, headers: { "retry-after": "1" }, body });
    expect(await send("GET", path)).toEqual({ status: 200, headers: { "retry-after": "1" }, body });
    await send("GET", path);
    const ended = await send("GET", path);
    expect(ended.headers).toEqual({});
    expect(ended.body).toMatchObject({ properties: { provisioningState: "Succeeded" } });
    expect(server.requests.map(({ pollNumber }) => pollNumber)).toEqual([undefined, 1, 2, 3]);
  });

  test("a resource shows how its operation failed", async () => {
    const error = { code: "QuotaExceeded", message: "No more." };
    const { send } = await emulate({ style: "resource" }, { timeline: [{ status: "Failed", error }] });
    await send("PUT", `/things/t1${version}`);
    expect((await send("GET", `/things/t1${version}`)).body).toMatchObject({
      properties: { provisioningState: "Failed", error },
    });
  });
});

describe("fabric", () => {
  test("names the operation, and at its end the result", async () => {
    const { send } = await emulate({ style: "fabric" }, withResult);
    const initial = await send("POST", "/v1/workspaces/w1/items", {});
    const { location = "", "x-ms-operation-id": id = "" } = initial.headers;
    expect(location).toBe(`/v1/operations/${id}`);
    expect(initial).toMatchObject({ status: 202, headers: { "retry-after": "1" }, body: undefined });
    expect(await send("GET", location)).toMatchObject({
      status: 200,
      headers: { location, "x-ms-operation-id": id, "retry-after": "1" },
      body: { status: "Running", percentComplete: null, error: null },
    });
    const { headers, body } = await send("GET", location);
    expect(headers).toEqual({ location: `${location}/result`, "x-ms-operation-id": id });
    expect(body).toMatchObject({ status: "Succeeded" });
    expect(await send("GET", `${location}/result`)).toEqual({ status: 200, headers: {}, body: result });
  });

  test("an operation without a result names none", async () => {
    const { send } = await emulate({ style: "fabric" }, { timeline: [{ status: "Succeeded" }] });
    const { location = "" } = (await send("POST", "/v1/workspaces/w1/items")).headers;
    expect((await send("GET", location)).headers).not.toHaveProperty("location");
    const errorCode = "OperationHasNoResult";
    expect(await send("GET", `${location}/result`)).toEqual({
      status: 400,
      headers: { "x-ms-public-api-error-code": errorCode },
      body: { errorCode, message: expect.any(String), requestId: expect.stringMatching(uuid) },
    });
  });

  test("an error is flat", async () => {
    const error = { code: "ItemNotFound", message: "No." };
    const { send } = await emulate({ style: "fabric" }, { timeline: [{ status: "Failed", error }] });
    const { location = "" } = (await send("POST", "/v1/workspaces/w1/items")).headers;
    expect((await send("GET", location)).body).toMatchObject({
      status: "Failed",
      error: { errorCode: "ItemNotFound", message: "No." },
    });
  });
});

describe("key-vault", () => {
  test("asks for a token, and names its audience", async () => {
    const { send } = await emulate({ style: "key-vault" });
    const { status, headers } = await send("POST", "/certificates/c1/create?api-version=7.6", {});
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toContain('resource="https://vault.azure.net"');
  });

  test("a certificate is pending until it is completed, or failed", async () => {
    const timeline = [
      { status: "Running", polls: 1 },
      { status: "Failed", error: { code: "Issuer", message: "No." } },
    ];
    const { send } = await emulate({ style: "key-vault", requireAuthorization: () => true }, { timeline });
    const initial = await send("POST", "/certificates/c1/create?api-version=7.6", {});
    const { location = "" } = initial.headers;
    expect(location).toBe("/certificates/c1/pending?api-version=7.6");
    expect(initial).toMatchObject({ status: 202, body: { status: "inProgress" } });
    expect((await send("GET", location)).body).toMatchObject({ status: "inProgress" });
    expect((await send("GET", location)).body).toMatchObject({ status: "failed", error: { code: "Issuer" } });
  });
});
