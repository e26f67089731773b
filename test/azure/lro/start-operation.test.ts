import { setLogLevel, AzureLogger } from "@azure/logger";
import { createEmptyPipeline } from "@azure/core-rest-pipeline";
import { afterEach, describe, expect, test } from "vitest";
import { LroClient, OperationStartError, RequestError, fixed, startOperation } from "lro-poller";
import type { InitialRequest, InitialResponse } from "lro-poller";
import { microtasks, rejection } from "../../support/rejections.ts";
import { start, clientOf, fast, on, requestOf, serve, simulate } from "./support.ts";
import type { Simulated, Simulation } from "./support.ts";

const at = "/operations/7";
const statusRequest = `GET ${at}`;
const monitor = { headers: { "operation-location": at } };
const running = { body: { status: "Running" } };
const succeeded = { body: { status: "Succeeded" } };
const box = { body: { id: "b1", provisioningState: "Succeeded" } };

/** Starts an operation of a service without sockets. */
function startSimulated(
  method: InitialRequest["method"],
  { clock, httpClient }: Simulation,
  options: Parameters<typeof startOperation>[1] | object = {},
): ReturnType<typeof startOperation> {
  return startOperation(
    { method, url: "https://dev.devcenter.azure.com/boxes/b1" },
    {
      pipeline: createEmptyPipeline(),
      httpClient,
      clock,
      schedule: fixed(1000),
      random: () => 0,
      ...options,
    },
  );
}

describe("the initial response", () => {
  test("is passed to onStarted before the first poll, with its headers and the resource", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, { headers: { ...monitor.headers, "X-Own": "1" }, body: { id: "b1" } }),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const calls: [InitialResponse, readonly string[]][] = [];
    const poller = start(server, "PUT /boxes/b1", {
      onStarted: (started) => calls.push([started, server.requestLines]),
    });
    const started = await poller.started;
    expect(started).toMatchObject({
      statusCode: 201,
      headers: { "operation-location": at, "x-own": "1" },
      body: { id: "b1" },
    });
    expect(server.requestLines).toEqual(["PUT /boxes/b1"]);
    expect(await poller.pollUntilDone()).toEqual(box.body);
    expect(calls).toEqual([[started, ["PUT /boxes/b1"]]]);
    server.assertFinished();
  });

  test.each([
    ["empty", undefined, undefined],
    ["null", "null", null],
    ["{}", "{}", {}],
  ])("may have a body that is %s", async (_, body, parsed) => {
    const server = await serve([
      on("POST /boxes/b1:start", 202, { ...monitor, body }),
      on(statusRequest, 200, { body: { status: "Succeeded", properties: 3 } }),
    ]);
    const poller = start(server, "POST /boxes/b1:start");
    expect((await poller.started).body).toEqual(parsed);
    expect(await poller.pollUntilDone()).toBe(3);
    server.assertFinished();
  });

  test.each([
    ["Operation-Location", 202, monitor.headers],
    ["Location", 202, { location: at }],
  ])("may have a body that is no JSON, if its %s has a URL to poll", async (_, status, headers) => {
    const server = await serve([
      on("POST /boxes/b1:start", status, { headers, body: "<p>Accepted</p>" }),
      on(statusRequest, 200, succeeded),
    ]);
    const poller = start(server, "POST /boxes/b1:start");
    expect(await poller.started).toMatchObject({ statusCode: status, body: "<p>Accepted</p>" });
    expect(await poller.pollUntilDone()).toEqual({ status: "Succeeded" });
    server.assertFinished();
  });

  describe("to a listener that throws", () => {
    const log = AzureLogger.log;
    afterEach(() => {
      AzureLogger.log = log;
      setLogLevel();
    });

    test.each([
      [
        "at once",
        () => {
          throw new Error("not my day");
        },
      ],
      ["later", () => Promise.reject(new Error("not my day"))],
    ])("%s is logged, and the wait continues", async (_, onStarted) => {
      const lines: string[] = [];
      AzureLogger.log = (...args) => lines.push(args.map(String).join(" "));
      setLogLevel("error");
      const server = await serve([on("POST /boxes/b1", 200, box)]);
      expect(await start(server, "POST /boxes/b1", { onStarted }).pollUntilDone()).toEqual(box.body);
      expect(lines.filter((line) => line.includes("not my day"))).toHaveLength(1);
    });
  });

  test("needs no poll after it if it is terminal", async () => {
    const server = await serve([
      on("POST /boxes/b1:check", 202, {
        ...monitor,
        body: { status: "Failed", error: { code: "NoQuota", message: "8 needed." } },
      }),
    ]);
    const failure = await rejection(start(server, "POST /boxes/b1:check").pollUntilDone());
    expect(failure).toMatchObject({ name: "OperationFailedError", code: "NoQuota" });
    server.assertFinished();
  });

  test("has the resource of a PUT, whose own status is not the operation's", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, { ...monitor, body: { id: "b1", status: "Failed" } }),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    expect(await start(server, "PUT /boxes/b1").pollUntilDone()).toEqual(box.body);
  });

  test.each<[string, Record<string, string>, number]>([
    ["seconds", { "retry-after": "20" }, 20_000],
    [
      "a date",
      {
        "retry-after": "Wed, 01 Jan 2025 00:01:00 GMT",
        date: "Wed, 01 Jan 2025 00:00:10 GMT",
      },
      50_000,
    ],
    ["milliseconds", { "x-ms-retry-after-ms": "2500" }, 2500],
    ["nothing", {}, 1000],
    ["garbage", { "retry-after": "/bar" }, 1000],
  ])("holds the first poll back for its Retry-After, given in %s", async (_, headers, delayInMs) => {
    const service = simulate(
      { status: 202, headers: { ...headers, "operation-location": at } },
      { status: 200, body: { status: "Running" } },
      { status: 200, body: { status: "Succeeded" } },
    );
    await service.clock.runUntilSettled(startSimulated("POST", service).pollUntilDone());
    expect(service.requestLog).toEqual([
      [0, "POST /boxes/b1"],
      [delayInMs, statusRequest],
      [delayInMs + 1000, statusRequest],
    ]);
  });
});

