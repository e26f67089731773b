import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import {
  OperationFailedError,
  OperationStatusesClient,
  PollingError,
  PollingTimeoutError,
  createPoller,
  fixed,
  startOperation,
} from "lro-poller";
import type { InitialRequest, StartOperationOptions, StartedPoller } from "lro-poller";
import { simulate } from "../lro/support.ts";
import type { Simulated, SimulatedReply, Simulation } from "../lro/support.ts";
import { CountingCredential } from "../../support/credential.ts";
import { settled, microtasks, rejection } from "../../support/rejections.ts";
import { forever } from "../../support/scripted-poller.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const endpoint = "https://dev.devcenter.azure.com";
const at = "/operations/7";
const accepted: Simulated = { status: 202, headers: { "operation-location": at } };
const succeeded: Simulated = { status: 200, body: { status: "Succeeded", properties: 1 } };

function statusOf(status: string, more: object = {}): Simulated {
  const id = `/projects/myProject/operationstatuses/${operationId}`;
  return { status: 200, body: { id, name: operationId, status, ...more } };
}

function clientOf({ httpClient }: Simulation, credential?: CountingCredential): OperationStatusesClient {
  return new OperationStatusesClient(endpoint, credential, { httpClient });
}

function start(
  service: Simulation,
  request: Partial<InitialRequest> = {},
  options: StartOperationOptions = {},
): StartedPoller {
  return clientOf(service, new CountingCredential()).startOperation(
    { method: "POST", url: "/boxes/b1", ...request },
    { clock: service.clock, schedule: fixed(1000), random: () => 0, ...options },
  );
}

describe("a URL that looks like one of the client's own", () => {
  const tricks = [
    "//evil.example/x",
    String.raw`\\evil.example/x`,
    String.raw`https:\\evil.example`,
    "https://dev.devcenter.azure.com@evil.example/",
    "https://dev.devcenter.azure.com.evil.example/",
    "https://dev.devcenter.azure.com:444/",
    "http://dev.devcenter.azure.com/",
    "http://127.0.0.1/x",
    "https:evil.example/x",
    "https:/evil.example/x",
    "HTTPS:evil.example/x",
    " https://evil.example",
    "\thttps:evil.example/x",
    "https://evil。example",
    "https://[::1]/",
    "javascript:1",
  ];

  const ways: [string, (url: string) => SimulatedReply[]][] = [
    ["Operation-Location", (url) => [{ status: 202, headers: { "operation-location": url } }]],
    ["Azure-AsyncOperation", (url) => [{ status: 202, headers: { "azure-asyncoperation": url } }]],
    ["Location", (url) => [{ status: 202, headers: { location: url } }]],
    ["redirect of the initial request", (url) => [{ status: 307, headers: { location: url } }]],
    ["redirect of a poll", (url) => [accepted, { status: 307, headers: { location: url } }]],
    [
      "Operation-Location of a poll",
      (url) => [
        accepted,
        { status: 200, headers: { "operation-location": url }, body: { status: "Running" } },
      ],
    ],
    [
      "resourceLocation",
      (url) => [accepted, { status: 200, body: { status: "Succeeded", resourceLocation: url } }],
    ],
  ];

  test.each(ways)("leads no request and no token elsewhere as %s", async (_, lead) => {
    for (const url of tricks) {
      const service = simulate(...lead(url), ...Array.from({ length: 9 }, () => succeeded));
      const poller = start(service, {}, { outageToleranceInMs: 0 });
      await service.clock.runUntilSettled(settled(poller.pollUntilDone()));
      const origins = service.urls.map((sent) => new URL(sent).origin);
      expect.soft(new Set(origins), url).toEqual(new Set([endpoint]));
    }
  });

  test.each(["https:evil.example", "HTTPS:evil.example", "\thttps:evil.example", "https:/evil.example"])(
    "is rejected as an Operation-Location, and in a token, before anything is sent: %j",
    (origin) => {
      const service = simulate();
      const client = clientOf(service, new CountingCredential());
      const url = `${origin}/projects/myProject/operationstatuses/${operationId}`;
      expect(() => client.operationAt(url)).toThrow(RangeError);
      const operation = { pollingLocation: { kind: "statusMonitor", monitorUrl: url } };
      const token = {
        version: 1,
        operation,
        startedAt: 0,
        savedAt: 0,
        pollCount: 0,
        failedPollCount: 0,
      } as const;
      expect(() => client.resume(token)).toThrow(RangeError);
      expect(service.requestLog).toEqual([]);
    },
  );

  test("that a redirect within the origin names is requested byte for byte, because it may be signed", async () => {
    const signed = `${endpoint}/op/a'b?sig=a'b%2f{x}|`;
    const service = simulate({ status: 307, headers: { location: signed } }, statusOf("Running"));
    await clientOf(service).getOperationStatus("myProject", operationId);
    expect(service.urls[1]).toBe(signed);
  });

  test("with a fragment still gets its api-version", async () => {
    const service = simulate(
      { status: 202, headers: { location: `${endpoint}/operations/7#part` } },
      { status: 200, body: {} },
    );
    await service.clock.runUntilSettled(start(service).pollUntilDone());
    expect(service.requestLog[1]?.[1]).toBe("GET /operations/7?api-version=2025-02-01");
  });

  test("keeps the caller's own authorization along a redirect within the origin", async () => {
    const service = simulate(accepted, { status: 307, headers: { location: "/elsewhere" } }, succeeded);
    const { clock, httpClient } = service;
    const headers = { authorization: "Bearer mine" };
    const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 0 } });
    const poller = startOperation(
      { method: "POST", url: `${endpoint}/boxes/b1`, headers },
      { pipeline, httpClient, clock, schedule: fixed(1000) },
    );
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(service.requests.map((request) => request.headers.get("authorization"))).toEqual(
      Array.from({ length: 3 }, () => "Bearer mine"),
    );
  });
});

