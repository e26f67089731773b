import { createEmptyPipeline } from "@azure/core-rest-pipeline";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  OperationFailedError,
  OperationStartError,
  OperationStatusesClient,
  fixed,
  startOperation,
} from "lro-poller";
import type { InitialRequest, StartedPoller } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import { sleep } from "../../../src/clock.ts";
import { rejection } from "../../support/rejections.ts";
import { fast, simulate } from "./support.ts";
import type { Simulated, Simulation } from "./support.ts";

const reset = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
const tooMany: Simulated = {
  status: 429,
  headers: { "retry-after": "400" },
  body: { error: { code: "TooManyRequests", message: "Slow down." } },
};
const down: Simulated = { status: 503 };
const late: Simulated = { status: 504 };

function error(status: number, code: string): Simulated {
  return { status, body: { error: { code, message: "No." } } };
}

function startOf(
  { clock, httpClient }: Simulation,
  method: InitialRequest["method"],
  repeatability = false,
): StartedPoller {
  const request = { method, url: "https://dev.devcenter.azure.com/boxes/b1" };
  const pipeline = createEmptyPipeline();
  const options = { clock, httpClient, pipeline, repeatability, schedule: fixed(1000), random: () => 0 };
  return startOperation(request, options);
}

async function failureOf(service: Simulation, poller: StartedPoller): Promise<OperationStartError> {
  return service.clock.runUntilSettled(rejection(poller.pollUntilDone(), OperationStartError));
}

const advice = ": look for the resource before you start it again.";
const earlier = ` An earlier attempt may have been received${advice}`;
const last = ` The operation may have started${advice}`;

describe("the error of an initial request says whether the operation may have started:", () => {
  test.each<[InitialRequest["method"], string, Simulated[], string]>([
    ["PUT", "a reset, then 409", [reset, error(409, "Conflict")], earlier],
    ["PUT", "a 504, then 412", [late, error(412, "PreconditionFailed")], earlier],
    ["PUT", "a 503, then 400 because it exists", [down, error(400, "AlreadyExists")], earlier],
    ["PUT", "a 429, a reset, then 403", [tooMany, reset, error(403, "Forbidden")], earlier],
    ["DELETE", "a reset, then 409", [reset, error(409, "DeleteInProgress")], earlier],
    ["POST", "a reset", [reset], last],
    ["POST", "a 503", [down], last],
    ["PATCH", "a 500", [{ status: 500 }], last],
    ["PUT", "a 409 at first", [error(409, "Conflict")], ""],
    ["PUT", "a 429, then 409", [tooMany, error(409, "Conflict")], ""],
    ["POST", "no connection, then 409", [refused, error(409, "Conflict")], ""],
    ["POST", "no connection at all", [refused, refused, refused, refused], ""],
    ["DELETE", "a 404 at first", [error(404, "ResourceNotFound")], ""],
    ["DELETE", "a 429, then 404", [tooMany, error(404, "ResourceNotFound")], ""],
  ])("%s, after %s", async (method, _, replies, expected) => {
    const service = simulate(...replies);
    const failure = await failureOf(service, startOf(service, method));
    expect(service.requestLog).toHaveLength(replies.length);
    expect(failure.message.replace(/.*? in [\d.]+ s\)\./s, "")).toBe(expected);
    expect(failure.mayHaveStarted).toBe(expected !== "");
  });

  test("a POST with repeatability, after a reset, then 412", async () => {
    const service = simulate(reset, error(412, "PreconditionFailed"));
    const failure = await failureOf(service, startOf(service, "POST", true));
    expect(failure).toMatchObject({ statusCode: 412, mayHaveStarted: true });
    expect(failure.message).toContain(earlier);
  });

  test("a POST whose response comes just after startTimeoutInMs", async () => {
    const service = simulate(async () => {
      await sleep(service.clock, 120_001);
      return { status: 202, headers: { "operation-location": "/operations/7" } };
    });
    const failure = await failureOf(service, startOf(service, "POST"));
    expect(failure).toMatchObject({
      code: "RequestTimeout",
      mayHaveStarted: true,
      message: `POST b1 was not accepted: no response within 120000 ms (1 attempt in 120 s).${last}`,
    });
  });

  test.each<[string, Simulated, string]>([
    [
      "no text of the service",
      { status: 400 },
      "HTTP 400: neither a status nor an error in the response (1 attempt in 0 s).",
    ],
    ["a sentence", error(400, "Invalid"), "HTTP 400: Invalid: No. (1 attempt in 0 s)."],
    [
      "a code, and Retry-After",
      { status: 429, headers: { "retry-after": "400", "x-ms-error-code": "TooManyRequests" } },
      "HTTP 429: TooManyRequests, retry after 400 s (4 attempts in 1200 s).",
    ],
    [
      "a sentence, and Retry-After",
      tooMany,
      "HTTP 429: TooManyRequests: Slow down. Retry after 400 s (4 attempts in 1200 s).",
    ],
    [
      "several errors",
      { status: 400, body: { errors: [{ code: "A" }, { code: "B" }] } },
      "HTTP 400: A (and 1 more)\n  - A\n  - B\n(1 attempt in 0 s).",
    ],
  ])("with the attempts and their time: %s", async (_, reply, expected) => {
    const service = simulate(reply, reply, reply, reply);
    const failure = await failureOf(service, startOf(service, "PUT"));
    expect(failure.message).toBe(`PUT b1 was not accepted: ${expected}`);
  });
});

