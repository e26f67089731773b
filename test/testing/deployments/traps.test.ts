import { describe, expect, test } from "vitest";
import type { DeploymentErrorShape, DeploymentPlan, PlannedPart } from "lro-poller/testing";
import { deployments, emulate, group, operationsOf, root, storage, version } from "./support.ts";
import type { Emulation } from "./support.ts";

const [one, two]: [PlannedPart, PlannedPart] = [
  { type: storage, name: "one", durationInMs: 10_000 },
  { type: storage, name: "two", durationInMs: 30_000 },
];
const inner = { name: "inner", deployment: { resources: [one] } };

function add(emulation: Emulation, plan: DeploymentPlan): string {
  return emulation.addDeployment({ scope: group, name: "d1", ...plan }).operationLocation;
}

async function stateOf({ send }: Emulation, id = root): Promise<unknown> {
  const { body } = await send("GET", id + version);
  return body;
}

function state(provisioningState: string): object {
  return { properties: { provisioningState } };
}

describe("lists", () => {
  test("have no rows for 2 s", async () => {
    const emulation = emulate();
    add(emulation, { resources: [one] });
    await emulation.clock.advance(1999);
    expect(await emulation.rows(root)).toEqual([]);
    await emulation.clock.advance(1);
    expect(await emulation.rows(root)).toEqual(["one Running"]);
  });

  test("show a part for the first time when it is over", async () => {
    const emulation = emulate();
    add(emulation, { resources: [{ ...one, listedAfterInMs: Infinity }] });
    await emulation.clock.advance(9999);
    expect(await emulation.rows(root)).toEqual([]);
    await emulation.clock.advance(1);
    expect(await emulation.rows(root)).toEqual(["one Succeeded"]);
  });

  test("move the timestamp of a running row, and its start stays the same", async () => {
    const emulation = emulate();
    add(emulation, { resources: [two] });
    const seen = new Set<string>();
    for (let second = 0; second < 20; second += 5) {
      await emulation.clock.advance(5000);
      const { body } = await emulation.send("GET", `${root}/operations${version}`);
      const [row] = operationsOf(body);
      const { timestamp = "", duration = "" } = row?.properties ?? {};
      seen.add(timestamp);
      const age = Number(/^PT([\d.]+)S$/.exec(duration)?.[1]) * 1000;
      expect(Date.parse(timestamp) - age).toBe(Date.UTC(2025, 0, 1));
    }
    expect(seen.size).toBe(4);
  });

  test("show a nested deployment as running for 7 s after its end", async () => {
    const emulation = emulate();
    add(emulation, { resources: [inner] });
    await emulation.clock.advance(10_300);
    expect(await stateOf(emulation, `${group}${deployments}/inner`)).toMatchObject(state("Succeeded"));
    await emulation.clock.advance(6999);
    expect(await emulation.rows(root)).toEqual(["inner Running"]);
    await emulation.clock.advance(1);
    expect(await emulation.rows(root)).toEqual(["inner Succeeded"]);
  });

  test("can be behind the deployment's own end", async () => {
    const emulation = emulate({ listLagInMs: 2000 });
    add(emulation, { resources: [one] });
    await emulation.clock.advance(10_300);
    expect(await stateOf(emulation)).toMatchObject(state("Succeeded"));
    expect(await emulation.rows(root)).toEqual(["one Running"]);
    await emulation.clock.advance(2000);
    expect(await emulation.rows(root)).toEqual(["one Succeeded", "(outputs) Succeeded"]);
  });

  test("come in pages, the first without rows, and $top makes them shorter", async () => {
    const emulation = emulate({ emptyPages: 1, pageSize: 2 });
    add(emulation, { resources: [one, two, { ...two, name: "three" }] });
    await emulation.clock.advance(3000);
    const sizes = async (query: string): Promise<readonly number[]> => {
      const found: number[] = [];
      for (let url = `${root}/operations${version}${query}`; url !== "";) {
        const { body } = await emulation.send("GET", url);
        found.push(operationsOf(body).length);
        const { nextLink = "" }: { nextLink?: string } = Object(body);
        url = nextLink;
      }
      return found;
    };
    expect(await sizes("")).toEqual([0, 2, 1]);
    expect(await sizes("&$top=1")).toEqual([0, 1, 1, 1]);
  });

  test("have ids in other letters, and the service takes them so", async () => {
    const emulation = emulate({ variesCase: true });
    add(emulation, { resources: [inner] });
    await emulation.clock.advance(3000);
    const { body } = await emulation.send("GET", `${root}/operations${version}`);
    const target = operationsOf(body)[0]?.properties.targetResource;
    expect(target).toMatchObject({
      id: "/subscriptions/s1/resourcegroups/g1/providers/microsoft.resources/deployments/inner",
      resourceType: "microsoft.resources/deployments",
    });
    expect(await emulation.rows(target?.id ?? "")).toEqual(["one Running"]);
  });

  test("can have the operations of an earlier deployment of the name", async () => {
    const emulation = emulate({ keepsEarlierOperations: true });
    add(emulation, { resources: [one] });
    await emulation.clock.advance(20_000);
    add(emulation, { resources: [two] });
    await emulation.clock.advance(3000);
    expect(await emulation.rows(root)).toEqual(["two Running", "one Succeeded", "(outputs) Succeeded"]);
  });
});

