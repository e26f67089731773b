import { describe, expect, onTestFinished, test } from "vitest";
import { OperationStatusesClient, PollingError, pollUntilDone } from "lro-poller";
import type { FailedPoll } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer, OperationServerOptions } from "lro-poller/testing";
import { fast } from "../azure/lro/support.ts";
import { rejection } from "../support/rejections.ts";
import { createCertificate } from "../support/tls.ts";
import type { CertificateFlaws } from "../support/tls.ts";

const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";

async function serve(options: OperationServerOptions = {}): Promise<OperationServer> {
  const server = await startOperationServer(options);
  onTestFinished(() => server.close());
  const timeline = [
    { status: "Running", polls: 3 },
    { status: "Succeeded", properties: "done" },
  ];
  server.addOperation({ operationId, timeline });
  return server;
}

test("a name that does not resolve is retried, and then ends the wait", async () => {
  const client = new OperationStatusesClient("https://dev.invalid");
  const wait = pollUntilDone(
    client.operation("myProject", operationId),
    fast({ outageToleranceInMs: 10_000 }),
  );
  const failure = await rejection(wait, PollingError);
  expect(failure).toMatchObject({
    // The second one on a machine without a name server.
    code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    message: expect.stringContaining("dev.invalid"),
  });
  expect(failure.pollCount).toBeGreaterThan(1);
});

describe("a certificate that", () => {
  test.each<[string, CertificateFlaws, string, string]>([
    [
      "is not valid yet",
      { validFrom: new Date(Date.now() + 86_400_000) },
      "CERT_NOT_YET_VALID",
      "certificate is not yet valid",
    ],
    ["is for clients only", { isForClients: true }, "INVALID_PURPOSE", "unsuitable certificate purpose"],
  ])("%s is reported at once", async (_, options, code, text) => {
    const tls = await createCertificate(options);
    const server = await serve({ tls });
    const client = new OperationStatusesClient(server.endpoint, undefined, { tlsOptions: { ca: tls.cert } });
    const failure = await rejection(pollUntilDone(client.operation("myProject", operationId), fast()));
    expect(failure).toMatchObject({
      name: "PollingError",
      code,
      pollCount: 1,
      message: `Polling operation ${operationId} failed: ${text}.`,
    });
    expect(server.requests).toEqual([]);
  });
});

test("a server that comes online after the third failed poll is waited for", async () => {
  const server = await serve();
  await server.goOffline();
  const failures: (string | undefined)[] = [];
  const onFailedPoll = ({ error }: FailedPoll): void => {
    failures.push(error.code);
    if (failures.length === 3) void server.goOnline();
  };
  const operation = new OperationStatusesClient(server.endpoint).operation("myProject", operationId);
  expect(await pollUntilDone(operation, fast({ onFailedPoll }))).toBe("done");
  expect(failures.slice(0, 3)).toEqual(["ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED"]);
});

test("a server that restarts after every response, at the same port, is polled to the end", async () => {
  const server = await serve();
  const restarts: Promise<void>[] = [];
  const onProgress = (): void => {
    restarts.push(server.goOffline().then(() => server.goOnline()));
  };
  const operation = new OperationStatusesClient(server.endpoint).operation("myProject", operationId);
  expect(await pollUntilDone(operation, fast({ onProgress }))).toBe("done");
  await Promise.all(restarts);
  expect(restarts).toHaveLength(4);
});