describe("a DELETE that is repeated because the connection broke", () => {
  test.each<[string, Simulated]>([
    ["204", { status: 204 }],
    ["404", error(404, "ResourceNotFound")],
    ["404 with a code of its own", error(404, "BoxIsGone")],
    ["404 with a code that has a part of such a word", error(404, "CapitalWebsiteNotFound")],
    ["404 without a body", { status: 404 }],
    ["410", { status: 410 }],
  ])("has succeeded if it is answered %s", async (_, reply) => {
    const service = simulate(reset, reply);
    const poller = startOf(service, "DELETE");
    expect(await service.clock.runUntilSettled(poller.pollUntilDone())).toBeUndefined();
    expect(await poller.started).toMatchObject({ statusCode: 204, body: undefined });
    expect(service.requestLog).toHaveLength(2);
  });

  test.each<[string, Simulated]>([
    ["that the URL is wrong", error(404, "SubscriptionNotFound")],
    ...["HostNotFound", "RouteNotFound", "SiteNotFound", "EndpointNotFound", "ApiNotFound", "UnknownAPI"].map(
      (code): [string, Simulated] => [code, error(404, code)],
    ),
    ["nothing that is an error of the service", { status: 404, body: { page: "Not Found" } }],
  ])("has failed if its 404 says %s", async (_, reply) => {
    const service = simulate(reset, reply);
    const failure = await failureOf(service, startOf(service, "DELETE"));
    expect(failure).toMatchObject({ statusCode: 404, mayHaveStarted: true });
  });

  test.each(["HostNotFound", "SiteNotFound"])(
    "has not succeeded because its monitor, once seen, is answered %s",
    async (code) => {
      const started = { status: 202, headers: { "operation-location": "https://dev.devcenter.azure.com/m" } };
      const running = { status: 200, body: { status: "Running" } };
      const service = simulate(started, running, error(404, code), {
        status: 200,
        body: { status: "Failed" },
      });
      const waiting = startOf(service, "DELETE").pollUntilDone();
      const failure = service.clock.runUntilSettled(waiting);
      await expect(failure).rejects.toBeInstanceOf(OperationFailedError);
    },
  );

  test("has succeeded over real HTTP, too", async () => {
    const server = await startOperationServer({
      onInitialRequest: () => ({ timeline: [{ status: "Succeeded" }] }),
    });
    onTestFinished(() => server.close());
    const client = new OperationStatusesClient(server.endpoint);
    await client.createDevBox("myProject", "me", "my-box", { poolName: "pool" }, fast()).pollUntilDone();
    server.failNextInitialRequest({ kind: "reset" });
    const poller = client.deleteDevBox("myProject", "me", "my-box", fast());
    expect(await poller.pollUntilDone()).toBeUndefined();
    const statuses = server.requests.filter(({ method }) => method === "DELETE");
    expect(statuses.map(({ responseStatus }) => responseStatus)).toEqual([undefined, 204]);
  });
});
