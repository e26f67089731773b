import { inspect } from "node:util";
import { AzureLogger, setLogLevel } from "@azure/logger";
import { RestError } from "@azure/core-rest-pipeline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OperationStatusesClient, createPoller, fixed } from "lro-poller";
import type { StartOperationOptions, StartedPoller } from "lro-poller";
import { simulate } from "../azure/lro/support.ts";
import type { Simulated, SimulatedReply, Simulation } from "../azure/lro/support.ts";
import { rejection } from "../support/rejections.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const endpoint = "https://dev.devcenter.azure.com";
/** Whatever holds this word must not be shown. */
const secret = "TOPSECRET";
const query = `?t=1&c=${secret}&s=${secret}`;
const signed = `${endpoint}/operations/7${query}`;
const credential = {
  getToken: () => Promise.resolve({ token: secret, expiresOnTimestamp: Date.now() + 3_600_000 }),
};

/** What a console, a log or a test report would show of a value. */
function shown(value: unknown): string {
  return [String(value), inspect(value), inspect(value, { depth: null }), JSON.stringify(value)].join("\n");
}

function clientOf({ httpClient }: Simulation): OperationStatusesClient {
  return new OperationStatusesClient(endpoint, credential, { httpClient });
}

function start(service: Simulation, options: StartOperationOptions = {}): StartedPoller {
  return clientOf(service).startOperation(
    { method: "POST", url: "/boxes/b1", headers: { "api-key": secret } },
    {
      clock: service.clock,
      schedule: fixed(1000),
      random: () => 0,
      timeoutInMs: 5000,
      requestTimeoutInMs: 60_000,
      outageToleranceInMs: 2000,
      notFoundGraceInMs: 0,
      ...options,
    },
  );
}

const accepted: Simulated = { status: 202, headers: { "operation-location": signed } };
const running: Simulated = { status: 200, body: { status: "Running" } };
const lost: SimulatedReply = (request) => new RestError("socket hang up", { code: "ECONNRESET", request });

function endlessly(reply: SimulatedReply): SimulatedReply[] {
  return Array.from({ length: 20 }, () => reply);
}