describe("an initial request that fails", () => {
  test("rejects with the service's whole error", async () => {
    const error = {
      code: "NoQuota",
      message: "8 needed.",
      target: "cores",
      details: [{ code: "D", message: "d" }],
    };
    const server = await serve([
      on("PUT /boxes/b1", 409, { headers: { "x-ms-request-id": "r-1" }, body: { error } }),
    ]);
    const poller = start(server, "PUT /boxes/b1");
    const failure = await rejection(poller.pollUntilDone());
    expect(failure).toBeInstanceOf(OperationStartError);
    expect(failure).toMatchObject({
      code: "NoQuota",
      statusCode: 409,
      requestId: "r-1",
      error,
      message: expect.stringContaining("NoQuota: 8 needed. (cores)"),
    });
    expect(await rejection(poller.started)).toMatchObject({ name: "OperationStartError", statusCode: 409 });
    expect(await rejection(poller.poll())).toMatchObject({ name: "OperationStartError", statusCode: 409 });
    expect(server.requestLines).toEqual(["PUT /boxes/b1"]);
  });

  test.each(["before", "after"])("ends each call that comes %s it, with the same error", async (when) => {
    const service = simulate({ status: 400, body: { error: { code: "No", message: "No." } } });
    const poller = startSimulated("POST", service);
    const started = rejection(poller.started);
    if (when === "after") await started;
    const calls = [
      rejection(poller.pollUntilDone()),
      rejection(poller.poll()),
      rejection(poller[Symbol.asyncIterator]().next()),
    ];
    for (const call of calls) expect(await call).toBe(await started);
    expect(await started).toBeInstanceOf(OperationStartError);
    expect(poller.isDone).toBe(true);
    expect(service.requestLog).toHaveLength(1);
    expect(service.clock.pendingTimers).toBe(0);
  });

  test("of a poller that was disposed of leaves its calls as they are", async () => {
    const service = simulate({ status: 429 });
    const poller = startSimulated("POST", service);
    await service.clock.advance(1);
    const started = rejection(poller.started);
    await poller[Symbol.asyncDispose]();
    expect(await started).toBeInstanceOf(OperationStartError);
    expect(await rejection(poller.pollUntilDone())).toMatchObject({ code: "Disposed" });
    expect(poller.isDone).toBe(false);
  });

  test("and that no caller waits for leaves no unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): unknown => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    try {
      const service = simulate({ status: 400, body: { error: { code: "No", message: "No." } } });
      const poller = startSimulated("POST", service);
      await service.clock.advance(1);
      expect(service.requestLog).toHaveLength(1);
      expect(unhandled).toEqual([]);
      expect(poller.isDone).toBe(true);
    } finally {
      process.off("unhandledRejection", listener);
    }
  });

  const broken = (code: string): Error => Object.assign(new Error("broken"), { code });
  const status = (code: number): Simulated => ({ status: code });

  test.each<[InitialRequest["method"], string, Simulated, number]>([
    ["PUT", "500", status(500), 4],
    ["DELETE", "500", status(500), 4],
    ["GET", "500", status(500), 4],
    ["PATCH", "500", status(500), 1],
    ["POST", "500", status(500), 1],
    ["POST", "408", status(408), 1],
    ["POST", "429", status(429), 4],
    ["PATCH", "429", status(429), 4],
    ["POST", "503", status(503), 1],
    ["PATCH", "503", status(503), 1],
    ["POST", "503 with a system's code", { status: 503, headers: { "x-ms-error-code": "ENOTFOUND" } }, 1],
    ["PUT", "503", status(503), 4],
    ["PUT", "a reset", broken("ECONNRESET"), 4],
    ["POST", "a reset", broken("ECONNRESET"), 1],
    ["POST", "a connection refused", broken("ECONNREFUSED"), 4],
    ["POST", "a host that is not found", broken("ENOTFOUND"), 4],
    ["PATCH", "a name server that does not answer", broken("EAI_AGAIN"), 4],
    ["PUT", "400", status(400), 1],
    ["PUT", "404", status(404), 1],
    ["PUT", "409", status(409), 1],
  ])("%s, after %s, is repeated only where that is safe", async (method, _, reply, requests) => {
    const service = simulate(...Array.from({ length: 5 }, () => reply));
    const poller = startSimulated(method, service, { outageToleranceInMs: Infinity, timeoutInMs: 600_000 });
    const failure = await service.clock.runUntilSettled(rejection(poller.pollUntilDone()));
    expect(failure).toMatchObject({ name: "OperationStartError" });
    expect(service.requestLog).toEqual(
      [0, 1000, 3000, 7000].slice(0, requests).map((time) => [time, `${method} /boxes/b1`]),
    );
  });

  test("is repeated no sooner than its Retry-After, and starts the operation at last", async () => {
    const service = simulate(
      { status: 429, headers: { "retry-after": "20" } },
      { status: 202, headers: { "operation-location": at } },
      { status: 200, body: { status: "Succeeded" } },
    );
    const poller = startSimulated("POST", service);
    const result = await service.clock.runUntilSettled(poller.pollUntilDone());
    expect(result).toEqual({ status: "Succeeded" });
    expect(service.requestLog).toEqual([
      [0, "POST /boxes/b1"],
      [20_000, "POST /boxes/b1"],
      [21_000, statusRequest],
    ]);
  });

  test.each([
    ["parseResult", "text", "parseResult: expected a function, got string"],
    ["onStarted", 1, "onStarted: expected a function, got number"],
    ["startTimeoutInMs", 0, "startTimeoutInMs: expected a positive number of milliseconds, got 0"],
    ["finalStateVia", "Location", /^finalStateVia: expected one of .*, location, .*, got "Location"$/],
    ["repeatability", "false", 'repeatability: expected a boolean, got "false"'],
    ["repeatability", null, "repeatability: expected a boolean, got null"],
  ])("with a wrong %s throws before anything is sent", async (name, value, message) => {
    const service = simulate({ status: 200 });
    const options = Object.fromEntries([[name, value]]);
    expect(() => startSimulated("PUT", service, options)).toThrow(message);
    await microtasks(40);
    expect(service.requestLog).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ["a text", "x-own: secret", "expected a plain object of strings, got a string"],
    ["an array", [["x-own", "1"]], "expected a plain object of strings, got an array"],
    ["null", null, "expected a plain object of strings, got null"],
    ["a Headers", new Headers({ a: "1" }), "expected a plain object of strings, got an object"],
    ["a Map", new Map([["a", "1"]]), "expected a plain object of strings, got an object"],
  ])("with headers that are %s throws before anything is sent", async (_, headers, message) => {
    const service = simulate({ status: 200 });
    const request = { method: "PUT", url: "https://dev.devcenter.azure.com/boxes/b1" } as const;
    const { clock, httpClient } = service;
    const options = { clock, httpClient, pipeline: createEmptyPipeline() };
    const wrong = Object.fromEntries([["headers", headers]]);
    expect(() => startOperation({ ...request, ...wrong }, options)).toThrow(
      new TypeError(`request.headers: ${message}`),
    );
    const client = new LroClient("https://dev.devcenter.azure.com", undefined, { httpClient });
    expect(() => client.operationAt("/operations/7", wrong)).toThrow(new TypeError(`headers: ${message}`));
    await microtasks(40);
    expect(service.requestLog).toEqual([]);
  });

  test.each<[unknown, string]>([
    [7, "7"],
    [undefined, "nothing"],
    [null, "null"],
    [["secret"], "an array"],
  ])("with %j as a header throws before anything is sent", async (value, got) => {
    const service = simulate({ status: 200 });
    const request = { method: "PUT", url: "https://dev.devcenter.azure.com/boxes/b1" } as const;
    const wrong = Object.fromEntries([["headers", { "x-own": value }]]);
    const { clock, httpClient } = service;
    const options = { clock, httpClient, pipeline: createEmptyPipeline() };
    expect(() => startOperation({ ...request, ...wrong }, options)).toThrow(
      new TypeError(`request.headers["x-own"]: expected a string, got ${got}`),
    );
    await microtasks(40);
    expect(service.requestLog).toEqual([]);
  });

  test("with a signal that has fired is not sent, also by an HTTP client that ignores signals", async () => {
    const service = simulate({ status: 200 });
    const poller = startSimulated("PUT", service, { abortSignal: AbortSignal.abort("enough") });
    expect(await rejection(poller.pollUntilDone())).toBe("enough");
    expect(service.requestLog).toEqual([]);
  });

  test.each<[string, number, number]>([
    ["NaN waits as after any failure", NaN, 1000],
    ["31 years is a day", 1e12, 86_400_000],
  ])("a Retry-After of an HTTP client of the user's own: %s", async (_, retryAfterInMs, delayInMs) => {
    const service = simulate(
      new RequestError("slow down", { kind: "transient", statusCode: 429, retryAfterInMs }),
      { status: 202, headers: { "operation-location": at } },
      { status: 200, body: { status: "Succeeded" } },
    );
    await service.clock.runUntilSettled(startSimulated("POST", service).pollUntilDone());
    expect(service.requestLog[1]).toEqual([delayInMs, "POST /boxes/b1"]);
  });

  test("aborted while it is under way rejects with the reason, wherever a caller waits", async () => {
    const server = await serve([on("PUT /boxes/b1", 201, monitor)]);
    const { arrived } = server.hold("PUT", "/boxes/b1");
    const controller = new AbortController();
    const poller = start(server, "PUT /boxes/b1", { abortSignal: controller.signal });
    const wait = rejection(poller.pollUntilDone());
    const started = rejection(poller.started);
    await arrived;
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(await started).toBe("enough");
    expect(server.requestLines).toEqual(["PUT /boxes/b1"]);
  });

  test("aborted between its repetitions rejects with the reason and is not sent again", async () => {
    const service = simulate({ status: 429 }, { status: 200 });
    const controller = new AbortController();
    const poller = startSimulated("POST", service, { abortSignal: controller.signal });
    const started = rejection(poller.started);
    await service.clock.advance(10);
    controller.abort("enough");
    expect(await started).toBe("enough");
    await service.clock.advance(60_000);
    expect(service.requestLog).toEqual([[0, "POST /boxes/b1"]]);
    expect(service.clock.pendingTimers).toBe(0);
  });

  test("continues for the others when one caller aborts its wait", async () => {
    const server = await serve([on("POST /boxes/b1", 200, box)]);
    const { arrived, release } = server.hold("POST", "/boxes/b1");
    const controller = new AbortController();
    const poller = start(server, "POST /boxes/b1");
    const one = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    const other = poller.pollUntilDone();
    await arrived;
    controller.abort("enough");
    expect(await one).toBe("enough");
    release();
    expect(await other).toEqual(box.body);
    server.assertFinished();
  });

  test("over plain http to another machine is rejected, allowed or not", async () => {
    const service = simulate();
    const request = { method: "PUT", url: "http://dev.devcenter.azure.com/boxes/b1" } as const;
    const options = { ...service, pipeline: createEmptyPipeline() };
    const allowedOrigins = ["http://dev.devcenter.azure.com"];
    expect(() => startOperation(request, { ...options, allowedOrigins })).toThrow(/^allowedOrigins: /);
    const wait = startOperation(request, options).pollUntilDone();
    const failure = await service.clock.runUntilSettled(rejection(wait));
    expect(failure).toMatchObject({ name: "OperationStartError", code: "OriginRefused" });
    expect(service.requestLog).toEqual([]);
  });

  test("to no URL is rejected by name", async () => {
    const server = await serve();
    const options = fast();
    expect(() =>
      startOperation({ method: "PUT", url: "/boxes" }, { ...options, pipeline: createEmptyPipeline() }),
    ).toThrow(/^request\.url: /);
    expect(() => clientOf(server).startOperation({ method: "PUT", url: "https://[" }, options)).toThrow(
      /^request\.url: /,
    );
    expect(() =>
      clientOf(server).startOperation({ method: "PUT", url: "https://evil.example/boxes" }, options),
    ).toThrow(`request.url: expected the client's origin ${server.origin}, got https://evil.example`);
  });
});

