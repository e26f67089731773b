import type { AccessToken, GetTokenOptions } from "@azure/core-auth";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { OperationStatusesClient, fixed, pollUntilDone } from "lro-poller";
import { CountingCredential } from "../../support/credential.ts";
import { microtasks, rejection } from "../../support/rejections.ts";
import { simulate } from "../lro/support.ts";
import type { Simulated, SimulatedReply, Simulation } from "../lro/support.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const endpoint = "https://dev.devcenter.azure.com";
const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
const otherClaims = '{"access_token":{"nbf":{"essential":true,"value":"2"}}}';

function statusOf(status: string): Simulated {
  const id = `/projects/myProject/operationstatuses/${operationId}`;
  return { status: 200, body: { id, name: operationId, status } };
}

const running = statusOf("Running");
const succeeded = statusOf("Succeeded");

function challenge(requested: string): Simulated {
  const header = `Bearer realm="", error="insufficient_claims", claims="${btoa(requested)}"`;
  return { status: 401, headers: { "www-authenticate": header } };
}

function clientOf({ httpClient }: Simulation, credential: CountingCredential): OperationStatusesClient {
  return new OperationStatusesClient(endpoint, credential, { httpClient });
}

function tokensSent({ requests }: Simulation): (string | undefined)[] {
  return requests.map(({ headers }) => headers.get("authorization")?.replace("Bearer ", ""));
}

/** Its tokens are renewed with each request, because they expire in a minute. */
function shortLived(): CountingCredential {
  return new CountingCredential(60_000);
}

function claimsOf({ calls }: CountingCredential): (string | undefined)[] {
  return calls.map((call) => call.claims);
}

beforeEach(() => {
  // Timers stay real, or virtual.
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a claims challenge", () => {
  test.each<[string, (renewal: PromiseWithResolvers<AccessToken>) => void]>([
    ["gives", ({ resolve }) => resolve({ token: "stale", expiresOnTimestamp: Date.now() + 60_000 })],
    ["fails to give", ({ reject }) => reject(new Error("login.example is down"))],
  ])("during a renewal in the background that %s a token gets one with the claims", async (_, settle) => {
    const service = simulate(running, challenge(claims), running);
    const credential = shortLived();
    const client = clientOf(service, credential);
    await client.getOperationStatus("myProject", operationId);
    const renewal = Promise.withResolvers<AccessToken>();
    credential.failsLater = renewal;
    const status = client.getOperationStatus("myProject", operationId);
    await microtasks(100);
    expect(service.requestLog).toHaveLength(2);
    credential.failsLater = undefined;
    settle(renewal);
    expect(await status).toMatchObject({ status: "Running" });
    expect(claimsOf(credential)).toEqual([undefined, undefined, claims]);
    expect(tokensSent(service)).toEqual(["token-1", "token-1", "token-3"]);
  });

  test("of two polls at the same time gets one token for both", async () => {
    const service = simulate(running, challenge(claims), challenge(claims), running, running);
    const credential = new CountingCredential();
    const client = clientOf(service, credential);
    await client.getOperationStatus("myProject", operationId);
    await Promise.all([
      client.getOperationStatus("myProject", operationId),
      client.getOperationStatus("myProject", operationId),
    ]);
    expect(claimsOf(credential)).toEqual([undefined, claims]);
    expect(tokensSent(service)).toEqual(["token-1", "token-1", "token-1", "token-2", "token-2"]);
  });

  test("that comes when another poll has the token for it already gets the same", async () => {
    const late = Promise.withResolvers<Simulated>();
    const service = simulate(running, () => late.promise, challenge(claims), running, running);
    const credential = new CountingCredential();
    const client = clientOf(service, credential);
    await client.getOperationStatus("myProject", operationId);
    const first = client.getOperationStatus("myProject", operationId);
    await client.getOperationStatus("myProject", operationId);
    late.resolve(challenge(claims));
    await first;
    expect(claimsOf(credential)).toEqual([undefined, claims]);
    expect(tokensSent(service)).toEqual(["token-1", "token-1", "token-1", "token-2", "token-2"]);
  });

  test("with other claims than that of a poll at the same time gets a token that both can use", async () => {
    const service = simulate(running, challenge(claims), challenge(otherClaims), running, running);
    const credential = new CountingCredential();
    const client = clientOf(service, credential);
    await client.getOperationStatus("myProject", operationId);
    await Promise.all([
      client.getOperationStatus("myProject", operationId),
      client.getOperationStatus("myProject", operationId),
    ]);
    expect(claimsOf(credential).at(-1)).toBe(otherClaims);
    expect(tokensSent(service)).toHaveLength(5);
  });

  test("whose token is not to be had for now is a failed poll, and the next one asks again with the claims", async () => {
    const service = simulate(running, challenge(claims), running, succeeded);
    const credential = new CountingCredential();
    const operation = clientOf(service, credential).operation("myProject", operationId);
    const failures: string[] = [];
    const wait = pollUntilDone(operation, {
      clock: service.clock,
      schedule: fixed(1000),
      onProgress: ({ pollCount }) => {
        if (pollCount === 1) credential.failWith = new Error("login.example is down");
      },
      onFailedPoll: ({ error }) => {
        failures.push(error.code);
        if (failures.length === 2) credential.failWith = undefined;
      },
    });
    await service.clock.runUntilSettled(wait);
    expect(failures).toEqual(["CredentialError", "CredentialError"]);
    expect(claimsOf(credential)).toEqual([undefined, claims, claims, claims]);
    expect(tokensSent(service)).toEqual(["token-1", "token-1", "token-4", "token-4"]);
  });

  test("of the fresh token gets another one", async () => {
    const service = simulate({ status: 401 }, challenge(claims), running);
    const credential = new CountingCredential();
    await clientOf(service, credential).getOperationStatus("myProject", operationId);
    expect(claimsOf(credential)).toEqual([undefined, undefined, claims]);
    expect(tokensSent(service)).toEqual(["token-1", "token-2", "token-3"]);
  });

  const encoded = btoa(claims);
  const bearer = `Bearer realm="", error="insufficient_claims", claims="${encoded}"`;

  test.each<[string, string, string | undefined]>([
    ["after one of another scheme", `PoP nonce="a", ${bearer}`, claims],
    ["before one of another scheme", `${bearer}, PoP nonce="a"`, claims],
    ["after one for another reason", `Bearer error="invalid_token", ${bearer}`, claims],
    ["with an unquoted parameter", bearer.replace('realm=""', "realm=x"), claims],
    ["for another reason", `Bearer error="invalid_token", claims="${encoded}"`, undefined],
    ["of another scheme", bearer.replace("Bearer", "PoP"), undefined],
    ["without claims", 'Bearer error="insufficient_claims"', undefined],
    ["with claims that are not in Base64", bearer.replace(encoded, "%"), undefined],
  ])("%s has the claims, or none", async (_, header, expected) => {
    const service = simulate({ status: 401, headers: { "www-authenticate": header } }, running);
    const credential = new CountingCredential();
    await clientOf(service, credential).getOperationStatus("myProject", operationId);
    expect(claimsOf(credential)).toEqual([undefined, expected]);
  });
});

