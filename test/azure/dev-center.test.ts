import { beforeEach, describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { OperationStatusesClient } from "lro-poller";
import type {
  CustomizationTasksValidation,
  DevBox,
  DevBoxAddOn,
  Environment,
  StartOperationOptions,
  StartedPoller,
} from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type {
  OperationAction,
  ReceivedInitialRequest,
  OperationPlan,
  OperationServer,
} from "lro-poller/testing";
import { rejection } from "../support/rejections.ts";
import { fast } from "./lro/support.ts";

const box = "/projects/myProject/users/me/devboxes/box";
const environment = "/projects/myProject/users/me/environments/env";
const version = "api-version=2025-02-01";
const devBoxBody = { poolName: "pool", localAdministrator: "Enabled" } as const;
const environmentBody = {
  environmentType: "Dev",
  catalogName: "main",
  environmentDefinitionName: "sandbox",
  parameters: { size: 3 },
};

let server: OperationServer;
let client: OperationStatusesClient;
let initialRequests: ReceivedInitialRequest[];
let plan: OperationPlan;

beforeEach(async () => {
  initialRequests = [];
  plan = { timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }] };
  server = await startOperationServer({
    onInitialRequest: (request) => {
      initialRequests.push(request);
      return plan;
    },
  });
  onTestFinished(() => server.close());
  client = new OperationStatusesClient(server.endpoint);
});

/** The requests so far, without the ids of operations. */
function requestLines(): string[] {
  return server.requests.map(({ method, url }) => {
    const { pathname, search } = new URL(url);
    return `${method} ${pathname.replace(/(?<=operationstatuses\/).*/, "{id}")}${search}`;
  });
}

const status = `GET /projects/myProject/operationstatuses/{id}?${version}`;

type Action = (options: StartOperationOptions<void>) => StartedPoller<void>;