describe("a token", () => {
  test("that two polls wait for reaches the one when the other aborts its wait", async () => {
    const arrived = Promise.withResolvers<void>();
    const credential = new CountingCredential();
    const getToken = credential.getToken.bind(credential);
    credential.getToken = async (...args) => arrived.promise.then(() => getToken(...args));
    const service = simulate(statusOf("Running"));
    const client = clientOf(service, credential);
    const controller = new AbortController();
    const { signal: abortSignal } = controller;
    const one = rejection(client.getOperationStatus("myProject", operationId, { abortSignal }));
    const other = client.getOperationStatus("myProject", operationId);
    await microtasks(40);
    controller.abort("enough");
    expect(await one).toBe("enough");
    arrived.resolve();
    expect(await other).toMatchObject({ status: "Running" });
    expect(credential.calls).toHaveLength(1);
  });

  test("that hangs until its caller aborts, at any microtask, does not block a later caller", async () => {
    for (let count = 0; count < 60; count++) {
      const credential = new CountingCredential();
      credential.hangs = true;
      const client = clientOf(simulate(statusOf("Running")), credential);
      const controller = new AbortController();
      const { signal: abortSignal } = controller;
      const one = rejection(client.getOperationStatus("myProject", operationId, { abortSignal }));
      await microtasks(count);
      controller.abort("enough");
      await one;
      credential.hangs = false;
      const status = await client.getOperationStatus("myProject", operationId);
      expect(status.status).toBe("Running");
    }
  });

  test("that is rejected with a challenge without claims is replaced", async () => {
    const headers = { "www-authenticate": 'Bearer error="invalid_token", claims=""' };
    const service = simulate({ status: 401, headers }, statusOf("Running"));
    await clientOf(service, new CountingCredential()).getOperationStatus("myProject", operationId);
    expect(service.requests.map((request) => request.headers.get("authorization"))).toEqual([
      "Bearer token-1",
      "Bearer token-2",
    ]);
  });
});

