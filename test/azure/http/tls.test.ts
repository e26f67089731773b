import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  OperationStartError,
  OperationStatusesClient,
  PollingError,
  fixed,
  pollUntilDone,
  systemClock,
} from "lro-poller";
import type { PollOptions } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer, OperationServerOptions } from "lro-poller/testing";
import { runCli, temporaryFolder } from "../../cli/run-cli.ts";
import { fastClock } from "../../support/clock.ts";
import { CountingCredential } from "../../support/credential.ts";
import { rejection } from "../../support/rejections.ts";
import { startProxy } from "../../support/proxy.ts";
import { createCertificate, trust } from "../../support/tls.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const path = `/projects/myProject/operationstatuses/${operationId}`;

const good = await createCertificate();
const expired = await createCertificate({ expiredAt: new Date(Date.now() - 86_400_000) });
const ofAnotherHost = await createCertificate({ host: "127.0.0.2" });
const ofLocalhost = await createCertificate({ host: "localhost" });
const unknown = await createCertificate();
// Trusted by this process, so that only the defect of a certificate prevents a request.
afterAll(trust(good, expired, ofAnotherHost, ofLocalhost));

async function serve(options: OperationServerOptions): Promise<OperationServer> {
  const server = await startOperationServer(options);
  onTestFinished(() => server.close());
  server.addOperation({ operationId, timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }] });
  return server;
}

function clientOf({ endpoint }: OperationServer): OperationStatusesClient {
  return new OperationStatusesClient(endpoint, new CountingCredential());
}

/** Has no time limits. */
function withoutLimits(): PollOptions {
  const clock = fastClock(systemClock);
  return { clock, schedule: fixed(1000), requestTimeoutInMs: Infinity, outageToleranceInMs: Infinity };
}

describe.each([
  ["has expired", expired, "CERT_HAS_EXPIRED"],
  ["is another host's", ofAnotherHost, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["no authority has signed", unknown, "DEPTH_ZERO_SELF_SIGNED_CERT"],
])("a certificate that %s", (_, tls, code) => {
  test("ends a wait at once", async () => {
    const server = await serve({ tls });
    const wait = pollUntilDone(clientOf(server).operation("myProject", operationId), withoutLimits());
    expect(await rejection(wait, PollingError)).toMatchObject({ code, pollCount: 1 });
    expect(server.requests).toEqual([]);
  });

  test("ends an initial request at once", async () => {
    const server = await serve({ tls });
    const poller = clientOf(server).createDevBox(
      "myProject",
      "me",
      "my-box",
      { poolName: "p" },
      withoutLimits(),
    );
    expect(await rejection(poller.pollUntilDone(), OperationStartError)).toMatchObject({
      code,
      cause: { kind: "permanent" },
    });
    expect(server.requests).toEqual([]);
  });
});

test("a valid certificate lets the credential through", async () => {
  const server = await serve({ tls: good });
  await pollUntilDone(clientOf(server).operation("myProject", operationId), withoutLimits());
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(
    Array.from({ length: 2 }, () => "Bearer token-1"),
  );
});

describe("a proxy", () => {
  const clientBehind = (proxyPort: number, { endpoint }: OperationServer): OperationStatusesClient => {
    const own = { host: "http://127.0.0.1", port: proxyPort, username: "me", password: "TOPSECRET" };
    // Its agent checks the names of hosts, but not their addresses.
    const byName = endpoint.replace("127.0.0.1", "localhost");
    return new OperationStatusesClient(byName, new CountingCredential(), { proxyOptions: own });
  };

  test("gets no credential but its own, and sees only the host", async () => {
    const server = await serve({ tls: ofLocalhost });
    const proxy = await startProxy();
    const client = clientBehind(proxy.port, server);
    expect(await client.getOperationStatus("myProject", operationId)).toMatchObject({ status: "Running" });
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer token-1"]);
    const [{ line, headers } = { line: "", headers: {} }] = proxy.requests;
    expect(line).toBe(`CONNECT localhost:${new URL(server.endpoint).port}`);
    expect(headers).not.toHaveProperty("authorization");
    expect(headers["proxy-authorization"]).toBe(`Basic ${btoa("me:TOPSECRET")}`);
  });

  test("that leads to another server is detected by the certificate", async () => {
    const server = await serve({ tls: ofLocalhost });
    const foreign = await serve({ tls: ofAnotherHost });
    const proxy = await startProxy(Number(new URL(foreign.endpoint).port));
    const client = clientBehind(proxy.port, server);
    const failure = await rejection(client.getOperationStatus("myProject", operationId), PollingError);
    expect(failure.code).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(foreign.requests).toEqual([]);
    expect(inspect(failure, { depth: Infinity, showHidden: true })).not.toContain("TOPSECRET");
  });

  test("of the environment gets no plain http request to this machine", async () => {
    const server = await serve({});
    const proxy = await startProxy();
    for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"]) {
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    }
    const client = new OperationStatusesClient(server.endpoint);
    expect(await client.getOperationStatus("myProject", operationId)).toMatchObject({ status: "Running" });
    expect(proxy.requests).toEqual([]);
  });
});

