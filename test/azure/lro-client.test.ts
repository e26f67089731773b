import { inspect } from "node:util";
import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { describe, expect, test, vi } from "vitest";
import { LroClient, createPoller, fixed } from "lro-poller";
import type { ConditionOptions, Operation, OperationAtOptions, Poller } from "lro-poller";
import { CountingCredential } from "../support/credential.ts";
import { rejection, settled } from "../support/rejections.ts";
import { simulate } from "./lro/support.ts";
import type { Simulated, SimulatedReply, Simulation } from "./lro/support.ts";

const arm = "https://management.azure.com";
const monitor = `${arm}/subscriptions/s/providers/Microsoft.X/locations/westeurope/operationStatuses/o1?api-version=1&t=SECRET`;
const vault =
  "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v1?api-version=2023-07-01";
const resourceOf = (properties: object): object => ({
  id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v1",
  type: "Microsoft.KeyVault/vaults",
  name: "v1",
  properties,
});
const ok = (body: unknown, headers: Record<string, string> = {}): Simulated => ({
  status: 200,
  headers,
  body,
});
const gone: Simulated = { status: 404, body: { error: { code: "ResourceNotFound", message: "None." } } };

function clientOf({ httpClient }: Simulation): LroClient {
  return new LroClient(arm, new CountingCredential(), { httpClient });
}

interface Visit {
  readonly service: Simulation;
  readonly client: LroClient;
  readonly poller: Poller;
}

function visit(
  url: string,
  replies: readonly SimulatedReply[],
  options?: OperationAtOptions | ConditionOptions,
): Visit {
  const service = simulate(...replies);
  const client = clientOf(service);
  const operation: Operation = client.operationAt(url, options);
  return { service, client, poller: pollerOf(service, operation) };
}

function pollerOf<P>({ clock }: Simulation, operation: Operation<P>): Poller<P> {
  return createPoller(operation, { clock, schedule: fixed(1000), outageToleranceInMs: 0 });
}

function endOf({ service, poller }: Visit): Promise<unknown> {
  return service.clock.runUntilSettled(settled(poller.pollUntilDone()));
}