describe("an initial request", () => {
  test("is not sent with options that are wrong, or a body that is no JSON", async () => {
    const service = simulate();
    expect(() => start(service, {}, { timeoutInMs: -1 })).toThrow(RangeError);
    expect(() => start(service, { body: { size: 1n } })).toThrow(TypeError);
    await service.clock.advance(60_000);
    expect(service.requestLog).toEqual([]);
  });

  test("keeps the caller's content-type", async () => {
    const service = simulate({ status: 200, body: {} });
    const headers = { "Content-Type": "application/merge-patch+json" };
    const poller = start(service, { method: "PATCH", headers, body: { cores: 8 } });
    await service.clock.runUntilSettled(poller.pollUntilDone());
    expect(service.requests[0]?.headers.get("content-type")).toBe("application/merge-patch+json");
  });

  test("keeps its preconditions: the polls have none", async () => {
    const own = {
      "If-None-Match": "*",
      "if-match": "1",
      "Repeatability-Request-ID": "1",
      Prefer: "respond-async",
      "content-language": "en",
    };
    const service = simulate(accepted, succeeded);
    const poller = start(service, { headers: { ...own, "x-own": "1" }, body: {} });
    await service.clock.runUntilSettled(poller.pollUntilDone());
    const [first, second] = service.requests.map(({ headers }) => headers);
    expect(Object.keys(own).map((name) => first?.has(name))).toEqual([true, true, true, true, true]);
    expect(Object.keys(own).map((name) => second?.has(name))).toEqual([false, false, false, false, false]);
    expect(second?.get("x-own")).toBe("1");
  });

  test("is repeated after timeoutInMs too: a later caller gets the result", async () => {
    const service = simulate(
      { status: 429, headers: { "retry-after": "400" } },
      { status: 200, body: { id: "b1" } },
    );
    const poller = start(service, { method: "PUT" }, { timeoutInMs: 60_000 });
    const wait = rejection(poller.pollUntilDone(), PollingTimeoutError);
    const failure = await service.clock.runUntilSettled(wait);
    expect(failure).toMatchObject({ code: "PollingTimeout", pollCount: 0 });
    expect(service.clock.now()).toBe(60_000);
    await service.clock.advance(600_000);
    expect(service.requestLog.map(([time]) => time)).toEqual([0, 400_000]);
    expect(await service.clock.runUntilSettled(poller.pollUntilDone())).toEqual({ id: "b1" });
  });

  test("continues when the only caller has aborted its wait: a later one gets the result", async () => {
    const service = simulate({ status: 503 }, { status: 200, body: { id: "b1" } });
    const controller = new AbortController();
    const poller = start(service, { method: "PUT" });
    const wait = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    await service.clock.advance(10);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    await service.clock.advance(600_000);
    expect(service.clock.pendingTimers).toBe(0);
    expect(await service.clock.runUntilSettled(poller.pollUntilDone())).toEqual({ id: "b1" });
    expect(service.requestLog).toHaveLength(2);
  });

  test("that hangs is aborted after startTimeoutInMs, and sent again where that is safe", async () => {
    const service = simulate(forever, { status: 200, body: { id: "b1" } });
    const poller = start(service, { method: "PUT" }, { startTimeoutInMs: 5000 });
    expect(await service.clock.runUntilSettled(poller.pollUntilDone())).toEqual({ id: "b1" });
    expect(service.requests[0]?.abortSignal?.aborted).toBe(true);
    expect(service.requestLog.map(([time]) => time)).toEqual([0, 6000]);
  });

  test("without a response gives no token, because that would lead nowhere", async () => {
    const service = simulate(forever);
    const poller = start(service, {}, { timeoutInMs: 5000 });
    const wait = service.clock.runUntilSettled(poller.pollUntilDone());
    expect((await rejection(wait, PollingTimeoutError)).resumeToken).toBeUndefined();
    expect(() => clientOf(service).resume(JSON.stringify(poller))).toThrow(
      "token.operation: expected one that had started, got one whose initial request had no response",
    );
  });

  test("that is aborted for a reason that is no error rejects with that reason", async () => {
    const controller = new AbortController();
    const reason = { why: 1 };
    const service = simulate(forever);
    const poller = start(service, {}, { abortSignal: controller.signal });
    await service.clock.advance(10);
    expect(service.requestLog).toHaveLength(1);
    controller.abort(reason);
    expect(await rejection(poller.started)).toBe(reason);
  });
});

