import { describe, expect, test } from "vitest";
import { OperationStartError } from "lro-poller";
import { rejection } from "../../support/rejections.ts";
import { on, serve, start } from "./support.ts";

const html = "<!DOCTYPE html><html>Sign in</html>";
const page = { headers: { "content-type": "text/html", "x-ms-request-id": "r-1" }, body: html };
const box = { body: { id: "b1", properties: { provisioningState: "Succeeded" } } };

describe("an initial request that a page answers", () => {
  test.each([
    ["PUT", 200],
    ["PUT", 202],
    ["DELETE", 200],
    ["GET", 202],
  ] as const)("%s, with a %i, is repeated", async (method, status) => {
    const line = `${method} /boxes/b1`;
    const server = await serve([on(line, status, page), on(line, status, page), on(line, 200, box)]);
    expect(await start(server, line).pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("POST is not sent twice, and the error says all that is known", async () => {
    const server = await serve([on("POST /boxes/b1", 200, page)]);
    const poller = start(server, "POST /boxes/b1");
    const failure = await rejection(poller.pollUntilDone(), OperationStartError);
    expect(failure).toMatchObject({
      code: "ContractError",
      statusCode: 200,
      requestId: "r-1",
      mayHaveStarted: true,
    });
    expect(failure.message).toMatch(
      /^POST b1 was not accepted: HTTP 200 is not the service's \(content type text\/html, request id r-1\): the body: expected JSON, got .* \(1 attempt in [\d.]+ s\)\. The operation may have started: look for the resource before you start it again\.$/,
    );
    expect(await rejection(poller.started)).toBe(failure);
    server.assertFinished();
  });

  test.each([
    ["HTML as text/plain", { headers: { "content-type": "text/plain" }, body: html }],
    ["HTML without a doctype", { headers: { "content-type": "text/plain" }, body: " <html lang='en'>" }],
    ["JSON that breaks off", { headers: { "content-type": "application/json" }, body: '{"id":' }],
  ])("%s is told after four attempts", async (_, response) => {
    const server = await serve(Array.from({ length: 4 }, () => on("PUT /boxes/b1", 200, response)));
    const failure = await rejection(start(server, "PUT /boxes/b1").pollUntilDone(), OperationStartError);
    expect(failure).toMatchObject({ statusCode: 200, mayHaveStarted: true });
    server.assertFinished();
  });

  test.each(["operation-location", "azure-asyncoperation", "location"])(
    "with %s has started the operation",
    async (name) => {
      const headers = { ...page.headers, [name]: "/operations/7" };
      const server = await serve([
        on("POST /boxes/b1", 202, { ...page, headers }),
        on("GET /operations/7", 200, box),
      ]);
      expect(await start(server, "POST /boxes/b1").pollUntilDone()).toEqual(box.body);
      server.assertFinished();
    },
  );

  test.each([
    ["PUT", 204],
    ["PUT", 200],
    ["POST", 200],
    ["DELETE", 204],
  ] as const)("is another thing than an empty response to %s %i", async (method, status) => {
    const headers = { "content-type": "text/html" };
    const server = await serve([on(`${method} /boxes/b1`, status, { headers })]);
    expect(await start(server, `${method} /boxes/b1`).pollUntilDone()).toBeUndefined();
    server.assertFinished();
  });
});
