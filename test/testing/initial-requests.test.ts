import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createVirtualClock, startOperationServer } from "../../src/testing/index.ts";
import type {
  OperationPlan,
  OperationServer,
  ReceivedInitialRequest,
  VirtualClock,
} from "../../src/testing/index.ts";

const devBox = "/projects/myProject/users/me/devboxes/box";
const environment = "/projects/myProject/users/me/environments/env";

let clock: VirtualClock;
let server: OperationServer;
let received: ReceivedInitialRequest[];
let plan: OperationPlan | undefined;

beforeEach(async () => {
  clock = createVirtualClock();
  received = [];
  plan = undefined;
  const onInitialRequest = (request: ReceivedInitialRequest): OperationPlan | undefined => {
    received.push(request);
    return plan;
  };
  server = await startOperationServer({ clock, onInitialRequest });
});

afterEach(() => server.close());

function send(method: string, path: string, body?: unknown): Promise<Response> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  return fetch(`${server.endpoint}${path}?api-version=2025-02-01`, init);
}

async function provisioningState(path: string): Promise<unknown> {
  return (await (await send("GET", path)).json()).provisioningState;
}

function monitor({ headers }: Response): Promise<Response> {
  return fetch(headers.get("operation-location") ?? "");
}

describe("PUT", () => {
  test.each([devBox, environment])("creates %s, whose state follows the operation", async (path) => {
    const response = await send("PUT", path, { poolName: "pool" });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({
      uri: `${server.endpoint}${path}`,
      name: path.split("/").at(-1),
      poolName: "pool",
      provisioningState: "Creating",
    });
    expect(await (await monitor(response)).json()).toMatchObject({ status: "NotStarted" });
    expect(await provisioningState(path)).toBe("Creating");
    await clock.advance(9000);
    expect(await provisioningState(path)).toBe("Succeeded");
  });

  test("updates an existing resource, and keeps its other fields", async () => {
    await send("PUT", devBox, { poolName: "pool" });
    const response = await send("PUT", devBox, { hibernate: true });
    expect(await response.json()).toMatchObject({
      poolName: "pool",
      hibernate: true,
      provisioningState: "Updating",
    });
  });

  test("shows how its operation failed", async () => {
    plan = { timeline: [{ status: "Failed", error: { code: "QuotaExceeded", message: "No more." } }] };
    await send("PUT", devBox);
    expect(await provisioningState(devBox)).toBe("Failed");
  });

  test("accepts JSON only", async () => {
    const url = `${server.endpoint}${devBox}?api-version=2025-02-01`;
    const response = await fetch(url, { method: "PUT", body: "{" });
    expect([response.status, response.headers.get("x-ms-error-code")]).toEqual([400, "InvalidRequestBody"]);
  });
});

describe("POST", () => {
  const actions = [
    ["start", "startDevBox", "Starting"],
    ["stop", "stopDevBox", "Stopping"],
    ["restart", "restartDevBox", "Updating"],
    ["repair", "repairDevBox", "Updating"],
    ["captureSnapshot", "captureSnapshot", "Updating"],
    ["restoreSnapshot", "restoreSnapshot", "Updating"],
    ["approve", "approveDevBox", "Creating"],
    ["align", "alignDevBox", "Updating"],
  ];
  test.each(actions)(
    "%s responds with the status, which has the dev box and no times",
    async (word, action, state) => {
      const response = await send("POST", `${devBox}:${word}`);
      const body = await response.json();
      expect(response.status).toBe(202);
      expect(body).toMatchObject({ status: "NotStarted", resourceId: devBox });
      expect(body).not.toHaveProperty("startTime");
      expect(response.headers.get("location")).toContain(`/operationstatuses/${body.name}?`);
      expect(received.map((request) => request.action)).toEqual([action]);
      expect(await provisioningState(devBox)).toBe(state);
      expect(await (await monitor(response)).json()).not.toHaveProperty("resourceId");
    },
  );

  test("validateGroup has a result at once", async () => {
    const response = await send("POST", "/projects/myProject/customizationTasks:validateGroup", {
      tasks: [],
    });
    const result = { validationResult: "Succeeded", errors: [] };
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "Succeeded", result });
    expect(await (await monitor(response)).json()).toMatchObject({ result });
  });

  test("an unknown action is not found", async () => {
    expect((await send("POST", `${devBox}:fly`)).status).toBe(404);
  });
});

describe("DELETE", () => {
  test("starts no operation where there is no resource", async () => {
    const response = await send("DELETE", environment);
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(received).toEqual([]);
  });

  test("removes the resource when the operation ends", async () => {
    await send("PUT", environment);
    const response = await send("DELETE", environment);
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ resourceId: environment });
    expect(await provisioningState(environment)).toBe("Deleting");
    await clock.advance(9000);
    expect((await send("GET", environment)).status).toBe(404);
    expect((await send("DELETE", environment)).status).toBe(204);
  });
});

describe("onInitialRequest", () => {
  test("gets the request", async () => {
    await send("PUT", environment, { environmentType: "Dev" });
    expect(received).toMatchObject([
      { action: "createEnvironment", projectName: "myProject", body: { environmentType: "Dev" } },
    ]);
    expect(received[0]?.url.pathname).toBe(environment);
  });

  test("plans the operation: its timeline, its Retry-After, its faults", async () => {
    plan = {
      timeline: [{ status: "Running", polls: 1 }, { status: "Canceled" }],
      retryAfter: 7,
      faults: { 1: { kind: "status", status: 503 } },
    };
    const response = await send("PUT", devBox);
    expect(response.headers.get("retry-after")).toBe("7");
    const seen: [number, unknown][] = [];
    for (let poll = 0; poll < 3; poll++) {
      const polled = await monitor(response);
      seen.push([polled.status, (await polled.json()).status]);
    }
    expect(seen).toEqual([
      [503, undefined],
      [200, "Running"],
      [200, "Canceled"],
    ]);
  });

  test("reports an invalid plan in the response", async () => {
    plan = { timeline: [] };
    const response = await send("PUT", devBox);
    expect(response.status).toBe(500);
    expect((await response.json()).error.message).toBe("timeline: expected an array of phases, got []");
  });
});