describe("a response", () => {
  test("that comes after its poll has timed out does not move the state back", async () => {
    const late = Promise.withResolvers<Simulated>();
    const service = simulate(
      accepted,
      () => late.promise,
      { status: 200, headers: { "operation-location": "/operations/8" }, body: { status: "Running" } },
      succeeded,
    );
    const poller = start(service, {}, { requestTimeoutInMs: 5000 });
    const seen: string[] = [];
    poller.onProgress(({ operation, status }) => {
      seen.push(status);
      if (operation.name === "8") {
        late.resolve({
          status: 200,
          headers: { "operation-location": "/operations/6" },
          body: { status: "Failed" },
        });
      }
    });
    expect(await service.clock.runUntilSettled(poller.pollUntilDone())).toBe(1);
    expect(seen).toEqual(["NotStarted", "Running", "Succeeded"]);
    expect(service.requestLog.at(-1)?.[1]).toBe("GET /operations/8?api-version=2025-02-01");
  });

  test("with keys of an object's prototype changes no object", async () => {
    const body: unknown = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"properties":{"__proto__":{"polluted":1}}}',
    );
    const { body: plain } = Object.assign({ body: {} }, statusOf("Running"));
    const service = simulate({ status: 200, body: Object.assign(Object(body), plain) });
    const status = await clientOf(service).getOperationStatus("myProject", operationId);
    expect(status).not.toHaveProperty("polluted");
    expect({}).not.toHaveProperty("polluted");
  });

  test("with an error of megabytes has a message of readable length", async () => {
    const error = { code: "No", message: "m".repeat(5_000_000) };
    const service = simulate({ status: 400, body: { error } });
    const failure = await rejection(
      clientOf(service).getOperationStatus("myProject", operationId),
      PollingError,
    );
    expect(failure.message.length).toBeLessThan(10_000);
    expect(failure).toHaveProperty("cause.error.message.length", 5_000_000);
  });

  test("with an error of thousands of details has a message of readable length, and keeps them all", async () => {
    const tree = (depth: number): object => ({
      code: "c",
      message: "m",
      details: depth === 0 ? [] : Array.from({ length: 20 }, () => tree(depth - 1)),
    });
    const service = simulate(statusOf("Failed", { error: tree(3) }));
    const poller = createPoller(clientOf(service).operation("myProject", operationId));
    const failure = await rejection(poller.pollUntilDone(), OperationFailedError);
    expect(failure.message.length).toBeLessThan(10_000);
    expect(failure.details[19]?.details?.[19]?.details).toHaveLength(20);
  });

  test.each([
    ["thousands of years", "99999999999999"],
    ["300 digits", "9".repeat(300)],
  ])(
    "with a Retry-After of %s leads to a finite wait, and a token that can be used",
    async (_, retryAfter) => {
      const running = Object.assign(statusOf("Running"), { headers: { "retry-after": retryAfter } });
      const client = clientOf(simulate(running));
      const poller = createPoller(client.operation("myProject", operationId));
      const iterator = poller[Symbol.asyncIterator]();
      const { value: progress } = await iterator.next();
      expect(progress?.nextPollInMs).toSatisfy(Number.isFinite);
      await iterator.return?.();
      expect(client.resume(JSON.stringify(poller)).status).toBe("Running");
    },
  );

  test("with a Retry-After also delays the poller that continues from the token", async () => {
    const service = simulate({ status: 403, headers: { "retry-after": "600" } });
    const client = clientOf(service);
    const { clock } = service;
    const poller = createPoller(client.operation("myProject", operationId), { clock });
    await rejection(poller.poll(), PollingError);
    const resumed = client.resume(JSON.stringify(poller), { clock });
    await rejection(resumed.poll(), PollingError);
    expect(service.requestLog).toHaveLength(1);
  });

  test("with a terminal state is polled once more by a poller that continues from a later token", async () => {
    const service = simulate(
      statusOf("Succeeded", { properties: 1 }),
      statusOf("Succeeded", { properties: 1 }),
    );
    const client = clientOf(service);
    const poller = createPoller(client.operation("myProject", operationId));
    await poller.pollUntilDone();
    expect(await client.resume(JSON.stringify(poller)).pollUntilDone()).toBe(1);
    expect(service.requestLog).toHaveLength(2);
  });
});