describe("the kind of a URL is told by its first response:", () => {
  const running = { id: "o1", name: "o1", status: "InProgress" };

  test.each<[string, string, readonly Simulated[], unknown]>([
    ["a status monitor", monitor, [ok(running), ok({ ...running, status: "Succeeded", properties: 3 })], 3],
    [
      "a status monitor with a word of its own, by its path",
      monitor,
      [ok({ status: "Dequeued" }), ok({ status: "Online" }), ok({ status: "Succeeded", properties: 3 })],
      3,
    ],
    [
      "a status monitor with a word of its own, by its fields",
      `${arm}/x/1`,
      [ok({ status: "Dequeued", percentComplete: 3 }), ok({ status: "Succeeded", properties: 3 })],
      3,
    ],
    [
      "a status monitor with its state in properties",
      `${arm}/x/operations/1`,
      [ok({ properties: { state: "Pending" } }), ok({ properties: { state: "Succeeded" } })],
      { properties: { state: "Succeeded" } },
    ],
    [
      "a polling location",
      `${arm}/x/operationResults/1`,
      [{ status: 202 }, { status: 202, body: { status: "Online" } }, ok({ size: 3 })],
      { size: 3 },
    ],
    ["a polling location that is over", `${arm}/x/operationResults/1`, [ok({ size: 3 })], { size: 3 }],
    ["a polling location without a result", `${arm}/x/operationResults/1`, [{ status: 204 }], undefined],
    [
      "a resource",
      vault,
      [ok(resourceOf({ provisioningState: "Updating" })), ok(resourceOf({ provisioningState: "Succeeded" }))],
      resourceOf({ provisioningState: "Succeeded" }),
    ],
    ["a resource without a state", vault, [ok(resourceOf({ size: 3 }))], resourceOf({ size: 3 })],
    [
      "a resource with a status of its own",
      vault,
      [ok({ ...resourceOf({}), status: "Online" })],
      { ...resourceOf({}), status: "Online" },
    ],
    [
      "a resource with a state of its own in properties",
      vault,
      [ok(resourceOf({ status: "Stopped", state: "Running" }))],
      resourceOf({ status: "Stopped", state: "Running" }),
    ],
  ])("%s", async (_, url, replies, expected) => {
    const wait = visit(url, replies);
    expect(await endOf(wait)).toEqual(expected);
    expect(wait.service.requestLog).toHaveLength(replies.length);
  });

  test.each<[string, string, readonly Simulated[]]>([
    ["no body", monitor, [{ status: 200 }]],
    ["no state", monitor, [ok({})]],
    ["a state that is empty", monitor, [ok({ status: "", startTime: "x" })]],
    ["a word after a 202", `${arm}/x/operationResults/1`, [{ status: 202 }, ok({ status: "Enqueued" })]],
    ["a word with a 201", monitor, [{ status: 201, body: { status: "Enqueued" } }]],
    ["a word at a path without operations", `${arm}/x/asyncresults/1`, [ok({ status: "In Progress" })]],
    [
      "a job that is a resource",
      `${arm}/subscriptions/s/workspaces/w/jobs/j`,
      [
        ok({
          id: "/subscriptions/s/j",
          type: "Microsoft.MachineLearningServices/workspaces/jobs",
          properties: { status: "Running" },
        }),
      ],
    ],
  ])("%s is no success", async (_, url, replies) => {
    const { service, poller } = visit(url, [...replies, ok({ status: "Failed", error: { code: "E" } })]);
    const error = await service.clock.runUntilSettled(rejection(poller.pollUntilDone()));
    expect(error).toMatchObject({ name: expect.stringMatching(/^(PollingError|OperationFailedError)$/) });
  });

  test.each([
    ["Microsoft.OperationalInsights/workspaces", "/subscriptions/s/rg-operations/providers/x/w"],
    ["Microsoft.OperationsManagement/solutions", "/subscriptions/s/resourceGroups/my-operations/w"],
  ])("a resource of type %s at %s is none of an operation", async (type, url) => {
    const body = { id: "/subscriptions/s/w", type, properties: { status: "Active" } };
    expect(await endOf(visit(url, [ok(body)]))).toEqual(body);
  });

  test.each<[string, object, boolean]>([
    ["a code and a message", { code: "Conflict", message: "In use." }, true],
    ["an error without a code", { error: { message: "It broke." } }, true],
    ["a text as error", { error: "invalid_grant", error_description: "x" }, true],
    ["a list of errors", { errors: [{ code: "Conflict", message: "In use." }] }, true],
    ["an error beside a result", { id: "1", error: { code: "Conflict" } }, true],
    ["a message alone", { message: "Done." }, false],
    ["the code 0", { code: 0, message: "OK" }, false],
    ["no error beside a result", { id: "1", error: { code: "None", message: "" } }, false],
    ["an empty object", {}, false],
  ])("a body with %s at a polling location", async (_, body, hasFailed) => {
    const end = await endOf(
      visit(`${arm}/x/operationResults/1`, [{ status: 202 }, ok(body)], { kind: "location" }),
    );
    if (hasFailed) expect(end).toMatchObject({ name: "OperationFailedError" });
    else expect(end).toEqual(body);
  });

  test("a failure is one, wherever it is", async () => {
    const error = { code: "Conflict", message: "In use." };
    for (const reply of [
      ok({ status: "Failed", error }),
      ok({ ...resourceOf({ provisioningState: "Failed" }), error }),
      { status: 202, body: { status: "failed", error } },
    ]) {
      expect(await endOf(visit(monitor, [reply]))).toMatchObject({
        name: "OperationFailedError",
        code: "Conflict",
      });
    }
  });

  test("the caller may say it", async () => {
    const online = ok({ status: "Online" });
    const asResource = visit(`${arm}/x/operations/1`, [online], { kind: "resource" });
    expect(await endOf(asResource)).toEqual({ status: "Online" });
    const asMonitor = visit(`${arm}/x/1`, [online, ok({ status: "Ready" })], {
      kind: "statusMonitor",
      terminalStates: { succeeded: ["ready"] },
    });
    expect(await endOf(asMonitor)).toEqual({ status: "Ready" });
    // @ts-expect-error There are three kinds.
    expect(() => visit(vault, [], { kind: "auto" })).toThrow(
      /^kind: expected one of statusMonitor, location, resource/,
    );
  });
});