describe("faults", () => {
  test("404 on poll 1, from a region that does not know the deployment yet", async () => {
    const { send, ...emulation } = emulate({
      faults: ({ kind, number }) =>
        kind === "status" && number === 1
          ? {
              kind: "status",
              status: 404,
              headers: { "x-ms-failure-cause": "gateway" },
              body: { error: { code: "DeploymentNotFound", message: "Deployment 'd1' could not be found." } },
            }
          : undefined,
    });
    const { operationLocation } = emulation.addDeployment({ resources: [one] });
    expect(await send("GET", operationLocation)).toMatchObject({
      status: 404,
      headers: { "x-ms-failure-cause": "gateway" },
      body: { error: { code: "DeploymentNotFound" } },
    });
    expect(await send("GET", operationLocation)).toMatchObject({ status: 200 });
  });

  test("404 for a nested deployment that has not started", async () => {
    const emulation = emulate();
    add(emulation, { resources: [{ ...inner, startInMs: 5000 }] });
    const { send } = emulation;
    const list = `${group}${deployments}/inner/operations${version}`;
    expect(await send("GET", list)).toMatchObject({
      status: 404,
      headers: { "x-ms-failure-cause": "gateway" },
    });
    await emulation.clock.advance(5000);
    expect(await send("GET", list)).toMatchObject({ status: 200 });
  });

  test("429 on lists only", async () => {
    const emulation = emulate({
      faults: ({ kind }) =>
        kind === "operations" ? { kind: "status", status: 429, retryAfter: 17 } : undefined,
    });
    const monitor = add(emulation, { resources: [one] });
    expect(await emulation.send("GET", `${root}/operations${version}`)).toMatchObject({
      status: 429,
      headers: { "retry-after": "17" },
    });
    expect((await emulation.send("GET", monitor)).status).toBe(200);
  });

  test("the tokens of a subscription are told, run out, and come back", async () => {
    const { clock, send, ...emulation } = emulate({ limits: { reads: { burst: 2, perSecond: 1 } } });
    const { operationLocation } = emulation.addDeployment({ resources: [one] });
    const remaining = "x-ms-ratelimit-remaining-subscription-reads";
    expect((await send("GET", operationLocation)).headers).toMatchObject({ [remaining]: "1" });
    expect((await send("GET", operationLocation)).headers).toMatchObject({ [remaining]: "0" });
    expect(await send("GET", operationLocation)).toMatchObject({
      status: 429,
      headers: { "retry-after": "1" },
      body: { error: { code: "SubscriptionRequestsThrottled" } },
    });
    await clock.advance(1000);
    expect((await send("GET", operationLocation)).status).toBe(200);
  });
});