describe("what is sent", () => {
  test("is the body as JSON, and the caller's headers with every request", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const request = { headers: { "x-own": "1", accept: "application/vnd.box+json" }, body: { cores: 8 } };
    await start(server, "PUT /boxes/b1", {}, request).pollUntilDone();
    server.assertFinished();
    expect(server.requests.map(({ headers, body }) => [headers["x-own"], headers.accept, body])).toEqual([
      ["1", "application/vnd.box+json", '{"cores":8}'],
      ["1", "application/vnd.box+json", ""],
      ["1", "application/vnd.box+json", ""],
      ["1", "application/vnd.box+json", ""],
    ]);
    expect(server.requests.map(({ headers }) => headers["content-type"])).toEqual([
      "application/json",
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("a client's api-version goes to URLs that have none, and to no other", async () => {
    const server = await serve([
      on("PUT /boxes/b1?api-version=2025-02-01", 201, { headers: { "operation-location": "/first?x=1" } }),
      on("GET /first?x=1&api-version=2025-02-01", 200, {
        ...running,
        headers: { "operation-location": "{origin}/second?Api-Version=2020-01-01" },
      }),
      on("GET /second?Api-Version=2020-01-01", 200, succeeded),
      on("GET /boxes/b1?api-version=2025-02-01", 200, box),
    ]);
    const poller = clientOf(server).startOperation(requestOf(server, "PUT /boxes/b1"), fast());
    expect(await poller.pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("a pipeline's apiVersion likewise, and none without", async () => {
    const server = await serve([
      on("POST /boxes/b1:start?api-version=1", 202, { headers: { "operation-location": at } }),
      on(`GET ${at}?api-version=2`, 200, succeeded),
      on("POST /boxes/b1:start", 202, { headers: { "operation-location": at } }),
      on(statusRequest, 200, succeeded),
    ]);
    const versioned = start(server, "POST /boxes/b1:start?api-version=1", { apiVersion: "2" });
    expect(await versioned.pollUntilDone()).toEqual(succeeded.body);
    expect(await start(server, "POST /boxes/b1:start").pollUntilDone()).toEqual(succeeded.body);
    server.assertFinished();
  });

  const signature = Array.from({ length: 4000 }, (_, index) => "aZ09-_.~"[index % 8]).join("");
  const signed = `/Subscriptions/1/operationStatuses/7*AB%2fcd%2F?api-version=1&t=6389+1&c=${signature}&s=%2B%2f%3D==&h=a!$(),;:@/?|`;

  test.each([
    ["operation-location", 201],
    ["azure-asyncoperation", 201],
    ["location", 202],
  ])("a signed URL of 4 kB in %s goes back byte for byte", async (header, status) => {
    const headers = { [header]: `{origin}${signed}` };
    const server = await serve([
      on("POST /boxes/b1?api-version=2025-02-01", status, { headers }),
      on(`GET ${signed}`, 202, { ...running, headers }),
      on(`GET ${signed}`, 200, succeeded),
    ]);
    const request = requestOf(server, "POST /boxes/b1");
    const poller = clientOf(server).startOperation(request, fast());
    expect(await poller.pollUntilDone()).toEqual(succeeded.body);
    expect(server.requests[2]?.path).toBe(signed);
    server.assertFinished();
  });

  test("an absolute URL is not respelled, and keeps its case and its quotes", async () => {
    const spelled = "HTTPS://DEV.devcenter.azure.com:443/a/../b?sig='{\"x\"}'";
    const service = simulate(
      { status: 202, headers: { "operation-location": spelled } },
      { status: 200, body: { status: "Succeeded" } },
    );
    await service.clock.runUntilSettled(startSimulated("POST", service).pollUntilDone());
    expect(service.urls).toEqual(["https://dev.devcenter.azure.com/boxes/b1", spelled]);
  });

  test.each([
    ["absolute", "{origin}/a/second"],
    ["of the origin", "/a/second"],
    ["of the URL before", "second"],
  ])("a URL that changes midway, and then is %s, is followed", async (_, second) => {
    const server = await serve([
      on("POST /boxes/b1", 202, { headers: { "operation-location": "a/first" } }),
      on("GET /boxes/a/first", 200, {
        ...running,
        headers: { "operation-location": "{origin}/a/first?n=2" },
      }),
      on("GET /a/first?n=2", 200, { ...running, headers: { "azure-asyncoperation": second } }),
      on("GET /a/second", 200, running),
      on("GET /a/second", 200, succeeded),
    ]);
    expect(await start(server, "POST /boxes/b1").pollUntilDone()).toEqual(succeeded.body);
    server.assertFinished();
  });

  test("of two status monitors, Operation-Location is polled", async () => {
    const server = await serve([
      on("DELETE /boxes/b1", 202, {
        headers: { "operation-location": at, "azure-asyncoperation": "/other" },
      }),
      on(statusRequest, 200, succeeded),
    ]);
    expect(await start(server, "DELETE /boxes/b1").pollUntilDone()).toEqual(succeeded.body);
    server.assertFinished();
  });

  test("may go to a URL without a path", async () => {
    const server = await serve([
      on("POST /?action=check", 202, { headers: { "operation-location": "{origin}/?operation=7" } }),
      on("GET /?operation=7", 200, { body: { status: "Succeeded", properties: 3 } }),
    ]);
    expect(await start(server, "POST /?action=check").pollUntilDone()).toBe(3);
    server.assertFinished();
  });

  test("within the origin follows a redirect, with its body", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 307, { headers: { location: "/v2/boxes/b1" } }),
      on("PUT /v2/boxes/b1", 201, { headers: { "operation-location": at } }),
      on(statusRequest, 302, { headers: { location: "/elsewhere" } }),
      on("GET /elsewhere", 200, succeeded),
      on("GET /boxes/b1", 308, { headers: { location: "/v2/boxes/b1" } }),
      on("GET /v2/boxes/b1", 200, box),
    ]);
    const poller = start(server, "PUT /boxes/b1", {}, { body: { cores: 8 } });
    expect(await poller.pollUntilDone()).toEqual(box.body);
    expect(server.requests.slice(0, 2).map(({ body }) => body)).toEqual(['{"cores":8}', '{"cores":8}']);
    server.assertFinished();
  });
});
