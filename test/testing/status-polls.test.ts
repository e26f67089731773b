import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createVirtualClock, startOperationServer } from "../../src/testing/index.ts";
import type { OperationServer, Timeline } from "../../src/testing/index.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";

let server: OperationServer;

beforeEach(async () => {
  server = await startOperationServer({ clock: createVirtualClock() });
});

afterEach(() => server.close());

function get(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`${server.endpoint}${path}`, init);
}

describe("a response", () => {
  test("has the body that DevCenter sends, pretty-printed", async () => {
    const { operationLocation } = server.addOperation({ operationId });
    const response = await fetch(operationLocation);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(await response.text()).toBe(
      [
        "{",
        `  "id": "/projects/myProject/operationStatuses/${operationId}",`,
        `  "name": "${operationId}",`,
        '  "status": "NotStarted",',
        '  "startTime": "2025-01-01T00:00:00.0000000+00:00"',
        "}",
      ].join("\n"),
    );
  });

  test("has the status URL in both headers, in lower case, with the request's api-version", async () => {
    server.addOperation({ operationId });
    const path = `/Projects/myproject/operationStatuses/${operationId.toUpperCase()}?api-version=2024-02-01`;
    const { status, headers } = await get(path);
    const url = `${server.endpoint}/projects/myProject/operationstatuses/${operationId}?api-version=2024-02-01`;
    expect(status).toBe(200);
    expect(headers.get("operation-location")).toBe(url);
    expect(headers.get("location")).toBe(`${url}&monitor=true`);
    expect((await fetch(`${url}&monitor=true`)).status).toBe(200);
  });

  test("has the host of the request in its headers", async () => {
    const { port } = new URL(server.endpoint);
    const { operationLocation } = server.addOperation();
    const { headers } = await fetch(operationLocation.replace("127.0.0.1", "localhost"));
    expect(headers.get("operation-location")).toContain(`http://localhost:${port}/projects/`);
  });

  test("has request ids, rate limit, date and the headers for browsers", async () => {
    const { operationLocation } = server.addOperation();
    const { headers } = await fetch(operationLocation, { headers: { "x-ms-client-request-id": "mine" } });
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-ms-client-request-id": "mine",
      "x-ms-request-id": expect.stringMatching(/^[\da-f-]{36}$/),
      "x-ms-correlation-request-id": expect.stringMatching(/^[\da-f-]{36}$/),
      "x-rate-limit-limit": "1m",
      "x-rate-limit-remaining": "299",
      "x-rate-limit-reset": "2025-01-01T00:01:00.0000000Z",
      "access-control-allow-origin": "*",
      "access-control-expose-headers":
        "Location,Operation-Location,x-ms-correlation-request-id,x-ms-client-request-id",
      date: expect.stringMatching(/GMT$/),
    });
    expect(headers.has("retry-after")).toBe(false);
  });

  test("has the plan's Retry-After until the operation ends", async () => {
    const timeline = [{ status: "Running", polls: 2 }, { status: "Succeeded" }];
    const { operationLocation } = server.addOperation({ timeline, retryAfter: 5 });
    const seen: (string | null)[] = [];
    for (let poll = 0; poll < 3; poll++)
      seen.push((await fetch(operationLocation)).headers.get("retry-after"));
    expect(seen).toEqual(["5", "5", null]);
  });
});

test("phases that last for a number of polls need no time, and a terminal state stays", async () => {
  const timeline: Timeline = [
    { status: "NotStarted", polls: 1 },
    { status: "Running", polls: 3, percentComplete: { from: 0, to: 80 } },
    { status: "Succeeded", properties: { uri: "u" } },
  ];
  const { operationLocation } = server.addOperation({ timeline });
  const seen: unknown[] = [];
  for (let poll = 0; poll < 6; poll++) {
    const { status, percentComplete, properties } = await (await fetch(operationLocation)).json();
    seen.push([status, percentComplete ?? properties]);
  }
  expect(seen).toEqual([
    ["NotStarted", undefined],
    ["Running", 0],
    ["Running", 40],
    ["Running", 80],
    ["Succeeded", { uri: "u" }],
    ["Succeeded", { uri: "u" }],
  ]);
});

describe("rejects with an ErrorResponse", () => {
  const statuses = "/projects/myProject/operationstatuses";
  const version = "api-version=2025-02-01";
  const rejected: [string, string, string, number, string][] = [
    ["no api-version", "GET", `${statuses}/${operationId}`, 400, "MissingApiVersionParameter"],
    [
      "an empty api-version",
      "GET",
      `${statuses}/${operationId}?api-version=`,
      400,
      "MissingApiVersionParameter",
    ],
    [
      "an api-version that DevCenter never had",
      "GET",
      `${statuses}/${operationId}?api-version=1999-01-01`,
      400,
      "UnsupportedApiVersionValue",
    ],
    [
      "an api-version that is no date",
      "GET",
      `${statuses}/${operationId}?api-version=latest`,
      400,
      "UnsupportedApiVersionValue",
    ],
    [
      "a short project",
      "GET",
      `/projects/ab/operationstatuses/${operationId}?${version}`,
      400,
      "InvalidProjectName",
    ],
    ["a malformed id", "GET", `${statuses}/fa067167?${version}`, 400, "InvalidOperationId"],
    ["an unknown operation", "GET", `${statuses}/${operationId}?${version}`, 404, "OperationNotFound"],
    ["an unknown path", "GET", `/projects/myProject?${version}`, 404, "ResourceNotFound"],
    ["another method", "POST", `${statuses}/${operationId}?${version}`, 405, "MethodNotAllowed"],
  ];
  test.each(rejected)("%s", async (_what, method, path, status, code) => {
    const response = await get(path, { method });
    const { error } = await response.json();
    expect([response.status, response.headers.get("x-ms-error-code")]).toEqual([status, code]);
    expect(error).toMatchObject({ code, message: expect.stringMatching(/\.$/) });
  });

  test("an operation of another project", async () => {
    server.addOperation({ operationId });
    const response = await get(`/projects/other/operationstatuses/${operationId}?${version}`);
    expect(response.status).toBe(404);
  });

  test("another method, with the allowed ones in a header", async () => {
    const { headers } = await get("/projects/myProject/users/me/devboxes/box", { method: "PATCH" });
    expect(headers.get("allow")).toBe("GET, PUT, DELETE");
  });
});

test("a browser's preflight request gets the allowed methods and headers", async () => {
  const response = await get(`/projects/myProject/operationstatuses/${operationId}`, {
    method: "OPTIONS",
    headers: { "access-control-request-headers": "authorization,x-ms-client-request-id" },
  });
  expect(response.status).toBe(204);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, PUT, POST, PATCH, DELETE, OPTIONS",
    "access-control-allow-headers": "authorization,x-ms-client-request-id",
  });
});