describe("the start", () => {
  const body = { properties: { mode: "Incremental", template: { resources: [] } } };

  test("of a name that exists gets a 200, and a 409 while it is active", async () => {
    const { send, clock } = emulate();
    expect((await send("PUT", root + version, body)).status).toBe(201);
    expect(await send("PUT", root + version, body)).toMatchObject({
      status: 409,
      body: { error: { code: "DeploymentActive" } },
    });
    await clock.advance(2000);
    expect((await send("PUT", root + version, body)).status).toBe(200);
  });

  test("gets a 400 where providers reject it, and so does a validation", async () => {
    const { send } = emulate({ plan: () => ({ preflightFailure: "invalidName" }) });
    const rejected = {
      status: 400,
      body: {
        error: {
          code: "InvalidTemplateDeployment",
          details: [{ details: [{ code: "AccountNameInvalid" }] }],
        },
      },
    };
    expect(await send("PUT", root + version, body)).toMatchObject(rejected);
    expect(await send("POST", `${root}/validate${version}`, body)).toMatchObject(rejected);
    expect((await send("GET", root + version)).status).toBe(404);
  });

  test.each([
    ["the tenant", ""],
    ["a management group", "/providers/Microsoft.Management/managementGroups/m1"],
    ["a subscription", "/subscriptions/s1"],
  ])("at %s needs a location", async (_, scope) => {
    const { send } = emulate();
    const id = `${scope}${deployments}/d1`;
    expect(await send("PUT", id + version, body)).toMatchObject({
      status: 400,
      body: { error: { code: "LocationRequired" } },
    });
    expect(await send("PUT", id + version, { ...body, location: "westeurope" })).toMatchObject({
      status: 201,
      body: { id, location: "westeurope" },
    });
  });
});

test("a nested deployment has a scope of its own, such as a management group", async () => {
  const emulation = emulate();
  const scope = "/providers/Microsoft.Management/managementGroups/m1";
  add(emulation, { resources: [{ ...inner, scope }] });
  await emulation.clock.advance(3000);
  const { body } = await emulation.send("GET", `${root}/operations${version}`);
  const id = operationsOf(body)[0]?.properties.targetResource?.id ?? "";
  expect(id).toBe(`${scope}${deployments}/inner`);
  expect(await emulation.rows(id)).toEqual(["one Running"]);
});

describe("validation and what-if", () => {
  const plan = (): DeploymentPlan => ({ resources: [inner, { ...two, changeType: "NoChange" }] });
  const ids = [
    `${group}${deployments}/inner`,
    ...["one", "two"].map((name) => `${group}/providers/${storage}/${name}`),
  ];

  test("a validation lists the parts of all levels, with nested deployments", async () => {
    const { send } = emulate({ plan });
    expect(await send("POST", `${root}/validate${version}`, {})).toMatchObject({
      status: 200,
      body: { properties: { validatedResources: ids.map((id) => ({ id })) } },
    });
  });

  test("a validation can take time", async () => {
    const { send, clock } = emulate({ plan, validationInMs: 30_000 });
    const { status, headers } = await send("POST", `${root}/validate${version}`, {});
    expect(status).toBe(202);
    expect((await send("GET", headers["location"] ?? "")).status).toBe(202);
    await clock.advance(30_000);
    expect(await send("GET", headers["location"] ?? "")).toMatchObject({
      status: 200,
      body: { properties: { validatedResources: ids.map((id) => ({ id })) } },
    });
  });

  test("a what-if tells the change of each resource", async () => {
    const { send, clock } = emulate({ plan });
    const { status, headers } = await send("POST", `${root}/whatIf${version}`, {});
    expect(status).toBe(202);
    await clock.advance(2000);
    expect((await send("GET", headers["location"] ?? "")).body).toMatchObject({
      status: "Succeeded",
      properties: {
        changes: [
          { resourceId: ids[1], deploymentId: ids[0], changeType: "Create" },
          { resourceId: ids[2], deploymentId: root, changeType: "NoChange" },
        ],
      },
    });
  });
});