describe("an operation at a URL", () => {
  test("has its result where the caller says, made by parseResult, with the caller's headers", async () => {
    const { service, poller } = visit(
      monitor,
      [ok({ status: "Succeeded", resourceLocation: "/x" }), ok({ size: 3 })],
      {
        resultUrl: vault,
        parseResult: (body) => ({ body }),
        headers: { "x-ms-client-id": "me" },
      },
    );
    expect(await service.clock.runUntilSettled(poller.pollUntilDone())).toEqual({ body: { size: 3 } });
    expect(service.urls).toEqual([monitor, `${arm}${vault}`]);
    expect(service.requests.map(({ headers }) => headers.get("x-ms-client-id"))).toEqual(["me", "me"]);
  });

  test("may be relative, and gets an api-version only if it has none", async () => {
    for (const [url, sent] of [
      ["/operations/1", `${arm}/operations/1?api-version=2`],
      ["/operations/1?api-version=1", `${arm}/operations/1?api-version=1`],
    ]) {
      const service = simulate(ok({ status: "Succeeded" }));
      const client = new LroClient(arm, undefined, { httpClient: service.httpClient, apiVersion: "2" });
      await endOf({ service, client, poller: pollerOf(service, client.operationAt(url ?? "")) });
      expect(service.urls).toEqual([sent]);
    }
  });

  test.each([
    [
      "https://evil.example/x",
      /^url: expected the client's origin https:\/\/management\.azure\.com, got https:\/\/evil\.example; to allow it, add it to allowedOrigins$/,
    ],
    ["http://[", /^url: expected a URL/],
    ["https://management.azure.com@evil.example/x", /^url: expected the client's origin/],
  ])("is refused at %s before anything is sent", (url, message) => {
    expect(() => visit(url, [])).toThrow(message);
  });

  test("never shows the query of its URL", async () => {
    const { service, client, poller } = visit(monitor, [gone, gone], {});
    const error = await service.clock.runUntilSettled(
      rejection(
        createPoller(client.operationAt(monitor), {
          clock: service.clock,
          notFoundGraceInMs: 0,
        }).pollUntilDone(),
      ),
    );
    expect(`${String(error)} ${client.operationAt(monitor).id} ${inspect(poller)}`).not.toContain("SECRET");
  });

  test("is polled through the pipeline of an Azure SDK's client", async () => {
    const service = simulate(ok({ status: "Succeeded", properties: 3 }));
    const pipeline = createPipelineFromOptions({});
    const sendRequest = vi.fn<Parameters<typeof pipeline.addPolicy>[0]["sendRequest"]>((request, next) =>
      next(request),
    );
    pipeline.addPolicy({ name: "sdk", sendRequest });
    const client = new LroClient(arm, { pipeline, httpClient: service.httpClient });
    expect(await endOf({ service, client, poller: pollerOf(service, client.operationAt(monitor)) })).toBe(3);
    expect(sendRequest).toHaveBeenCalledOnce();
  });
});

describe("a resumed wait", () => {
  /** Polls once, and resumes by the token. */
  async function resumed(wait: Visit, options: Parameters<LroClient["resume"]>[1] = {}): Promise<unknown> {
    const { service, client, poller } = wait;
    await service.clock.runUntilSettled(settled(poller.poll()));
    const again = client.resume(JSON.stringify(poller), {
      clock: service.clock,
      schedule: fixed(1000),
      ...options,
    });
    return service.clock.runUntilSettled(settled(again.pollUntilDone()));
  }

  test("goes on with the kind that was told, and what is given anew", async () => {
    const replies = [
      ok({ status: "Dequeued", percentComplete: 3 }),
      ok({ status: "Online" }),
      ok({ status: "Succeeded" }),
    ];
    const wait = visit(`${arm}/x/1`, replies);
    const options = { parseResult: (body: unknown) => ({ body }), headers: { "x-ms-client-id": "me" } };
    expect(await resumed(wait, options)).toEqual({ body: { status: "Succeeded" } });
    expect(wait.service.requests.at(-1)?.headers.get("x-ms-client-id")).toBe("me");
  });

  test("of an operation that was started needs no DevCenter", async () => {
    const service = simulate(
      { status: 201, headers: { "azure-asyncoperation": monitor }, body: resourceOf({}) },
      ok({ status: "InProgress" }),
      ok({ status: "Succeeded" }),
      ok(resourceOf({ provisioningState: "Succeeded" })),
    );
    const client = clientOf(service);
    const { clock } = service;
    const poller = client.startOperation({ method: "PUT", url: vault }, { clock, schedule: fixed(1000) });
    await clock.runUntilSettled(poller.started);
    await clock.runUntilSettled(poller.poll());
    const again = client.resume(JSON.stringify(poller), { clock, schedule: fixed(1000) });
    expect(await clock.runUntilSettled(again.pollUntilDone())).toEqual(
      resourceOf({ provisioningState: "Succeeded" }),
    );
    expect(new Set(service.requests.map(({ headers }) => headers.get("authorization")))).toEqual(
      new Set(["Bearer token-1"]),
    );
  });

  test("of DevCenter's operation is one for any client of its endpoint", async () => {
    const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
    const endpoint = "https://t-dc.westeurope.devcenter.azure.com";
    const status = {
      id: `/projects/my-p/operationstatuses/${operationId}`,
      name: operationId,
      status: "Succeeded",
    };
    const service = simulate(ok({ ...status, properties: 3 }));
    const client = new LroClient(endpoint, new CountingCredential(), { httpClient: service.httpClient });
    const operation = {
      endpoint: `${endpoint}/`,
      projectName: "my-p",
      operationId,
      apiVersion: "2025-02-01",
    };
    const token = {
      version: 1,
      operation,
      startedAt: 0,
      savedAt: 0,
      pollCount: 0,
      failedPollCount: 0,
    } as const;
    const { clock } = service;
    expect(await clock.runUntilSettled(client.resume(token, { clock }).pollUntilDone())).toBe(3);
    expect(service.urls).toEqual([
      `${endpoint}/projects/my-p/operationstatuses/${operationId}?api-version=2025-02-01`,
    ]);
  });

  test("of an operation takes no condition", () => {
    const { client, poller } = visit(monitor, []);
    expect(() => client.resume(JSON.stringify(poller), { until: "deleted" })).toThrow(
      /^until: expected the token/,
    );
  });

  test("of Microsoft Graph's pre-authenticated monitor gets no token", async () => {
    const url = "https://contoso.sharepoint.com/_api/v2.0/monitor/1?tempauth=x";
    const service = simulate(ok({ status: "completed" }));
    const { httpClient, clock } = service;
    const client = new LroClient("https://graph.microsoft.com", new CountingCredential(), { httpClient });
    const again = client.resume(JSON.stringify(createPoller(client.operationAt(url))), { clock });
    await clock.runUntilSettled(again.pollUntilDone());
    expect(service.requests[0]?.headers.get("authorization")).toBeUndefined();
  });

  test("of another origin is refused", () => {
    const { poller } = visit(monitor, []);
    const other = new LroClient("https://graph.microsoft.com", new CountingCredential());
    expect(() => other.resume(JSON.stringify(poller))).toThrow(/monitorUrl: expected the client's origin/);
  });
});

describe("a condition of a resource", () => {
  interface Vm {
    readonly properties: { readonly status?: string; readonly provisioningState?: string };
  }
  const isReady = ({ properties }: Vm): boolean => properties.status === "Ready";
  const resource = (status: string, provisioningState = "Updating"): Simulated =>
    ok(resourceOf({ status, provisioningState }));

  test.each<[string, ConditionOptions<Vm>, readonly Simulated[], object]>([
    [
      "ends the wait when it is true, whatever the resource's states say",
      { until: isReady },
      [gone, resource("Booting"), resource("Booting", "Succeeded"), resource("Ready")],
      resourceOf({ status: "Ready", provisioningState: "Updating" }),
    ],
    [
      "has to be true in so many polls in a row",
      { until: isReady, confirmations: 3 },
      [
        resource("Ready"),
        resource("Ready"),
        resource("No"),
        resource("Ready"),
        resource("Ready"),
        resource("Ready"),
      ],
      resourceOf({ status: "Ready", provisioningState: "Updating" }),
    ],
    ["may be that it exists", { until: "exists" }, [gone, gone, ok({ id: "v1" })], { id: "v1" }],
    [
      "fails when the resource has failed",
      { until: isReady },
      [
        resource("Booting"),
        ok({ ...resourceOf({ provisioningState: "Failed" }), error: { code: "NoQuota" } }),
      ],
      { name: "OperationFailedError", code: "NoQuota" },
    ],
    [
      "fails when the caller says that it cannot come true any more",
      { until: isReady, failIf: ({ properties }) => properties.status === "Broken" },
      [resource("Booting", "Failed"), resource("Broken")],
      { name: "OperationFailedError" },
    ],
    [
      "fails when the deletion has failed",
      { until: "deleted" },
      [resource("x", "Failed"), resource("x", "Deleting"), resource("x", "Failed")],
      { name: "OperationFailedError" },
    ],
    [
      "fails by failIf, also where it is true",
      { until: isReady, failIf: ({ properties }) => properties.provisioningState === "Failed" },
      [resource("Ready", "Failed")],
      { name: "OperationFailedError", code: "ConditionNotMet" },
    ],
    [
      "that throws is a bug, and ends the wait",
      { until: () => JSON.parse("{") === 1 },
      [ok({ id: "v1" })],
      { name: "PollingError", code: "ConditionFailed" },
    ],
  ])("%s", async (_, options, replies, expected) => {
    const service = simulate(...replies);
    const client = clientOf(service);
    const wait = { service, client, poller: pollerOf(service, client.operationAt<Vm>(vault, options)) };
    expect(await endOf(wait)).toMatchObject(expected);
    expect(wait.service.requestLog).toHaveLength(replies.length);
  });

  test("may be that it is gone", async () => {
    const deleting = visit(vault, [resource("x", "Deleting"), resource("x", "Deleting"), gone], {
      until: "deleted",
    });
    expect(await endOf(deleting)).toBeUndefined();
    expect(deleting.poller.status).toBe("Succeeded");
  });

  test.each(["InvalidResourceType", "SubscriptionNotFound"])(
    "is not that it is gone after a 404 %s",
    async (code) => {
      const wrong: Simulated = { status: 404, body: { error: { code, message: "No." } } };
      const { service, client } = visit(vault, [wrong, wrong]);
      const { clock } = service;
      const operation = client.operationAt(vault, { until: "deleted" });
      const poller = createPoller(operation, { clock, schedule: fixed(1000), notFoundGraceInMs: 1000 });
      expect(await clock.runUntilSettled(rejection(poller.pollUntilDone()))).toMatchObject({ code });
    },
  );

  test("survives failed polls, and is no outage", async () => {
    const replies: Simulated[] = [{ status: 503 }, resource("Booting"), { status: 500 }, resource("Ready")];
    const service = simulate(...replies);
    const { clock } = service;
    const operation = clientOf(service).operationAt<Vm>(vault, { until: isReady });
    await clock.runUntilSettled(createPoller(operation, { clock }).pollUntilDone());
    expect(service.requestLog).toHaveLength(4);
  });

  test("that returns a promise is a bug", async () => {
    const { service, client } = visit(vault, [resource("Booting")]);
    // @ts-expect-error A caller in JavaScript has no types.
    const operation = client.operationAt(vault, { until: () => Promise.resolve(false) });
    const error = await service.clock.runUntilSettled(
      rejection(pollerOf(service, operation).pollUntilDone()),
    );
    expect(error).toMatchObject({ code: "ConditionFailed" });
  });

  test.each([
    ["a page of a gateway", { status: 404, headers: { "content-type": "text/html" }, body: "<html>" }],
    ["a wrong tenant", { status: 404, body: { error: { code: "TenantNotFound", message: "No." } } }],
  ])("is not that it is gone after %s", async (_, reply) => {
    const { service, client } = visit(vault, [reply, ok({ id: "v1" }), gone]);
    const { clock } = service;
    const poller = createPoller(client.operationAt(vault, { until: "deleted" }), {
      clock,
      schedule: fixed(1000),
    });
    expect(await clock.runUntilSettled(poller.pollUntilDone())).toBeUndefined();
    expect(service.requestLog).toHaveLength(3);
  });

  test("knows after a resume that the resource was being deleted", async () => {
    const { service, client, poller } = visit(vault, [resource("x", "Deleting"), resource("x", "Failed")], {
      until: "deleted",
    });
    await service.clock.runUntilSettled(poller.poll());
    const again = client.resume(JSON.stringify(poller), { clock: service.clock, until: "deleted" });
    expect(await service.clock.runUntilSettled(rejection(again.pollUntilDone()))).toMatchObject({
      name: "OperationFailedError",
    });
  });

  test("is given anew to a resumed wait", async () => {
    const service = simulate(resource("Booting"), resource("Ready"));
    const client = clientOf(service);
    const poller = pollerOf(service, client.operationAt<Vm>(vault, { until: isReady }));
    await service.clock.runUntilSettled(poller.poll());
    const token = JSON.stringify(poller);
    expect(() => client.resume(token)).toThrow(/^until: expected the condition of the wait/);
    const { clock } = service;
    const again = client.resume<Vm>(token, { clock, until: isReady });
    expect(await clock.runUntilSettled(again.pollUntilDone())).toMatchObject({
      properties: { status: "Ready" },
    });
  });

  test.each<[object, RegExp]>([
    [{ until: "gone" }, /^until: expected deleted, exists or a function, got "gone"/],
    [{ until: "exists", failIf: 1 }, /^failIf: expected a function/],
    [{ until: "exists", confirmations: 0 }, /^confirmations: expected a positive integer, got 0/],
  ])("%j is rejected by name", (options, message) => {
    expect(() => visit(vault, [], options)).toThrow(message);
  });
});
