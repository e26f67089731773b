import { describe, expect, test } from "vitest";
import { LroClient, OperationStatusesClient, createPoller } from "lro-poller";
import type { Poller } from "lro-poller";
import { ambiguousHosts, audienceOfHost } from "../../../src/azure/http/audiences.ts";
import { CountingCredential } from "../../support/credential.ts";
import { rejection, settled } from "../../support/rejections.ts";
import { simulate } from "../lro/support.ts";
import type { Simulated, Simulation } from "../lro/support.ts";

const over: Simulated = { status: 200, body: { status: "Succeeded", properties: 1 } };

interface Visit {
  readonly service: Simulation;
  readonly credential: CountingCredential;
  readonly poller: Poller;
}

/** A poller of an operation at a URL, by a client of its origin. */
function visit(endpoint: string, url: string, ...replies: Simulated[]): Visit {
  const service = simulate(...replies);
  const credential = new CountingCredential();
  const client = new LroClient(endpoint, credential, { httpClient: service.httpClient });
  return { service, credential, poller: createPoller(client.operationAt(url), { clock: service.clock }) };
}

/** `.vault.azure.net` stands for any host below it. */
function hostOf(name: string): string {
  return name.startsWith(".") ? `my-account.we${name}` : name;
}

/** Hosts that only look like one of Azure's. */
function lookalikesOf(host: string): string[] {
  return [
    `https://${host}.evil.example`,
    `https://${host}@evil.example`,
    `https://evil.example/${host}`,
    `https://${host}:8443`,
    `https://${host}.`,
    `https://evil-${host.replaceAll(".", "-")}.example`,
    // Cyrillic letters
    `https://${host.replaceAll("a", "а").replaceAll("o", "о").replaceAll("e", "е")}`,
  ];
}

describe.each([...audienceOfHost])("a token for %s", (name, audience) => {
  const host = hostOf(name);

  test("goes to the host, at the usual port, for its audience", async () => {
    for (const endpoint of [`https://${host}`, `https://${host.toUpperCase()}:443/`]) {
      const { service, credential, poller } = visit(endpoint, "/operations/1", over);
      await service.clock.runUntilSettled(poller.pollUntilDone());
      expect(credential.calls).toMatchObject([{ scopes: [`${audience}/.default`] }]);
      expect(service.requests[0]?.headers.get("authorization")).toBe("Bearer token-1");
    }
  });

  test.each(lookalikesOf(host))("does not go to %s", (endpoint) => {
    expect(() => visit(endpoint, "/operations/1")).toThrow(/^(scopes|endpoint): expected/);
  });

  test.each(lookalikesOf(host))("does not follow a monitor to %s", async (elsewhere) => {
    const service = simulate({
      status: 202,
      headers: { "operation-location": `${elsewhere}/operations/1?sig=SECRET` },
    });
    const credential = new CountingCredential();
    const client = new LroClient(`https://${host}`, credential, { httpClient: service.httpClient });
    const poller = client.startOperation({ method: "POST", url: "/act" }, { clock: service.clock });
    const error = await service.clock.runUntilSettled(rejection(poller.pollUntilDone()));
    expect(error).toMatchObject({ code: expect.stringMatching(/OriginRefused|ContractError/) });
    expect(String(error)).not.toContain("SECRET");
    expect(service.requests).toHaveLength(1);
  });
});

test.each([...ambiguousHosts])("a client for %s has to name its scopes, and may", async (name, audiences) => {
  const endpoint = `https://${hostOf(name)}`;
  expect(() => visit(endpoint, "/operations/1")).toThrow(`scopes: expected the scopes of the token, because`);
  for (const audience of audiences) expect(() => visit(endpoint, "/operations/1")).toThrow(audience);
  const service = simulate(over);
  const credential = new CountingCredential();
  const options = { httpClient: service.httpClient, scopes: ["https://ai.azure.com/.default"] };
  const client = new LroClient(endpoint, credential, options);
  const poller = createPoller(client.operationAt("/operations/1"), { clock: service.clock });
  await service.clock.runUntilSettled(poller.pollUntilDone());
  expect(credential.calls).toMatchObject([{ scopes: ["https://ai.azure.com/.default"] }]);
});

test.each([
  "https://devcenter.azure.com.evil.example",
  "https://evildevcenter.azure.com",
  "https://gateway.example",
  "https://management.azure.com",
])("a client for DevCenter sends no token to %s, unless its scopes say so", (endpoint) => {
  const credential = new CountingCredential();
  expect(() => new OperationStatusesClient(endpoint, credential)).toThrow(/^scopes: expected/);
  const scopes = "https://devcenter.azure.com/.default";
  expect(new OperationStatusesClient(endpoint, credential, { scopes })).toBeInstanceOf(LroClient);
  expect(new OperationStatusesClient(endpoint)).toBeInstanceOf(LroClient);
});