/** A credential that counts the calls that have not settled. */
class WatchedCredential extends CountingCredential {
  unsettled = 0;
  mostUnsettled = 0;

  override getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    this.unsettled++;
    this.mostUnsettled = Math.max(this.mostUnsettled, this.unsettled);
    return super.getToken(scopes, options).finally(() => this.unsettled--);
  }
}

describe("an identity service that hangs", () => {
  const waits = 300;

  function waitWith(credential: CountingCredential): { service: Simulation; all: Promise<unknown[]> } {
    const replies: SimulatedReply[] = Array.from({ length: waits }, () => succeeded);
    const service = simulate(...replies);
    const client = clientOf(service, credential);
    const options = { clock: service.clock, requestTimeoutInMs: 500 };
    const all = Array.from({ length: waits }, () =>
      pollUntilDone(client.operation("myProject", operationId), options),
    );
    return { service, all: Promise.all(all) };
  }

  test.each([true, "deaf"] as const)(
    "has one call at a time for all waits, and they succeed when it is back (%s)",
    async (hangs) => {
      const credential = new WatchedCredential();
      credential.hangs = hangs;
      const { service, all } = waitWith(credential);
      await service.clock.advance(6000);
      expect(credential.mostUnsettled).toBe(1);
      credential.hangs = false;
      vi.setSystemTime(Date.now() + 120_000);
      expect(await service.clock.runUntilSettled(all)).toHaveLength(waits);
      expect(new Set(tokensSent(service)).size).toBe(1);
    },
  );

  test("gets another call after two minutes although the first one never settles", async () => {
    const credential = new WatchedCredential();
    credential.hangs = "deaf";
    const { service } = waitWith(credential);
    for (const expected of [1, 1, 2, 2, 3]) {
      await service.clock.advance(30_000);
      expect(credential.calls).toHaveLength(expected);
      vi.setSystemTime(Date.now() + 60_000);
    }
    expect(credential.calls[0]?.abortSignal?.aborted).toBe(true);
  });

  test("keeps its call for the other waits when one is aborted", async () => {
    const credential = new CountingCredential();
    credential.failsLater = Promise.withResolvers();
    const service = simulate(running);
    const client = clientOf(service, credential);
    const controller = new AbortController();
    const { signal: abortSignal } = controller;
    const one = rejection(client.getOperationStatus("myProject", operationId, { abortSignal }));
    const other = client.getOperationStatus("myProject", operationId);
    await microtasks(40);
    controller.abort("enough");
    expect(await one).toBe("enough");
    expect(credential.calls[0]?.abortSignal?.aborted).toBe(false);
    credential.failsLater.resolve({ token: "token", expiresOnTimestamp: Date.now() + 3_600_000 });
    expect(await other).toMatchObject({ status: "Running" });
    expect(credential.calls).toHaveLength(1);
  });
});
