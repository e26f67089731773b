import { createEmptyPipeline } from "@azure/core-rest-pipeline";
import { expect, test } from "vitest";
import {
  LroClient,
  OperationStartError,
  OperationStatusesClient,
  RequestError,
  createPoller,
  startOperation,
} from "lro-poller";
import type { CancelRequest, Operation } from "lro-poller";
import { simulate } from "./support.ts";

const endpoint = "https://service.example";

/** The token of a wait for an operation, as another process gets it. */
function tokenOf(operation: Operation): string {
  return JSON.stringify(createPoller(operation));
}

const arm = "/subscriptions/s/resourceGroups/g/providers";
const accepted = { status: 202 };
const canceled = { status: 200, body: { status: "Canceled" } };

test.each([
  [
    `${arm}/Microsoft.Resources/deployments/d?api-version=1`,
    `POST ${arm}/Microsoft.Resources/deployments/d/cancel?api-version=1`,
  ],
  [
    `${arm}/microsoft.resources/DEPLOYMENTS/d/operationstatuses/08?t=1&api-version=1&s=signature`,
    `POST ${arm}/microsoft.resources/DEPLOYMENTS/d/cancel?api-version=1`,
  ],
  [
    "/providers/Microsoft.Resources/deployments/d?api-version=1",
    "POST /providers/Microsoft.Resources/deployments/d/cancel?api-version=1",
  ],
  ["/language/analyze-text/jobs/1?api-version=1", "POST /language/analyze-text/jobs/1:cancel?api-version=1"],
  ["/translator/document/batches/1?api-version=1", "DELETE /translator/document/batches/1?api-version=1"],
  ["/openai/batches/1?api-version=1", "POST /openai/batches/1/cancel?api-version=1"],
  ["/openai/v1/batches/1", "POST /openai/v1/batches/1/cancel"],
  ["/jobs/imports/1?api-version=1", "POST /jobs/imports/1/cancel?api-version=1"],
  ["/v1/workspaces/w/items/i/jobs/instances/1", "POST /v1/workspaces/w/items/i/jobs/instances/1/cancel"],
  [
    `${arm}/Microsoft.MachineLearningServices/workspaces/w/jobs/j?api-version=1`,
    `POST ${arm}/Microsoft.MachineLearningServices/workspaces/w/jobs/j/cancel?api-version=1`,
  ],
])("the URL %s tells the request that cancels", async (url, line) => {
  const { clock, httpClient, requestLog } = simulate(running, accepted, canceled);
  const operation = new LroClient(endpoint, undefined, { httpClient }).operationAt(url);
  await clock.runUntilSettled(createPoller(operation, { clock }).cancelOperation());
  expect(requestLog.map(([, request]) => request)[1]).toBe(line);
  // Any process can tell it from the URL.
  expect(tokenOf(operation)).not.toContain("cancel");
});

test.each([
  `${arm}/Microsoft.Resources/deployments/d/operations/1`,
  `${arm}/Microsoft.Resources/deploymentStacks/d`,
  "/projects/p/operationstatuses/1",
  "/openai/batches/1/cancel",
])("the URL %s tells none", async (url) => {
  const operation = new LroClient(endpoint).operationAt(url);
  const call = createPoller(operation).cancelOperation();
  await expect(call).rejects.toMatchObject({ name: "RequestError", code: "CancelNotSupported" });
});

test("the operations of DevCenter cannot be canceled", async () => {
  const { httpClient, requestLog } = simulate();
  const client = new OperationStatusesClient(endpoint, undefined, { httpClient });
  const operation = client.operation("project", "786a823c-8037-48ab-89b8-8599901e67d0");
  const call = createPoller(operation).cancelOperation();
  await expect(call).rejects.toMatchObject({ code: "CancelNotSupported" });
  expect(requestLog).toEqual([]);
});

const running = { status: 200, body: { status: "Running" } };
const stop: CancelRequest = { method: "POST", url: "/ops/1:cancel", body: { why: "late" } };

test("a request of the caller's goes with the headers, the api-version and its body, also after resume", async () => {
  const headers = { "x-tenant": "t" };
  const options = { apiVersion: "2" };
  const operation = new LroClient(endpoint, undefined, options).operationAt("/ops/1", { cancel: stop });
  const token = tokenOf(operation);
  const { clock, httpClient, requestLog, requests } = simulate(running, accepted, canceled);
  // The client that resumes may have no api-version.
  const poller = new LroClient(endpoint, undefined, { httpClient }).resume(token, { clock, headers });
  expect(await clock.runUntilSettled(poller.cancelOperation())).toMatchObject({ outcome: "canceled" });
  expect(requestLog[1]).toEqual([0, "POST /ops/1:cancel?api-version=2"]);
  expect(requests[1]?.body).toBe('{"why":"late"}');
  expect(requests[1]?.headers.get("x-tenant")).toBe("t");
});

