import { setTimeout as realDelay } from "node:timers/promises";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import {
  OperationFailedError,
  OperationNotFoundError,
  OperationStatusesClient,
  PollingError,
  createPoller,
  fixed,
  pollUntilDone,
  systemClock,
} from "lro-poller";
import type { OperationStatusesClientOptions, PollOptions } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { Fault, OperationServer, OperationServerOptions, Timeline } from "lro-poller/testing";
import { fastClock } from "../support/clock.ts";
import { CountingCredential } from "../support/credential.ts";
import { rejection } from "../support/rejections.ts";
import { createCertificate } from "../support/tls.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const opened: OperationServer[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function startServer(options: OperationServerOptions = {}): Promise<OperationServer> {
  const server = await startOperationServer(options);
  opened.push(server);
  return server;
}

/** Polls with a clock that is a thousand times faster. */
function fast(options: PollOptions = {}): PollOptions {
  return {
    schedule: fixed(1000),
    // Limits would be a thousandth too: a machine that is busy for a moment must not reach them.
    requestTimeoutInMs: Infinity,
    outageToleranceInMs: Infinity,
    notFoundGraceInMs: Infinity,
    clock: fastClock(systemClock),
    ...options,
  };
}

const threeReads: Timeline = [
  { status: "NotStarted", polls: 1 },
  { status: "Running", polls: 2, percentComplete: 50 },
  { status: "Succeeded", properties: { uri: "https://box" } },
];