test.each<[unknown, RegExp]>([
  ["", /^scopes: expected/],
  [[], /^scopes: expected/],
  [[7], /^scopes: expected/],
  [7, /^scopes: expected/],
])("scopes %j are rejected", (scopes, message) => {
  // @ts-expect-error A caller in JavaScript has no types.
  expect(() => new LroClient("https://gateway.example", new CountingCredential(), { scopes })).toThrow(
    message,
  );
});

const otherCloud = "https://management.usgovcloudapi.net/operations/1";

test.each([
  ["https://management.azure.com", "https://eastus.management.azure.com/operations/1*a-b?t=1", true],
  ["https://management.azure.com", "https://management.azure.com:443/operations/1", true],
  ["https://eastus2euap.management.azure.com", "https://management.azure.com/operations/1", true],
  ["https://management.azure.com", otherCloud, false],
  ["https://management.azure.com", "https://graph.microsoft.com/operations/1", false],
  ["https://my.vault.azure.net", "https://other.vault.azure.net/operations/1", false],
])("a monitor of %s at %s is followed: %s", async (endpoint, monitor, isFollowed) => {
  const service = simulate({ status: 202, headers: { "azure-asyncoperation": monitor } }, over);
  const client = new LroClient(endpoint, new CountingCredential(), { httpClient: service.httpClient });
  const poller = client.startOperation({ method: "POST", url: "/act" }, { clock: service.clock });
  const result: unknown = await service.clock.runUntilSettled(settled(poller.pollUntilDone()));
  expect(service.urls.slice(1)).toEqual(isFollowed ? [monitor] : []);
  if (isFollowed) expect(service.requests[1]?.headers.get("authorization")).toBe("Bearer token-1");
  else expect(result).toMatchObject({ code: "OriginRefused" });
});

test.each([
  "https://contoso.sharepoint.com/_api/v2.0/monitor/4A3407B5?tempauth=x",
  "https://api.onedrive.com/monitor/1",
])("Microsoft Graph's monitor of a copy, %s, gets no token", async (monitor) => {
  const service = simulate(
    { status: 202, headers: { location: monitor } },
    { status: 202, body: { operation: "ItemCopy", percentageComplete: 27.8, status: "inProgress" } },
    { status: 202, body: { percentageComplete: 100, resourceId: "01MOWKYV", status: "completed" } },
  );
  const credential = new CountingCredential();
  const client = new LroClient("https://graph.microsoft.com", credential, { httpClient: service.httpClient });
  const poller = client.startOperation({ method: "POST", url: "/v1.0/copy" }, { clock: service.clock });
  await service.clock.runUntilSettled(poller.pollUntilDone());
  expect(service.requests.map(({ headers }) => headers.get("authorization"))).toEqual([
    "Bearer token-1",
    undefined,
    undefined,
  ]);
});

test("Fabric's operation is polled at its API's own host", async () => {
  const id = "431e8d7b-4a95-4c02-8ccd-6faef5ba1bd7";
  const redirect = `https://wabi-west-europe-redirect.analysis.windows.net/v1/operations/${id}`;
  const own = `https://api.fabric.microsoft.com/v1/operations/${id}`;
  const at = (location: string): Record<string, string> => ({ location, "x-ms-operation-id": id });
  const service = simulate(
    { status: 202, headers: at(redirect) },
    { status: 200, headers: at(redirect), body: { status: "Undefined", percentComplete: null } },
    { status: 200, headers: at(`${redirect}/result`), body: { status: "Succeeded", error: null } },
    { status: 200, body: { definition: [] } },
  );
  const options = { httpClient: service.httpClient };
  const client = new LroClient("https://api.fabric.microsoft.com", new CountingCredential(), options);
  const poller = client.startOperation({ method: "POST", url: "/v1/act" }, { clock: service.clock });
  expect(await service.clock.runUntilSettled(poller.pollUntilDone())).toEqual({ definition: [] });
  expect(service.urls.slice(1)).toEqual([own, own, `${own}/result`]);
});

test("Fabric's operation at a host of a region is polled at the API's own host by URL", () => {
  const client = new LroClient("https://api.fabric.microsoft.com", new CountingCredential());
  const redirect = "https://wabi-west-europe-redirect.analysis.windows.net";
  const monitorUrl = "https://api.fabric.microsoft.com/v1/operations/1";
  expect(client.operationAt(`${redirect}/v1/operations/1`).toJSON?.()).toMatchObject({
    pollingLocation: { monitorUrl },
  });
  expect(() => client.operationAt(`${redirect}/v1/items/1`)).toThrow("url: expected the client's origin");
  const other = new LroClient("https://graph.microsoft.com", new CountingCredential());
  expect(() => other.operationAt(`${redirect}/v1/operations/1`)).toThrow("url: expected the client's origin");
});