describe("the command", () => {
  const endpointOf = (server: OperationServer): string => server.endpoint;
  const locationOf = (server: OperationServer): string => `${server.endpoint}${path}`;
  const listOf = (server: OperationServer): string => {
    const file = join(temporaryFolder(), "ops.txt");
    writeFileSync(file, locationOf(server));
    return file;
  };
  const tokenOf = (server: OperationServer): string => {
    const names = { projectName: "myProject", operationId, apiVersion: "2025-02-01" };
    const operation = { endpoint: server.endpoint, ...names };
    return JSON.stringify({
      version: 1,
      operation,
      startedAt: Date.UTC(2025, 0, 1),
      savedAt: Date.UTC(2025, 0, 1),
      pollCount: 0,
      failedPollCount: 0,
    });
  };

  test.each<[string, (server: OperationServer) => string[]]>([
    ["a location", (server) => ["wait", locationOf(server)]],
    ["a location to poll once", (server) => ["status", locationOf(server)]],
    ["a location in a file", (server) => ["wait", "--from", listOf(server)]],
    [
      "an endpoint",
      (server) => [
        "wait",
        "--endpoint",
        endpointOf(server),
        "--project",
        "myProject",
        "--operation",
        operationId,
      ],
    ],
    ["a token", (server) => ["wait", "--resume", tokenOf(server)]],
  ])("sends a token to the host of %s only if that is allowed, else nothing", async (_, argvOf) => {
    const server = await serve({ tls: good });
    const credential = new CountingCredential();
    const loadCredential = (): Promise<CountingCredential> => Promise.resolve(credential);
    const argv = argvOf(server);
    for (const host of ["127.0.0.2", "localhost", "127.0.0.1:443", "0.0.1"]) {
      const rejected = await runCli([...argv, "--allow-host", host], { loadCredential });
      expect(rejected.exitCode).toBe(2);
      expect(rejected.stderr).toContain("is no host of an Azure service");
      expect(rejected.stderr).toContain("--allow-host 127.0.0.1 sends those of DevCenter");
    }
    expect(credential.calls).toEqual([]);
    expect(server.requests).toEqual([]);

    const allowed = await runCli([...argv, "--allow-host", "127.0.0.1"], { loadCredential });
    expect(allowed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(server.requests[0]?.headers.authorization).toBe("Bearer token-1");
  });

  test("sends a token of --scope to any host", async () => {
    const server = await serve({ tls: good });
    const credential = new CountingCredential();
    const loadCredential = (): Promise<CountingCredential> => Promise.resolve(credential);
    const argv = ["wait", "--scope", "mine", "--scope", "other", locationOf(server)];
    expect(await runCli(argv, { loadCredential })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(server.requests[0]?.headers.authorization).toBe("Bearer token-1");
    expect(credential.calls[0]?.scopes).toEqual(["mine", "other"]);
  });
});