describe("a dev box", () => {
  test("is created, and is the result", async () => {
    const poller = client.createDevBox("myProject", "me", "box", devBoxBody, fast());
    expectTypeOf(poller).toEqualTypeOf<StartedPoller<DevBox>>();
    expect((await poller.started).body).toMatchObject({ name: "box", provisioningState: "Creating" });
    expect(await poller.pollUntilDone()).toEqual({
      uri: `${server.endpoint}${box}`,
      name: "box",
      ...devBoxBody,
      provisioningState: "Succeeded",
    });
    expect(requestLines()).toEqual([`PUT ${box}?${version}`, status, status, `GET ${box}?${version}`]);
    expect(initialRequests).toMatchObject([{ action: "createDevBox", body: devBoxBody }]);
  });

  test("of another user is named by the user's id", async () => {
    const userId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
    await client.createDevBox("myProject", userId, "box", devBoxBody, fast()).pollUntilDone();
    expect(requestLines()[0]).toBe(`PUT /projects/myProject/users/${userId}/devboxes/box?${version}`);
  });

  test("is deleted", async () => {
    await client.createDevBox("myProject", "me", "box", devBoxBody, fast()).pollUntilDone();
    const poller = client.deleteDevBox("myProject", "me", "box", fast());
    expectTypeOf(poller).toEqualTypeOf<StartedPoller<void>>();
    expect(await poller.pollUntilDone()).toBeUndefined();
    expect(requestLines().slice(4)).toEqual([`DELETE ${box}?${version}`, status, status]);
    expect(initialRequests[1]).toMatchObject({ action: "deleteDevBox", body: undefined });
  });

  test("that is not there is deleted at once", async () => {
    expect(await client.deleteDevBox("myProject", "me", "box", fast()).pollUntilDone()).toBeUndefined();
    expect(requestLines()).toEqual([`DELETE ${box}?${version}`]);
  });

  test.each<[string, Action, OperationAction, string]>([
    [
      "started",
      (options) => client.startDevBox("myProject", "me", "box", options),
      "startDevBox",
      `${box}:start?${version}`,
    ],
    [
      "stopped",
      (options) => client.stopDevBox("myProject", "me", "box", options),
      "stopDevBox",
      `${box}:stop?${version}`,
    ],
    [
      "stopped, and hibernates",
      (options) => client.stopDevBox("myProject", "me", "box", { hibernate: true, ...options }),
      "stopDevBox",
      `${box}:stop?hibernate=true&${version}`,
    ],
    [
      "stopped, and does not hibernate",
      (options) => client.stopDevBox("myProject", "me", "box", { hibernate: false, ...options }),
      "stopDevBox",
      `${box}:stop?hibernate=false&${version}`,
    ],
    [
      "restarted",
      (options) => client.restartDevBox("myProject", "me", "box", options),
      "restartDevBox",
      `${box}:restart?${version}`,
    ],
    [
      "repaired",
      (options) => client.repairDevBox("myProject", "me", "box", options),
      "repairDevBox",
      `${box}:repair?${version}`,
    ],
    [
      "captured in a snapshot",
      (options) => client.captureDevBoxSnapshot("myProject", "me", "box", options),
      "captureSnapshot",
      `${box}:captureSnapshot?${version}`,
    ],
    [
      "restored from a snapshot",
      (options) => client.restoreDevBoxSnapshot("myProject", "me", "box", "a&b=c/d", options),
      "restoreSnapshot",
      `${box}:restoreSnapshot?snapshotId=a%26b%3Dc%2Fd&${version}`,
    ],
  ])("is %s", async (_, act, action, request) => {
    plan = {
      timeline: [
        { status: "Running", polls: 1 },
        { status: "Succeeded", properties: { of: "no use" } },
      ],
    };
    const poller = act(fast());
    expect((await poller.started).statusCode).toBe(202);
    expect(await poller.pollUntilDone()).toBeUndefined();
    expect(requestLines()).toEqual([`POST ${request}`, status, status]);
    expect(initialRequests).toMatchObject([{ action, body: undefined }]);
  });

  test("that could not be started rejects with the reason", async () => {
    const error = { code: "NoQuota", message: "8 needed." };
    plan = { timeline: [{ status: "Failed", error }] };
    const failure = await rejection(client.startDevBox("myProject", "me", "box", fast()).pollUntilDone());
    expect(failure).toMatchObject({
      name: "OperationFailedError",
      ...error,
      message: expect.stringContaining("8"),
    });
    expect(requestLines()).toEqual([`POST ${box}:start?${version}`]);
  });

  test("can be resumed in another process", async () => {
    const poller = client.createDevBox("myProject", "me", "box", devBoxBody, fast());
    await poller.poll();
    const resumed = new OperationStatusesClient(server.endpoint).resume<DevBox>(
      JSON.stringify(poller),
      fast(),
    );
    expect(await resumed.pollUntilDone()).toMatchObject({ name: "box", provisioningState: "Succeeded" });
  });
});

describe("an environment", () => {
  test("is created, and is the result; then it is deleted", async () => {
    const poller = client.createOrReplaceEnvironment("myProject", "me", "env", environmentBody, fast());
    expectTypeOf(poller).toEqualTypeOf<StartedPoller<Environment>>();
    expect(await poller.pollUntilDone()).toEqual({
      uri: `${server.endpoint}${environment}`,
      name: "env",
      ...environmentBody,
      provisioningState: "Succeeded",
    });
    const deletion = client.deleteEnvironment("myProject", "me", "env", fast());
    expect(await deletion.pollUntilDone()).toBeUndefined();
    expect(await client.deleteEnvironment("myProject", "me", "env", fast()).pollUntilDone()).toBeUndefined();
    expect(requestLines()).toEqual([
      `PUT ${environment}?${version}`,
      status,
      status,
      `GET ${environment}?${version}`,
      `DELETE ${environment}?${version}`,
      status,
      status,
      `DELETE ${environment}?${version}`,
    ]);
    expect(initialRequests).toMatchObject([
      { action: "createEnvironment", body: environmentBody },
      { action: "deleteEnvironment", body: undefined },
    ]);
  });
});

