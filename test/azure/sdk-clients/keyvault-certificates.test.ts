import { CertificateClient } from "@azure/keyvault-certificates";
import { expect, test } from "vitest";
import { fromPollerLike, pollUntilDone, startOperation } from "lro-poller";
import type { OperationServer } from "lro-poller/testing";
import { CountingCredential } from "../../support/credential.ts";
import { clientOptions, responsesOf, serve, withoutLimits } from "./support.ts";

const succeeded = { status: "Succeeded" } as const;
const policy = { issuerName: "Self", subject: "CN=example" };
// The first request has neither a token nor a body: its 401 names the audience.
const responses = ["POST 401", "POST 202", "poll 1 200", "poll 2 200", "poll 3 200", "GET 200"];

function clientOf({ endpoint }: OperationServer): CertificateClient {
  return new CertificateClient(endpoint, new CountingCredential(), {
    ...clientOptions,
    disableChallengeResourceVerification: true,
  });
}

test("creates a certificate by the client's own poller", async () => {
  const server = await serve("key-vault", succeeded);
  const poller = await clientOf(server).beginCreateCertificate("c1", policy, { intervalInMs: 1 });
  const certificate = await poller.pollUntilDone();
  expect(certificate).toMatchObject({ name: "c1", properties: { enabled: true } });
  expect(certificate.policy).toMatchObject(policy);
  expect(responsesOf(server)).toEqual(responses);
});

test("creates a certificate by fromPollerLike", async () => {
  const server = await serve("key-vault", succeeded);
  const poller = await clientOf(server).beginCreateCertificate("c1", policy, { intervalInMs: 1 });
  expect(await pollUntilDone(fromPollerLike(poller), withoutLimits())).toMatchObject({ name: "c1" });
  expect(responsesOf(server)).toEqual(responses);
});

test("creates a certificate by startOperation, over the client's pipeline", async () => {
  const server = await serve("key-vault", succeeded);
  const { pipeline } = clientOf(server)["client"];
  const url = `${server.endpoint}/certificates/c1/create?api-version=7.6`;
  const request = { method: "POST", url, body: { policy: { issuer: { name: "Self" } } } } as const;
  const result = await startOperation(request, { pipeline, ...withoutLimits() }).pollUntilDone();
  expect(result).toMatchObject({ status: "completed", target: `${server.endpoint}/certificates/c1` });
  expect(responsesOf(server)).toEqual(responses.slice(0, -1));
});