describe("cancel", () => {
  async function cancel({ send }: Emulation, id = root): Promise<unknown> {
    return (await send("POST", `${id}/cancel${version}`)).status;
  }

  test("ends a deployment and what is within it, and what has not started never does", async () => {
    const emulation = emulate();
    add(emulation, { resources: [one, inner, { ...two, dependsOn: ["one"] }] });
    await emulation.clock.advance(3000);
    expect(await cancel(emulation)).toBe(204);
    await emulation.clock.advance(999);
    expect(await stateOf(emulation)).toMatchObject(state("Running"));
    await emulation.clock.advance(1);
    expect(await stateOf(emulation)).toMatchObject(state("Canceled"));
    expect(await stateOf(emulation, `${group}${deployments}/inner`)).toMatchObject(state("Canceled"));
    expect(await emulation.rows(root)).toEqual(["one Canceled", "inner Canceled"]);
    expect(await emulation.send("POST", `${root}/cancel${version}`)).toMatchObject({
      status: 409,
      body: { error: { code: "DeploymentCannotBeCancelled" } },
    });
  });

  test("can lose to the deployment's own end", async () => {
    const emulation = emulate();
    add(emulation, { resources: [one] });
    await emulation.clock.advance(10_000);
    expect(await cancel(emulation)).toBe(204);
    await emulation.clock.advance(300);
    expect(await stateOf(emulation)).toMatchObject(state("Succeeded"));
  });

  test("leaves nested deployments running, which block the next start", async () => {
    const emulation = emulate({ childrenOutliveInMs: Infinity });
    const plan = { resources: [{ name: "inner", deployment: { resources: [two] } }] };
    add(emulation, plan);
    await emulation.clock.advance(3000);
    await cancel(emulation);
    await emulation.clock.advance(2000);
    const child = `${group}${deployments}/inner`;
    expect(await stateOf(emulation)).toMatchObject(state("Canceled"));
    expect(await stateOf(emulation, child)).toMatchObject(state("Running"));
    add(emulation, plan);
    await emulation.clock.advance(2000);
    expect(await stateOf(emulation)).toMatchObject({
      properties: { error: { details: [{ code: "DeploymentActive" }] } },
    });
    expect(await cancel(emulation, child)).toBe(204);
    await emulation.clock.advance(1000);
    expect(await stateOf(emulation, child)).toMatchObject(state("Canceled"));
  });
});