describe("a signed URL and a token never show in the error of", () => {
  test.each<[string, string, SimulatedReply[]]>([
    ["a wait that timed out", "PollingTimeoutError", [accepted, ...endlessly(running)]],
    ["an outage", "PollingError", [accepted, ...endlessly({ status: 503 })]],
    ["a connection that is lost", "PollingError", [accepted, ...endlessly(lost)]],
    ["a connection that is lost at the start", "OperationStartError", [lost]],
    [
      "a permanent error",
      "PollingError",
      [accepted, { status: 403, body: { error: { code: "No", message: "" } } }],
    ],
    ["an initial request that is rejected", "OperationStartError", [{ status: 400 }]],
    ["an operation that is not known", "OperationNotFoundError", [accepted, { status: 404 }]],
    [
      "an operation that failed",
      "OperationFailedError",
      [accepted, { status: 200, body: { status: "Failed" } }],
    ],
    ["a body that is none", "PollingError", [accepted, ...endlessly({ status: 200, body: signed })]],
    [
      "a status that is none",
      "PollingError",
      [accepted, ...endlessly({ status: 200, body: { status: [signed] } })],
    ],
    [
      "a Location that is no URL",
      "PollingError",
      [{ status: 202, headers: { "operation-location": `https://[bad]/x${query}` } }],
    ],
    [
      "a Location at another origin",
      "PollingError",
      [{ status: 202, headers: { location: `https://evil.example/x${query}` } }],
    ],
    [
      "a monitor with a password, that cannot be reached",
      "PollingError",
      [
        {
          status: 202,
          headers: { "operation-location": `https://me:${secret}@dev.devcenter.azure.com/operations/7` },
        },
        ...endlessly(new Error("down")),
      ],
    ],
    [
      "a redirect to an invalid URL",
      "PollingError",
      [accepted, { status: 307, headers: { location: `https://[${query}` } }],
    ],
    [
      "a redirect to another origin",
      "PollingError",
      [accepted, { status: 307, headers: { location: `https://evil.example/x${query}` } }],
    ],
    [
      "a result at an invalid URL",
      "PollingError",
      [
        accepted,
        ...endlessly({
          status: 200,
          body: { status: "Succeeded", resourceLocation: `https://[bad]/x${query}` },
        }),
      ],
    ],
    [
      "a result that cannot be read",
      "PollingError",
      [
        {
          status: 202,
          headers: { "operation-location": "/operations/7", location: `${endpoint}/results/7${query}` },
        },
        { status: 200, body: { status: "Succeeded" } },
        ...endlessly({ status: 503 }),
      ],
    ],
  ])("%s", async (_, name, replies) => {
    const service = simulate(...replies);
    const error = await service.clock.runUntilSettled(rejection(start(service).pollUntilDone()));
    expect(error).toMatchObject({ name });
    expect(shown(error)).not.toContain(secret);
  });

  test("a poll, although its cause has the request", async () => {
    const service = simulate(lost);
    const error = await rejection(clientOf(service).getOperationStatus("myProject", operationId));
    expect(error).toMatchObject({ name: "PollingError", code: "ECONNRESET" });
    expect(service.requests[0]?.headers.get("authorization")).toBe(`Bearer ${secret}`);
    expect(shown(error)).not.toContain(secret);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(secret);
  });

  test.each<[string, (client: OperationStatusesClient) => unknown]>([
    ["an operation's id", (client) => client.operation("myProject", signed)],
    ["a project's name", (client) => client.operation(`myProject${query}`, operationId)],
    ["an Operation-Location elsewhere", (client) => client.operationAt(`https://evil.example/x${query}`)],
    ["a request's URL", (client) => client.startOperation({ method: "PUT", url: `https://[bad]${query}` })],
    ["an endpoint", () => new OperationStatusesClient(`${endpoint}/${query}`)],
    [
      "an endpoint with a password",
      () => new OperationStatusesClient(`https://me:${secret}@dev.devcenter.azure.com`),
    ],
    ["an endpoint that is none", () => new OperationStatusesClient(`dev.devcenter.azure.com${query}`)],
    ["a token that is no JSON", (client) => client.resume(signed)],
    [
      "a token cut short",
      (client) => client.resume(`{"version":1,"operation":{"pollingLocation":"${signed}`),
    ],
    ["a token of no operation", (client) => client.resume(JSON.stringify({ version: 1, operation: signed }))],
  ])("a mistake in %s", (_, act) => {
    let error: unknown;
    try {
      act(new OperationStatusesClient(endpoint));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(Error);
    expect(shown(error)).not.toContain(secret);
  });
});

describe("a signed URL and a token never show in", () => {
  test("a client, its operations and their pollers", async () => {
    const service = simulate(running);
    const client = clientOf(service);
    const operation = client.operation("myProject", operationId);
    const poller = createPoller(operation, { clock: service.clock });
    await service.clock.runUntilSettled(poller.poll());
    for (const value of [client, operation, poller]) expect(shown(value)).not.toContain(secret);
  });

  test("a poller of a started operation, before, midway and after", async () => {
    const service = simulate(accepted, running, {
      status: 200,
      body: { status: "Succeeded", properties: 1 },
    });
    const poller = start(service);
    const look = (): string => `${inspect(poller)} ${inspect(poller, { depth: null })}`;
    expect(look()).not.toContain(secret);
    await poller.started;
    expect(look()).not.toContain(secret);
    for (let poll = 0; poll < 3; poll++) {
      await service.clock.runUntilSettled(poller.poll());
      expect(look()).not.toContain(secret);
    }
    expect(poller.isDone).toBe(true);
  });

  test("the error's own data, while its resume token still works", async () => {
    const service = simulate(accepted, running, ...endlessly({ status: 503 }));
    const error = await service.clock.runUntilSettled(rejection(start(service).pollUntilDone()));
    expect(error).toHaveProperty("resumeToken", expect.stringContaining(secret));
    expect(Object.keys(Object(error))).not.toContain("resumeToken");
    expect(shown(Object.assign({}, error))).not.toContain(secret);
  });

  describe("the log", () => {
    const log = AzureLogger.log;
    const lines: string[] = [];
    beforeEach(() => {
      lines.length = 0;
      AzureLogger.log = (...args) => lines.push(args.map((arg) => shown(arg)).join(" "));
      setLogLevel("verbose");
    });
    afterEach(() => {
      AzureLogger.log = log;
      setLogLevel();
    });

    test("of a wait with failed polls, redirects and a result", async () => {
      const service = simulate(
        accepted,
        lost,
        { status: 503 },
        { status: 307, headers: { location: `${endpoint}/elsewhere${query}` } },
        { ...running, headers: { "operation-location": `${endpoint}/operations/8${query}` } },
        { status: 200, body: { status: "Succeeded", resourceLocation: `${endpoint}/results/7${query}` } },
        { status: 200, body: { id: "b1" } },
      );
      const poller = start(service, { timeoutInMs: Infinity, outageToleranceInMs: Infinity });
      expect(await service.clock.runUntilSettled(poller.pollUntilDone())).toEqual({ id: "b1" });
      expect(service.urls.filter((url) => url.includes(secret))).not.toHaveLength(0);
      expect(lines.filter((line) => /poll failed|Succeeded/.test(line))).not.toHaveLength(0);
      // Newer versions of the log policy show none of a header that is not on their list.
      expect(lines.join("")).toMatch(/"operation-location": "(?:REDACTED|https:[^"?]+\/operations\/8\?…)"/);
      expect(lines.filter((line) => line.includes(secret))).toEqual([]);
    });
  });
});