describe("what newer api-versions brought", () => {
  const preview = "api-version=2026-01-01-preview";
  const previewStatus = `GET /projects/myProject/operationstatuses/{id}?${preview}`;
  const addOn = `${box}/addons/tunnel`;
  const targets = ["NetworkProperties"] as const;

  function clientOf(apiVersion: string): OperationStatusesClient {
    return new OperationStatusesClient(server.endpoint, undefined, { apiVersion });
  }

  type ActionOf = (of: OperationStatusesClient, options?: StartOperationOptions<void>) => StartedPoller<void>;

  const actions: [string, ActionOf, OperationAction, string, unknown][] = [
    [
      "approveDevBox",
      (of, options) => of.approveDevBox("myProject", "me", "box", options),
      "approveDevBox",
      `${box}:approve`,
      undefined,
    ],
    [
      "alignDevBox",
      (of, options) => of.alignDevBox("myProject", "me", "box", targets, options),
      "alignDevBox",
      `${box}:align`,
      { targets },
    ],
    [
      "alignPool",
      (of, options) => of.alignPool("myProject", "pool", targets, options),
      "alignPool",
      "/projects/myProject/pools/pool:align",
      { targets },
    ],
    [
      "enableDevBoxAddOn",
      (of, options) => of.enableDevBoxAddOn("myProject", "me", "box", "tunnel", options),
      "enableAddOn",
      `${addOn}:enable`,
      undefined,
    ],
    [
      "disableDevBoxAddOn",
      (of, options) => of.disableDevBoxAddOn("myProject", "me", "box", "tunnel", options),
      "disableAddOn",
      `${addOn}:disable`,
      undefined,
    ],
  ];

  test.each(actions)("%s", async (_, act, action, path, body) => {
    expect(await act(clientOf("2026-01-01-preview"), fast()).pollUntilDone()).toBeUndefined();
    expect(requestLines()).toEqual([`POST ${path}?${preview}`, previewStatus, previewStatus]);
    expect(initialRequests).toMatchObject([{ action, body }]);
  });

  test("an add-on is created, and is the result; then it is deleted", async () => {
    client = clientOf("2026-01-01-preview");
    const body = { kind: "DevBoxTunnel", hostingResourceName: "Default" };
    const poller = client.createOrReplaceDevBoxAddOn("myProject", "me", "box", "tunnel", body, fast());
    expectTypeOf(poller).toEqualTypeOf<StartedPoller<DevBoxAddOn>>();
    expect(await poller.pollUntilDone()).toMatchObject({
      name: "tunnel",
      ...body,
      provisioningState: "Succeeded",
    });
    const deletion = client.deleteDevBoxAddOn("myProject", "me", "box", "tunnel", fast());
    expect(await deletion.pollUntilDone()).toBeUndefined();
    expect(requestLines()).toEqual([
      `PUT ${addOn}?${preview}`,
      previewStatus,
      previewStatus,
      `GET ${addOn}?${preview}`,
      `DELETE ${addOn}?${preview}`,
      previewStatus,
      previewStatus,
    ]);
    expect(initialRequests).toMatchObject([{ action: "createAddOn", body }, { action: "deleteAddOn" }]);
  });

  test.each([true, false])("an environment is deleted with force: %s", async (force) => {
    await client
      .createOrReplaceEnvironment("myProject", "me", "env", environmentBody, fast())
      .pollUntilDone();
    const options = { force, ...fast<void>() };
    expect(await client.deleteEnvironment("myProject", "me", "env", options).pollUntilDone()).toBeUndefined();
    expect(requestLines()).toContain(`DELETE ${environment}?force=${force}&${version}`);
  });

  const onAddOn: [string, (of: OperationStatusesClient) => unknown][] = [
    [
      "createOrReplaceDevBoxAddOn",
      (of) => of.createOrReplaceDevBoxAddOn("myProject", "me", "box", "tunnel", { kind: "DevBoxTunnel" }),
    ],
    ["deleteDevBoxAddOn", (of) => of.deleteDevBoxAddOn("myProject", "me", "box", "tunnel")],
  ];

  test.each([...actions.map(([method, act]): (typeof onAddOn)[0] => [method, act]), ...onAddOn])(
    "%s is refused before any request on an api-version that lacks it",
    (method, act) => {
      for (const apiVersion of ["2025-02-01", "2024-10-01-preview", "2025-03-31"]) {
        expect(() => act(clientOf(apiVersion))).toThrow(
          new RangeError(
            `${method}: expected a client with apiVersion 2025-04-01-preview or later, got "${apiVersion}"`,
          ),
        );
      }
      expect(server.requests).toEqual([]);
    },
  );

  test("force is refused on an api-version that lacks it; deletion without it is not", async () => {
    client = clientOf("2024-08-01-preview");
    expect(() => client.deleteEnvironment("myProject", "me", "env", { force: true })).toThrow(
      new RangeError(
        'deleteEnvironment with force: expected a client with apiVersion 2024-09-01-preview or later, got "2024-08-01-preview"',
      ),
    );
    expect(server.requests).toEqual([]);
    await client.deleteEnvironment("myProject", "me", "env", fast()).pollUntilDone();
  });

  test.each(["2025-04-01-preview", "2025-07-01-preview", "2026-01-01-preview"])(
    "an api-version %s is not refused",
    async (apiVersion) => {
      expect(clientOf(apiVersion).apiVersion).toBe(apiVersion);
      await clientOf(apiVersion).approveDevBox("myProject", "me", "box", fast()).pollUntilDone();
    },
  );

  test.each(["2025-04-01", "2027-01-01", "latest"])(
    "an api-version %s that the library does not know is left to the service",
    async (apiVersion) => {
      const { started } = clientOf(apiVersion).approveDevBox("myProject", "me", "box", fast());
      await expect(started).rejects.toMatchObject({ code: "UnsupportedApiVersionValue" });
    },
  );

  test("the names are checked", () => {
    client = clientOf("2026-01-01-preview");
    expect(() => client.approveDevBox("myProject", "me", "a/b")).toThrow("devBoxName: expected");
    expect(() => client.alignDevBox("myProject", "me", "..", targets)).toThrow("devBoxName: expected");
    expect(() => client.alignPool("myProject", "p?x=1", targets)).toThrow("poolName: expected");
    expect(() => client.alignPool("..", "pool", targets)).toThrow("projectName: expected");
    expect(() => client.deleteDevBoxAddOn("myProject", "me", "box", "a:b")).toThrow("addOnName: expected");
    expect(() => client.enableDevBoxAddOn("myProject", "me", "..", "tunnel")).toThrow("devBoxName: expected");
    expect(server.requests).toEqual([]);
  });
});

