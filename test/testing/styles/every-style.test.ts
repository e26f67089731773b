import { describe, expect, test } from "vitest";
import { startOperationServer } from "lro-poller/testing";
import type { InitialRequestFault, OperationStyle, ReceivedInitialRequest } from "lro-poller/testing";
import { emulate } from "./support.ts";

const vm = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Compute/virtualMachines/vm1";
const starts: [OperationStyle, string, string, string][] = [
  ["devcenter", "PUT", "/projects/myProject/users/me/devboxes/b1?api-version=2025-02-01", "createDevBox"],
  ["arm", "POST", `${vm}/start?api-version=2024-07-01`, "start"],
  ["operation-location", "PATCH", "/models/m1?api-version=2024-11-30", "update"],
  ["location", "POST", "/jobs/1:run?api-version=2024-11-30", "run"],
  ["resource", "PUT", "/things/t1?api-version=2024-11-30", "createOrUpdate"],
  ["fabric", "DELETE", "/v1/workspaces/w1", "delete"],
  ["key-vault", "POST", "/certificates/c1/create?api-version=7.6", "create"],
];

describe.each(starts)("%s", (style, method, path, action) => {
  const requireAuthorization = (): boolean => true;

  test("onInitialRequest gets the request", async () => {
    const received: ReceivedInitialRequest[] = [];
    const onInitialRequest = (request: ReceivedInitialRequest): undefined => void received.push(request);
    const { send } = await emulate({ style, requireAuthorization, onInitialRequest });
    await send(method, path, { a: 1 });
    expect(received).toMatchObject([{ action, body: { a: 1 }, url: { pathname: path.replace(/\?.*/, "") } }]);
  });

  test("failNextInitialRequest rejects a start, and no operation starts", async () => {
    const { send, server } = await emulate({ style, requireAuthorization });
    const body = { error: { code: "QuotaExceeded", message: "No more." } };
    server.failNextInitialRequest({ kind: "status", status: 403, body });
    expect(await send(method, path)).toEqual({ status: 403, headers: {}, body });
    expect(server.requests[0]).not.toHaveProperty("operationId");
    const { status } = await send(method, path);
    expect([200, 201, 202]).toContain(status);
    expect(server.requests[1]?.operationId).toBeDefined();
  });

  test("after a lost response the operation has started", async () => {
    const { send, server } = await emulate({ style, requireAuthorization });
    server.failNextInitialRequest({ kind: "reset" });
    await expect(send(method, path)).rejects.toThrow("fetch failed");
    expect(server.state(server.requests[0]?.operationId ?? "").status).toBe("Running");
  });

  test("failNext and an operation's own faults apply to polls", async () => {
    const { send, server } = await emulate({ style, requireAuthorization });
    const faults = { 2: { kind: "status", status: 500 } } as const;
    const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }], faults });
    server.failNext({ kind: "status", status: 429, retryAfter: 9 });
    const seen: unknown[] = [];
    for (let poll = 1; poll <= 3; poll++) seen.push((await send("GET", operationLocation)).status);
    expect(seen).toEqual([429, 500, style === "location" ? 202 : 200]);
    expect(server.requests.map(({ pollNumber }) => pollNumber)).toEqual([1, 2, 3]);
  });

  test("an added operation has an id, a state and a phase to enter", async () => {
    const { send, server } = await emulate({ style, requireAuthorization });
    const { operationId, operationLocation } = server.addOperation({ retryAfter: null });
    server.setStatus(operationId, { status: "Running", percentComplete: 5 });
    expect(server.state(operationId)).toMatchObject({
      name: operationId,
      status: "Running",
      percentComplete: 5,
    });
    expect((await send("GET", operationLocation)).headers).not.toHaveProperty("retry-after");
    expect(() => server.addOperation({ operationId })).toThrow("operationId: expected a new one");
  });

  test("a 401 is the service's", async () => {
    const { send, server } = await emulate({ style, requireAuthorization: () => false });
    const { status, headers, body } = await send("GET", server.addOperation().operationLocation);
    expect([status, JSON.stringify(body)]).toEqual([401, expect.stringContaining("Unauthorized")]);
    expect(headers["www-authenticate"]).toMatch(/^Bearer /);
  });
});

test("an unknown style is refused", async () => {
  // Users of plain JavaScript may pass anything.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const style = "soap" as OperationStyle;
  await expect(startOperationServer({ style })).rejects.toThrow(
    'style: expected one of devcenter, arm, operation-location, location, resource, fabric, key-vault, got "soap"',
  );
});

test("a fault that only a poll can have is refused", async () => {
  const { server } = await emulate({});
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const fault = { kind: "stale" } as unknown as InitialRequestFault;
  expect(() => server.failNextInitialRequest(fault)).toThrow(
    "fault.kind: expected a fault of an initial request",
  );
});
