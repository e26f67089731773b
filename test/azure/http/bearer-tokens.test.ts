import { bearerTokenAuthenticationPolicy, createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { OperationStatusesClient, PollingError, fixed, startOperation, systemClock } from "lro-poller";
import type { StartOperationOptions, StartedPoller } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer } from "lro-poller/testing";
import { fastClock } from "../../support/clock.ts";
import { CountingCredential } from "../../support/credential.ts";
import { rejection } from "../../support/rejections.ts";
import { createCertificate } from "../../support/tls.ts";

const certificate = createCertificate();
const minuteInMs = 60_000;
const polls = 24;

let server: OperationServer;
let credential: CountingCredential;
let tlsOptions: { readonly ca: string };

/** A service that accepts no token that has expired or was revoked. */
beforeEach(async () => {
  const tls = await certificate;
  tlsOptions = { ca: tls.cert };
  credential = new CountingCredential();
  const timeline = [{ status: "Running", polls }, { status: "Succeeded" }];
  server = await startOperationServer({
    tls,
    requireAuthorization: (token) => credential.isValid(token),
    onInitialRequest: () => ({ timeline }),
  });
  onTestFinished(() => server.close());
  // Sockets and timers stay real.
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(() => {
  vi.useRealTimers();
});

const path = "/projects/myProject/users/me/devboxes/b1?api-version=2025-02-01";
type Start = (options?: StartOperationOptions) => StartedPoller;

function settings(options: StartOperationOptions = {}): StartOperationOptions {
  const clock = fastClock(systemClock);
  return { schedule: fixed(1000), requestTimeoutInMs: Infinity, clock, ...options };
}

function startByClient(options?: StartOperationOptions): StartedPoller {
  const client = new OperationStatusesClient(server.endpoint, credential, { tlsOptions });
  return client.startOperation({ method: "PUT", url: path, body: {} }, settings(options));
}

function startByPipeline(options?: StartOperationOptions): StartedPoller {
  const pipeline = createPipelineFromOptions({ tlsOptions });
  pipeline.addPolicy(
    bearerTokenAuthenticationPolicy({ credential, scopes: "https://dev.devcenter.azure.com/.default" }),
  );
  const request = { method: "PUT", url: `${server.endpoint}${path}`, body: {} } as const;
  return startOperation(request, { ...settings(options), pipeline });
}

function responseStatuses(): (number | undefined)[] {
  return server.requests.map(({ responseStatus }) => responseStatus);
}

function tokensSent(): (string | undefined)[] {
  return server.requests.map(({ headers }) => headers.authorization?.replace("Bearer ", ""));
}

describe.each<[string, Start]>([
  ["a client", startByClient],
  ["a pipeline that signs", startByPipeline],
])("the token of %s", (_, start) => {
  test.each([7, 31, 61])(
    "is replaced before its hour is over, with a poll every %i minutes",
    async (minutes) => {
      const onProgress = (): void => void vi.setSystemTime(Date.now() + minutes * minuteInMs);
      await start({ onProgress }).pollUntilDone();
      expect(responseStatuses().filter((status) => status === 401)).toEqual([]);
      expect(new Set(tokensSent()).size).toBeGreaterThan(2);
    },
  );

  test("stays the same while it is valid", async () => {
    await start().pollUntilDone();
    expect(new Set(tokensSent())).toEqual(new Set(["token-1"]));
    expect(credential.calls).toHaveLength(1);
  });

  test("is renewed once for a claims challenge in the middle of the wait", async () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    const onProgress = ({ pollCount }: { pollCount: number }): void => {
      if (pollCount === 3) server.failNext({ kind: "unauthorized", claims });
    };
    await start({ onProgress }).pollUntilDone();
    expect(responseStatuses().filter((status) => status === 401)).toHaveLength(1);
    expect(credential.calls).toMatchObject([{}, { claims, enableCae: true }]);
    expect(new Set(tokensSent().slice(-polls + 4))).toEqual(new Set(["token-2"]));
  });

  test("is not renewed again for the same claims challenge", async () => {
    const poller = start();
    await poller.poll();
    server.failNext({ kind: "unauthorized", claims: "{}" }, 100);
    const failure = await rejection(poller.pollUntilDone(), PollingError);
    expect(failure).toMatchObject({ statusCode: 401, code: "Unauthorized" });
    expect(credential.calls).toHaveLength(2);
  });
});

describe("a token that the service revokes before it expires", () => {
  test("is replaced by a client, once", async () => {
    const onProgress = ({ pollCount }: { pollCount: number }): void => {
      if (pollCount === 3) credential.revoke("token-1");
    };
    await startByClient({ onProgress }).pollUntilDone();
    expect(responseStatuses().filter((status) => status === 401)).toHaveLength(1);
    expect(credential.calls).toHaveLength(2);
  });

  test("is replaced by a client, although the challenge has claims in another form than Azure's", async () => {
    const poller = startByClient();
    await poller.poll();
    const challenge = 'Bearer error="invalid_token", claims="e30="';
    server.failNext({ kind: "unauthorized", challenge });
    await poller.pollUntilDone();
    expect(credential.calls).toHaveLength(2);
    expect(credential.calls[1]).not.toHaveProperty("claims");
  });

  test("ends a wait through a pipeline, whose credential the library does not have", async () => {
    const poller = startByPipeline();
    await poller.poll();
    credential.revoke("token-1");
    expect(await rejection(poller.pollUntilDone(), PollingError)).toMatchObject({ statusCode: 401 });
  });
});