describe("a wait over HTTP", () => {
  test("resolves with the properties, by the contract's path and api-version", async () => {
    const server = await startServer();
    server.addOperation({ operationId, timeline: threeReads });
    const client = new OperationStatusesClient(`${server.endpoint}/`);
    expect(await pollUntilDone(client.operation("myProject", operationId), fast())).toEqual({
      uri: "https://box",
    });
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(
      Array.from(
        { length: 4 },
        () =>
          `GET ${server.endpoint}/projects/myProject/operationstatuses/${operationId}?api-version=2025-02-01`,
      ),
    );
  });

  const faults: [string, Fault][] = [
    ["a 408", { kind: "status", status: 408 }],
    ["a 429 without Retry-After", { kind: "status", status: 429 }],
    ["a 429 with Retry-After", { kind: "status", status: 429, retryAfter: 3 }],
    ["a 500", { kind: "status", status: 500 }],
    ["a 501", { kind: "status", status: 501 }],
    ["a 503", { kind: "status", status: 503 }],
    ["a 503 of a gateway in HTML", { kind: "status", status: 503, body: "<html>no</html>" }],
    ["a 404 in the grace period", { kind: "status", status: 404 }],
    ["a 204 where a status is due", { kind: "status", status: 204, body: "" }],
    ["a connection reset", { kind: "reset" }],
    ["a connection reset after the headers", { kind: "reset", when: "afterHeaders" }],
    ["a connection reset within the body", { kind: "reset", when: "midBody" }],
    ["a hanging response", { kind: "hang" }],
    ["a hung body", { kind: "hang", when: "midBody" }],
    ["an HTML page", { kind: "body", text: "<html>maintenance</html>" }],
    [
      "an HTML page that claims to be JSON",
      { kind: "body", text: "<html>", contentType: "application/json" },
    ],
    ["an empty body", { kind: "body", text: "" }],
    ["half a JSON document", { kind: "body", text: '{"id": "/proj', contentType: "application/json" }],
    ["a status that is null", { kind: "body", text: '{"status": null}', contentType: "application/json" }],
    ["the status of another operation", { kind: "otherOperation" }],
    ["a body in small pieces", { kind: "slow", chunkBytes: 64 }],
  ];

  test.each(faults)("ends with the right result after %s", async (_, fault) => {
    const server = await startServer();
    server.addOperation({ operationId, timeline: threeReads, faults: { 1: fault, 3: fault } });
    const client = new OperationStatusesClient(server.endpoint);
    const options = fast(fault.kind === "hang" ? { requestTimeoutInMs: 100_000 } : {});
    const result = await pollUntilDone(client.operation("myProject", operationId), options);
    expect(result).toEqual({ uri: "https://box" });
  });

  test("rejects with the nested error of the operation that failed, and with the request's id", async () => {
    const error = {
      code: "DeploymentFailed",
      target: "box",
      details: [{ code: "QuotaExceeded", message: "8 cores needed." }],
      innererror: { code: "ComputeQuota", innererror: { code: "CoresInRegion" } },
    };
    const server = await startServer();
    server.addOperation({
      operationId,
      timeline: [{ status: "Failed", error: { ...error, message: "No." } }],
    });
    const client = new OperationStatusesClient(server.endpoint);
    const failure = await rejection(pollUntilDone(client.operation("myProject", operationId), fast()));
    expect(failure).toBeInstanceOf(OperationFailedError);
    expect(failure).toMatchObject({ ...error, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  test("stops polling with the service's error after a permanent error", async () => {
    const server = await startServer();
    const body = { error: { code: "Forbidden", message: "Not your project.", target: "myProject" } };
    server.addOperation({
      operationId,
      timeline: threeReads,
      faults: { 2: { kind: "status", status: 403, body } },
    });
    const client = new OperationStatusesClient(server.endpoint);
    const failure = await rejection(pollUntilDone(client.operation("myProject", operationId), fast()));
    expect(failure).toBeInstanceOf(PollingError);
    expect(failure).toMatchObject({
      code: "Forbidden",
      statusCode: 403,
      requestId: expect.any(String),
      operation: { status: "NotStarted" },
      cause: { error: body.error },
    });
    expect(server.requests).toHaveLength(2);
  });

  test.each([400, 403, 405, 410])("stops polling at once after a %i", async (status) => {
    const server = await startServer();
    server.addOperation({ operationId, timeline: threeReads });
    server.failNext({ kind: "status", status });
    const client = new OperationStatusesClient(server.endpoint);
    const failure = await rejection(pollUntilDone(client.operation("myProject", operationId), fast()));
    expect(failure).toMatchObject({ name: "PollingError", statusCode: status, code: `Fault${status}` });
  });

  test("aborted while a response hangs rejects with the reason, and can be continued", async () => {
    const server = await startServer();
    server.addOperation({
      operationId,
      timeline: threeReads,
      faults: { 1: { kind: "hang", when: "midBody" } },
    });
    const poller = createPoller(
      new OperationStatusesClient(server.endpoint).operation("myProject", operationId),
      fast(),
    );
    const controller = new AbortController();
    const wait = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    while (server.requests.length === 0) await realDelay(1);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(server.requests).toHaveLength(1);
    expect(await poller.pollUntilDone()).toEqual({ uri: "https://box" });
  });
});

describe("getOperationStatus", () => {
  test("rejects at once if Retry-After is longer than its time limit", async () => {
    const server = await startServer();
    server.addOperation({ operationId });
    server.failNext({ kind: "status", status: 429, retryAfter: 3600 });
    const client = new OperationStatusesClient(server.endpoint);
    const poll = (): Promise<PollingError> =>
      rejection(client.getOperationStatus("myProject", operationId), PollingError);
    expect(await poll()).toMatchObject({ statusCode: 429 });
    expect(await poll()).toMatchObject({
      code: "Throttled",
      message: expect.stringMatching(/accepts no request for \d+ s/),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("polls once", async () => {
    const server = await startServer();
    server.addOperation({ operationId, timeline: [{ status: "Running", percentComplete: 12.5 }] });
    const client = new OperationStatusesClient(server.endpoint, undefined, {
      apiVersion: "2026-01-01-preview",
    });
    const status = await client.getOperationStatus("myProject", operationId);
    expect(status).toMatchObject({ name: operationId, status: "Running", percentComplete: 12.5 });
    expect(status.startTime).toBeInstanceOf(Date);
    expect(server.requests.map(({ url }) => new URL(url).search)).toEqual([
      "?api-version=2026-01-01-preview",
    ]);
  });

  test("rejects if there is no such operation", async () => {
    const server = await startServer();
    const failure = await rejection(
      new OperationStatusesClient(server.endpoint).getOperationStatus("myProject", operationId),
    );
    expect(failure).toBeInstanceOf(OperationNotFoundError);
    expect(failure).toMatchObject({ message: expect.stringContaining(operationId) });
  });

  test("does not retry", async () => {
    const server = await startServer();
    server.addOperation({ operationId });
    server.failNext({ kind: "status", status: 503 });
    const failure = await rejection(
      new OperationStatusesClient(server.endpoint).getOperationStatus("myProject", operationId),
    );
    expect(failure).toMatchObject({ name: "PollingError", statusCode: 503 });
    expect(server.requests).toHaveLength(1);
  });

  test("rejects with the reason of its signal", async () => {
    const client = new OperationStatusesClient("http://127.0.0.1:1");
    const abortSignal = AbortSignal.abort("enough");
    expect(await rejection(client.getOperationStatus("myProject", operationId, { abortSignal }))).toBe(
      "enough",
    );
  });
});

describe("arguments", () => {
  const credential = new CountingCredential();
  const client = new OperationStatusesClient("https://dev.devcenter.azure.com");

  test.each<[() => unknown, Error]>([
    [
      () => new OperationStatusesClient("dev.devcenter.azure.com"),
      new TypeError('endpoint: expected a URL, got "dev.devcenter.azure.com"'),
    ],
    [
      () => new OperationStatusesClient("http://dev.devcenter.azure.com"),
      new RangeError("endpoint: expected an https URL, got http://dev.devcenter.azure.com (http:)"),
    ],
    [
      () => new OperationStatusesClient("http://127.0.0.1:1", credential),
      new RangeError(
        "endpoint: a credential is sent over https only, got http://127.0.0.1:1; leave it out for an emulator",
      ),
    ],
    [
      () => new OperationStatusesClient("https://me:secret@dev.devcenter.azure.com"),
      new RangeError(
        "endpoint: expected no user, query or fragment, got one in a URL of https://dev.devcenter.azure.com",
      ),
    ],
    [
      () => new OperationStatusesClient("https://dev.devcenter.azure.com", credential, { apiVersion: "" }),
      new RangeError('apiVersion: expected at least one character, got ""'),
    ],
    [
      () => client.operation("my project", operationId),
      new RangeError(`projectName: expected 3 to 63 letters, digits, '-', '_' or '.', got "my project"`),
    ],
    [
      () => client.operation("../..", operationId),
      new RangeError(`projectName: expected 3 to 63 letters, digits, '-', '_' or '.', got "../.."`),
    ],
    [
      () => client.operation("myProject", "7"),
      new RangeError('operationId: expected 36 characters in the form of a UUID, got "7"'),
    ],
    [
      () => client.operationAt(`https://evil.example/projects/myProject/operationstatuses/${operationId}`),
      new RangeError(
        "operationLocation: expected the client's origin https://dev.devcenter.azure.com, got https://evil.example",
      ),
    ],
    [
      () =>
        client.operationAt(`https://dev.devcenter.azure.com/projects/a%2fb/operationstatuses/${operationId}`),
      new RangeError(`projectName: expected 3 to 63 letters, digits, '-', '_' or '.', got "a%2fb"`),
    ],
  ])("are rejected by name, before any request: %s", (act, error) => {
    expect(act).toThrow(error);
  });

  test("of the wrong type are rejected too", () => {
    // @ts-expect-error: the types forbid it
    expect(() => client.operation(7, operationId)).toThrow(
      new TypeError("projectName: expected a string, got number"),
    );
  });

  test("an Operation-Location gives the operation, whatever its case, slash or api-version", () => {
    const location = `https://dev.devcenter.azure.com/Projects/myProject/operationStatuses/${operationId}/?api-version=old&monitor=true`;
    expect(client.operationAt(location).toJSON()).toEqual(
      client.operation("myProject", operationId).toJSON(),
    );
    expect(client.operationAt(`/projects/myProject/operationstatuses/${operationId}`).id).toBe(operationId);
  });

  test("an endpoint may have a path", () => {
    const gateway = new OperationStatusesClient("https://gateway.example/devcenter");
    const location = `https://gateway.example/devcenter/projects/myProject/operationstatuses/${operationId}`;
    expect(gateway.operationAt(location).id).toBe(operationId);
    expect(() => gateway.operationAt(location.replace("/devcenter", ""))).toThrow(RangeError);
  });
});

describe("credentials", () => {
  const certificate = createCertificate();

  async function setUp(
    options: OperationServerOptions = {},
    credential: CountingCredential = new CountingCredential(),
    clientOptions: OperationStatusesClientOptions = {},
  ): Promise<{
    server: OperationServer;
    client: OperationStatusesClient;
    credential: CountingCredential;
  }> {
    const tls = await certificate;
    const server = await startServer({ tls, ...options });
    server.addOperation({ operationId, timeline: threeReads });
    const client = new OperationStatusesClient(server.endpoint, credential, {
      tlsOptions: { ca: tls.cert },
      ...clientOptions,
    });
    return { server, client, credential };
  }

  function tokensSent(server: OperationServer): (string | undefined)[] {
    return server.requests.map(({ headers }) => headers.authorization);
  }

  test("are called once, for DevCenter's scope, and every poll has their token", async () => {
    const { server, client, credential } = await setUp();
    await pollUntilDone(client.operation("myProject", operationId), fast());
    expect(tokensSent(server)).toEqual(Array.from({ length: 4 }, () => "Bearer token-1"));
    expect(credential.calls).toMatchObject([
      { scopes: ["https://devcenter.azure.com/.default"], enableCae: true },
    ]);
  });

  test("are called again before each poll when their tokens have expired", async () => {
    const { server, client } = await setUp({}, new CountingCredential(500));
    await pollUntilDone(client.operation("myProject", operationId), fast());
    expect(tokensSent(server)).toEqual([
      "Bearer token-1",
      "Bearer token-2",
      "Bearer token-3",
      "Bearer token-4",
    ]);
  });

  test("are called early, and polls do not wait while the current token is valid", async () => {
    const credential = new CountingCredential(60_000);
    const { server, client } = await setUp({}, credential);
    await client.getOperationStatus("myProject", operationId);
    credential.hangs = true;
    await pollUntilDone(client.operation("myProject", operationId), fast());
    expect(new Set(tokensSent(server))).toEqual(new Set(["Bearer token-1"]));
    expect(credential.calls).toHaveLength(2);
  });

  test.each<[string, (credential: CountingCredential) => Promise<void>]>([
    ["at once", async (credential) => void (credential.failWith = new Error("login.example is down"))],
    [
      "when no caller waits any more",
      async (credential) => void (credential.failsLater = Promise.withResolvers()),
    ],
  ])(
    "that fail to renew a token in the background, %s, end neither the process nor the wait",
    async (_, breakDown) => {
      const unhandled: unknown[] = [];
      const listener = (reason: unknown): unknown => unhandled.push(reason);
      process.on("unhandledRejection", listener);
      onTestFinished(() => void process.off("unhandledRejection", listener));
      const credential = new CountingCredential(60_000);
      const { server, client } = await setUp({}, credential);
      await client.getOperationStatus("myProject", operationId);
      await breakDown(credential);
      await pollUntilDone(client.operation("myProject", operationId), fast());
      credential.failsLater?.reject(new Error("login.example is down"));
      // Node reports them after the microtasks.
      await realDelay(0);
      expect(new Set(tokensSent(server))).toEqual(new Set(["Bearer token-1"]));
      expect(credential.calls.length).toBeGreaterThan(1);
      expect(unhandled).toEqual([]);
    },
  );

  test("still serve other callers when one aborts its wait", async () => {
    const credential = new CountingCredential();
    credential.hangs = true;
    const { client } = await setUp({}, credential);
    const controller = new AbortController();
    const one = rejection(
      client.getOperationStatus("myProject", operationId, { abortSignal: controller.signal }),
    );
    controller.abort("enough");
    expect(await one).toBe("enough");
    credential.hangs = false;
    expect(await client.getOperationStatus("myProject", operationId)).toMatchObject({ name: operationId });
  });

  test("are called for one fresh token when the service rejects one", async () => {
    const { server, client, credential } = await setUp({
      requireAuthorization: (token) => token !== "token-1",
    });
    await pollUntilDone(client.operation("myProject", operationId), fast());
    expect(tokensSent(server).slice(0, 3)).toEqual(["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
    expect(credential.calls).toHaveLength(2);
  });

  test("whose fresh token is rejected too end the wait, after two requests", async () => {
    const { server, client } = await setUp({ requireAuthorization: () => false });
    const failure = await rejection(pollUntilDone(client.operation("myProject", operationId), fast()));
    expect(failure).toMatchObject({ name: "PollingError", statusCode: 401, code: "Unauthorized" });
    expect(server.requests).toHaveLength(2);
  });

  test("respond to a claims challenge", async () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    const { server, client, credential } = await setUp();
    server.failNext({ kind: "unauthorized", claims });
    await pollUntilDone(client.operation("myProject", operationId), fast());
    expect(credential.calls).toMatchObject([{}, { claims }]);
    expect(tokensSent(server).slice(0, 3)).toEqual(["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
  });

  test("that are not set up end the wait at once", async () => {
    const credential = new CountingCredential();
    credential.failWith = Object.assign(new Error("Please run az login."), {
      name: "CredentialUnavailableError",
    });
    const { server, client } = await setUp({}, credential);
    const failure = await rejection(pollUntilDone(client.operation("myProject", operationId), fast()));
    expect(failure).toMatchObject({ name: "PollingError", code: "CredentialError", pollCount: 1 });
    expect(failure).toHaveProperty("message", expect.stringContaining("Please run az login."));
    expect(server.requests).toHaveLength(0);
  });

  test("that fail in the middle of a wait are an outage, not an unhandled rejection", async () => {
    const credential = new CountingCredential(500);
    const { client } = await setUp({}, credential);
    const failures: string[] = [];
    const result = pollUntilDone(
      client.operation("myProject", operationId),
      fast({
        onProgress: ({ pollCount }) => {
          if (pollCount === 1) credential.failWith = new Error("login.example is down");
        },
        onFailedPoll: ({ error }) => {
          failures.push(error.message);
          if (failures.length === 3) credential.failWith = undefined;
        },
        schedule: fixed(600_000),
      }),
    );
    await expect(result).resolves.toEqual({ uri: "https://box" });
    expect(failures).toEqual(
      Array.from({ length: 3 }, () => "no token from the credential: login.example is down"),
    );
  });

  test("follow a redirect within the origin, and never one to another", async () => {
    const foreign = await startServer({ tls: await certificate });
    foreign.addOperation({ operationId, timeline: threeReads });
    const { server, client } = await setUp();
    const path = `/projects/myProject/operationstatuses/${operationId}?api-version=2025-02-01`;
    server.failNext({ kind: "redirect", status: 308, location: path });
    await pollUntilDone(client.operation("myProject", operationId), fast());
    expect(new Set(tokensSent(server))).toEqual(new Set(["Bearer token-1"]));

    for (const status of [301, 302, 303, 307, 308]) {
      server.failNext({ kind: "redirect", status, location: `${foreign.endpoint}${path}` });
      const failure = await rejection(client.getOperationStatus("myProject", operationId));
      expect(failure).toMatchObject({ name: "PollingError", code: "OriginRefused", statusCode: status });
      expect(failure).toHaveProperty(
        "message",
        expect.stringContaining(`from ${server.endpoint} to ${foreign.endpoint}`),
      );
    }
    expect(foreign.requests).toHaveLength(0);
  });

  test("and a redirect in a circle ends", async () => {
    const { server, client } = await setUp();
    const location = `/projects/myProject/operationstatuses/${operationId}?api-version=2025-02-01`;
    server.failNext({ kind: "redirect", location }, 100);
    const failure = await rejection(client.getOperationStatus("myProject", operationId));
    expect(failure).toHaveProperty("message", expect.stringContaining("more than 5 redirects"));
    expect(server.requests).toHaveLength(6);
  });

  test("go to no server with an untrusted certificate: the wait ends at once", async () => {
    const { server, client } = await setUp({}, new CountingCredential(), { tlsOptions: {} });
    const failure = await rejection(pollUntilDone(client.operation("myProject", operationId), fast()));
    expect(failure).toMatchObject({
      name: "PollingError",
      code: "DEPTH_ZERO_SELF_SIGNED_CERT",
      pollCount: 1,
    });
    expect(server.requests).toHaveLength(0);
  });

  test("do not show in errors", async () => {
    const { server, client } = await setUp({ requireAuthorization: () => false });
    const failure = await rejection(pollUntilDone(client.operation("myProject", operationId), fast()));
    const { inspect } = await import("node:util");
    expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain("token-1");
    expect(server.requests).toHaveLength(2);
  });
});

describe("a policy of the user's own", () => {
  test("sees every request", async () => {
    const server = await startServer();
    server.addOperation({ operationId, timeline: threeReads });
    const seen: string[] = [];
    const client = new OperationStatusesClient(server.endpoint, undefined, {
      additionalPolicies: [
        {
          position: "perCall",
          policy: {
            name: "own",
            sendRequest(request, next) {
              seen.push(request.method);
              request.headers.set("x-own", "1");
              return next(request);
            },
          },
        },
      ],
    });
    await client.getOperationStatus("myProject", operationId);
    expect(seen).toEqual(["GET"]);
    expect(server.requests[0]?.headers).toMatchObject({
      "x-own": "1",
      "x-ms-client-request-id": expect.any(String),
    });
  });
});