describe("customization tasks", () => {
  const tasks = [{ name: "winget", parameters: { package: "git" } }];
  const path = "/projects/myProject/customizationTasks:validateGroup";

  test.each([
    ["at once", 0],
    ["after a while", 1],
  ])("that are wrong, as the service reports %s, are a result and no failure", async (_, polls) => {
    const result = {
      validationResult: "Failed",
      errors: [{ target: tasks[0], details: [{ code: "TaskNotFound" }] }],
    };
    plan = {
      timeline: [...(polls > 0 ? [{ status: "Running", polls }] : []), { status: "Succeeded", result }],
    };
    const poller = client.validateCustomizationTasks("myProject", tasks, fast());
    expectTypeOf(poller).toEqualTypeOf<StartedPoller<CustomizationTasksValidation>>();
    expect(await poller.pollUntilDone()).toEqual(result);
    expect(requestLines()).toEqual([`POST ${path}?${version}`, ...(polls > 0 ? [status, status] : [])]);
    expect(initialRequests).toMatchObject([{ action: "validateGroup", body: { tasks } }]);
  });
});

describe("the options of a start", () => {
  test("are those of any wait", async () => {
    const seen: string[] = [];
    const options = fast<void>({
      onStarted: ({ statusCode }) => seen.push(String(statusCode)),
      onProgress: (progress) => seen.push(progress.status),
    });
    await client.repairDevBox("myProject", "me", "box", options).pollUntilDone();
    expect(seen).toEqual(["202", "Running", "Running", "Succeeded"]);
  });

  test("another api-version of the client is used for all requests", async () => {
    client = new OperationStatusesClient(server.endpoint, undefined, { apiVersion: "2026-01-01-preview" });
    await client.createDevBox("myProject", "me", "box", devBoxBody, fast()).pollUntilDone();
    expect(server.requests.map(({ url }) => new URL(url).search)).toEqual(
      Array.from({ length: 4 }, () => "?api-version=2026-01-01-preview"),
    );
  });
});