test("a function makes the request of the URL to poll, which only the initial response tells", async () => {
  const { clock, httpClient, requestLog } = simulate(
    { status: 202, headers: { "operation-location": `${endpoint}/ops/7?sig=1` } },
    running,
    accepted,
    canceled,
  );
  const client = new LroClient(endpoint, undefined, { httpClient });
  const poller = client.startOperation(
    { method: "POST", url: "/ops" },
    { clock, cancel: (url) => ({ method: "DELETE", url: new URL(url).pathname }) },
  );
  await clock.runUntilSettled(poller.cancelOperation());
  expect(requestLog.map(([, line]) => line)).toContain("DELETE /ops/7");
  const { operation } = poller.toJSON();
  expect(operation).toMatchObject({
    pollingLocation: { cancel: { method: "DELETE", url: `${endpoint}/ops/7` } },
  });
});

test("a deployment that is started through an SDK's pipeline knows its cancel", async () => {
  const url = `${endpoint}${arm}/Microsoft.Resources/deployments/d?api-version=1`;
  const elsewhere = `${endpoint}/subscriptions/s/elsewhere/1?api-version=1`;
  const { clock, httpClient, requestLog } = simulate(
    { status: 201, headers: { "azure-asyncoperation": elsewhere } },
    running,
    { status: 204 },
    canceled,
  );
  const pipeline = createEmptyPipeline();
  const poller = startOperation({ method: "PUT", url }, { pipeline, httpClient, clock });
  await clock.runUntilSettled(poller.cancelOperation());
  const line = `POST ${arm}/Microsoft.Resources/deployments/d/cancel?api-version=1`;
  expect(requestLog.map(([, request]) => request)).toContain(line);
  // The URL to poll does not tell it.
  expect(JSON.stringify(poller)).toContain("/deployments/d/cancel?");
});

test("an operation that did not start has nothing to cancel", async () => {
  const { clock, httpClient, requestLog } = simulate({ status: 400 });
  const client = new LroClient(endpoint, undefined, { httpClient });
  const poller = client.startOperation({ method: "POST", url: "/ops" }, { clock, cancel: stop });
  const call = clock.runUntilSettled(poller.cancelOperation());
  await expect(call).rejects.toBeInstanceOf(OperationStartError);
  expect(requestLog).toEqual([[0, "POST /ops"]]);
});

test("before the initial response an operation may turn out to have no cancel", async () => {
  const { clock, httpClient } = simulate(
    { status: 202, headers: { "operation-location": `${endpoint}/ops/7` } },
    running,
  );
  const client = new LroClient(endpoint, undefined, { httpClient });
  const poller = client.startOperation({ method: "POST", url: "/ops" }, { clock });
  const call = clock.runUntilSettled(poller.cancelOperation());
  await expect(call).rejects.toMatchObject({ code: "CancelNotSupported" });
});

test.each<[unknown, string]>([
  [{ method: "POST", url: "https://other.example/x" }, "cancel.url: expected the client's origin"],
  [{ method: "GET", url: "/x" }, "cancel.method: expected one of DELETE, PATCH, POST, PUT, got"],
  ["/x", "cancel: expected a request with method and url, or a function that returns one, got"],
])("the option cancel %j is wrong before anything is sent", (cancel, message) => {
  const client = new LroClient(endpoint);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const options = { cancel: cancel as CancelRequest };
  expect(() => client.operationAt("/ops/1", options)).toThrow(message);
  expect(() => client.startOperation({ method: "POST", url: "/ops" }, options)).toThrow(message);
});

test("a token whose cancel leads elsewhere is refused", () => {
  const client = new LroClient(endpoint);
  const token = tokenOf(client.operationAt("/ops/1", { cancel: stop }));
  const stolen = token.replace(`${endpoint}/ops/1:cancel`, "https://other.example/x");
  expect(() => client.resume(stolen)).toThrow(
    "token.operation.pollingLocation.cancel.url: expected the client's origin",
  );
});

test("a function that leads elsewhere sends nothing", async () => {
  const { clock, httpClient, requestLog } = simulate(running, running);
  const cancel = (): CancelRequest => ({ method: "POST", url: "https://other.example/x" });
  const client = new LroClient(endpoint, undefined, { httpClient });
  const call = createPoller(client.operationAt("/ops/1", { cancel }), { clock }).cancelOperation();
  const error: unknown = await clock.runUntilSettled(call).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RequestError);
  expect(error).toMatchObject({ message: expect.stringContaining("cancel().url: expected the client's") });
  expect(new Set(requestLog.map(([, line]) => line))).toEqual(new Set(["GET /ops/1"]));
});

test("a lost response is not repeated, and an unreachable service is tried again", async () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const lost = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
  let cancels = 0;
  const reply = ({ method }: { method: string }): typeof running | Error => {
    if (method === "GET") return cancels < 3 ? running : canceled;
    return ++cancels < 3 ? refused : lost;
  };
  const { clock, httpClient, requestLog } = simulate(...Array.from({ length: 20 }, () => reply));
  const client = new LroClient(endpoint, undefined, { httpClient });
  const poller = createPoller(client.operationAt("/ops/1", { cancel: stop }), { clock });
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toMatchObject({ outcome: "canceled", error: { code: "ECONNRESET" } });
  expect(result.error?.message).toBe("The response to the cancel request was lost: socket hang up");
  const sentAt = requestLog.filter(([, line]) => line.startsWith("POST")).map(([time]) => time);
  expect(sentAt).toEqual([0, 1000, 3000]);
});