describe("failures", () => {
  /** Fails in the third level. */
  function failing(errorShape: DeploymentErrorShape): DeploymentPlan {
    const part = { ...one, failure: "policy" } as const;
    const deep = { name: "deep", deployment: { resources: [part, two] } };
    const skipped = { ...two, name: "skipped", dependsOn: ["middle"] };
    return { errorShape, resources: [{ name: "middle", deployment: { resources: [deep] } }, skipped] };
  }

  async function errorOf(plan: DeploymentPlan): Promise<{ emulation: Emulation; error: unknown }> {
    const emulation = emulate();
    const monitor = add(emulation, plan);
    await emulation.clock.advance(120_000);
    const { body } = await emulation.send("GET", monitor);
    expect(body).toMatchObject({ status: "Failed" });
    const { error }: { error?: unknown } = Object(body);
    expect(await stateOf(emulation)).toMatchObject({ properties: { error } });
    return { emulation, error };
  }

  test.each(["direct", "json", "leafJson", "empty", "preflight"] as const)(
    "in the form %s",
    async (shape) => {
      const { emulation, error } = await errorOf(failing(shape));
      const text = JSON.stringify(error);
      expect(text.includes("RequestDisallowedByPolicy")).toBe(shape !== "empty");
      expect(text).toContain(shape === "preflight" ? "InvalidTemplateDeployment" : "DeploymentFailed");
      // Each level quotes the text of the level below.
      const quotes = { direct: 0, json: 3, leafJson: 1, empty: 0, preflight: 0 };
      const code = /(\\*)"(?:code|Code)\1":\s*(?:\\n)?\s*\1"RequestDisallowedByPolicy/.exec(
        text.replaceAll("\\n", ""),
      );
      if (shape !== "empty") expect(code?.[1]?.length).toBe(2 ** quotes[shape] - 1);
      const { body } = await emulation.send("GET", `${group}${deployments}/deep/operations${version}`);
      const message = operationsOf(body).find((row) => row.properties.provisioningState === "Failed");
      expect(JSON.stringify(message?.properties.statusMessage)).toMatch(
        /RequestDisallowedByPolicy.*PolicyViolation/,
      );
      expect(await emulation.rows(root)).toEqual(["middle Failed"]);
    },
  );

  test.each([
    ["quota", "Conflict", "QuotaExceeded"],
    ["nameConflict", "Conflict", "StorageAccountAlreadyTaken"],
    ["invalidName", "BadRequest", "AccountNameInvalid"],
    ["timeout", "RequestTimeout", "ResourceDeploymentFailure"],
    ["policy", "Forbidden", "RequestDisallowedByPolicy"],
  ] as const)("by %s", async (failure, statusCode, code) => {
    const { emulation, error } = await errorOf({ resources: [{ ...one, failure }] });
    expect(error).toMatchObject({ code: "DeploymentFailed", details: [{ code }] });
    const { body } = await emulation.send("GET", `${root}/operations${version}`);
    expect(operationsOf(body)).toMatchObject([
      { properties: { statusCode, statusMessage: { error: { code } } } },
    ]);
  });

  test("two at once, the first to fail first", async () => {
    const { error } = await errorOf({
      resources: [
        { ...two, failure: "quota" },
        { ...one, failure: "timeout" },
      ],
    });
    expect(error).toMatchObject({
      details: [{ code: "ResourceDeploymentFailure" }, { code: "QuotaExceeded" }],
    });
  });

  test("an empty error says nothing of its parts", async () => {
    const { error } = await errorOf(failing("empty"));
    expect(error).toMatchObject({
      code: "DeploymentFailed",
      details: [{ code: "DeploymentFailed", details: null }],
    });
  });

  test("a failed row without a deployment", async () => {
    const { emulation } = await errorOf({
      resources: [
        {
          ...inner,
          failure: { error: { code: "InvalidTemplate", message: "Bad." }, statusCode: "BadRequest" },
        },
      ],
    });
    expect(await emulation.rows(root)).toEqual(["inner Failed"]);
    expect((await emulation.send("GET", `${group}${deployments}/inner${version}`)).status).toBe(404);
  });
});

test("a wrong plan is rejected with the name of what is wrong", () => {
  const { addDeployment } = emulate();
  expect(() => addDeployment({ resources: [{ ...one, durationInMs: -1 }] })).toThrow(
    "resources[0].durationInMs: expected a finite number of at least 0, got -1",
  );
  expect(() => addDeployment({ resources: [{ ...one, dependsOn: ["nobody"] }] })).toThrow(
    'dependsOn of one: expected a part of the same deployment, got "nobody"',
  );
  expect(() => addDeployment({ resources: [{ ...one, dependsOn: ["one"] }] })).toThrow(
    "dependsOn: expected no circle, got one through one",
  );
  expect(() => emulate({ pageSize: 0 })).toThrow("pageSize: expected an integer of at least 1, got 0");
});