describe("an invalid name", () => {
  const names = [
    "",
    "ab",
    "-box",
    "a/b",
    "..",
    "a b",
    "b?x=1",
    "b:start",
    "ü".repeat(3),
    "a".repeat(64),
    "box\n",
  ];
  const onBox: [string, (project: string, user: string, name: string) => unknown][] = [
    ["createDevBox", (project, user, name) => client.createDevBox(project, user, name, devBoxBody)],
    ["deleteDevBox", (project, user, name) => client.deleteDevBox(project, user, name)],
    ["startDevBox", (project, user, name) => client.startDevBox(project, user, name)],
    ["stopDevBox", (project, user, name) => client.stopDevBox(project, user, name)],
    ["restartDevBox", (project, user, name) => client.restartDevBox(project, user, name)],
    ["repairDevBox", (project, user, name) => client.repairDevBox(project, user, name)],
    ["captureDevBoxSnapshot", (project, user, name) => client.captureDevBoxSnapshot(project, user, name)],
    [
      "restoreDevBoxSnapshot",
      (project, user, name) => client.restoreDevBoxSnapshot(project, user, name, "s1"),
    ],
  ];
  const onEnvironment: typeof onBox = [
    [
      "createOrReplaceEnvironment",
      (project, user, name) => client.createOrReplaceEnvironment(project, user, name, environmentBody),
    ],
    ["deleteEnvironment", (project, user, name) => client.deleteEnvironment(project, user, name)],
  ];

  test.each([
    ...onBox.map(([method, act]): [string, string, (typeof onBox)[0][1]] => [method, "devBoxName", act]),
    ...onEnvironment.map(([method, act]): [string, string, (typeof onBox)[0][1]] => [
      method,
      "environmentName",
      act,
    ]),
  ])("is rejected by %s before any request, and named", (_, argument, act) => {
    for (const name of names) {
      expect(() => act("myProject", "me", name), name).toThrow(RangeError);
      expect(() => act("myProject", "me", name), name).toThrow(`${argument}: expected`);
      expect(() => act(name, "me", "box"), name).toThrow("projectName: expected");
      expect(() => act("myProject", name, "box"), name).toThrow("userId: expected");
    }
    expect(server.requests).toEqual([]);
  });

  test("is rejected as a project of customization tasks", () => {
    for (const name of names) {
      expect(() => client.validateCustomizationTasks(name, []), name).toThrow("projectName: expected");
    }
    expect(server.requests).toEqual([]);
  });

  test("of the wrong type is rejected too", () => {
    // @ts-expect-error: the types forbid it
    expect(() => client.startDevBox("myProject", "me", undefined)).toThrow(
      new TypeError("devBoxName: expected a string, got undefined"),
    );
  });
});
