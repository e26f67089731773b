import { describe, expect, test } from "vitest";
import { on, serve, start } from "./support.ts";

const succeeded = { body: { status: "Succeeded" } };
const box = { body: { id: "b1" } };

describe("a relative URL after a redirect is relative to the URL that responded:", () => {
  test.each([
    ["operation-location", 307],
    ["azure-asyncoperation", 308],
    ["location", 307],
  ] as const)("%s of a start, after a %i", async (header, status) => {
    const server = await serve([
      on("POST /boxes/b1", status, { headers: { location: "/v2/far/b1" } }),
      on("POST /v2/far/b1", 202, { headers: { [header]: "../operations/7?sig=a%2fb" } }),
      on("GET /v2/operations/7?sig=a%2fb", 200, succeeded),
    ]);
    expect(await start(server, "POST /boxes/b1").pollUntilDone()).toEqual(succeeded.body);
    server.assertFinished();
  });

  test.each([
    ["operation-location", { body: { status: "Running" } }, 200],
    ["location", {}, 202],
  ])("%s of a poll", async (header, response, status) => {
    const server = await serve([
      on("POST /boxes/b1", 202, { headers: { [header]: "/operations/7" } }),
      on("GET /operations/7", 302, { headers: { location: "/eu/operations/7" } }),
      on("GET /eu/operations/7", status, { ...response, headers: { [header]: "8" } }),
      on("GET /eu/operations/8", 200, succeeded),
    ]);
    expect(await start(server, "POST /boxes/b1").pollUntilDone()).toEqual(succeeded.body);
    server.assertFinished();
  });

  test("resource-location of the last poll", async () => {
    const server = await serve([
      on("POST /boxes/b1", 202, { headers: { "operation-location": "/operations/7" } }),
      on("GET /operations/7", 307, { headers: { location: "/eu/operations/7" } }),
      on("GET /eu/operations/7", 200, { ...succeeded, headers: { "resource-location": "../boxes/b1" } }),
      on("GET /eu/boxes/b1", 200, box),
    ]);
    expect(await start(server, "POST /boxes/b1").pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });
});
