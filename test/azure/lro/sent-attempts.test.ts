import { createEmptyPipeline } from "@azure/core-rest-pipeline";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { LroClient, OperationStartError, startOperation } from "lro-poller";
import { CountingCredential } from "../../support/credential.ts";
import { rejection } from "../../support/rejections.ts";
import { simulate } from "./support.ts";
import type { Simulation } from "./support.ts";

const origin = "https://dev.devcenter.azure.com";
const request = { method: "POST", url: `${origin}/boxes/b1:start` } as const;
const withCode = (code: string): Error => Object.assign(new Error("broken"), { code });

async function startThrough(
  service: Simulation,
  ...policies: PipelinePolicy[]
): Promise<OperationStartError> {
  const { clock, httpClient } = service;
  const pipeline = createEmptyPipeline();
  for (const policy of policies) pipeline.addPolicy(policy);
  const poller = startOperation(request, { clock, httpClient, pipeline, random: () => 0 });
  return clock.runUntilSettled(rejection(poller.pollUntilDone(), OperationStartError));
}

describe("an attempt that the HTTP client did not get has started nothing:", () => {
  test.each<[string, Error, number]>([
    ["a connection that was reset", withCode("ECONNRESET"), 4],
    ["any error", new Error("the key vault is sealed"), 4],
    ["a TypeError", new TypeError("tenantId is not a string"), 1],
  ])("a policy has failed by %s", async (_, error, attempts) => {
    let calls = 0;
    const sendRequest = (): Promise<never> => {
      calls++;
      return Promise.reject(error);
    };
    const service = simulate();
    const failure = await startThrough(service, { name: "sign", sendRequest });
    expect(failure.mayHaveStarted).toBe(false);
    expect(failure.message).not.toContain("may have");
    expect(calls).toBe(attempts);
    expect(service.requestLog).toEqual([]);
  });

  test("a policy that never gets on", async () => {
    const service = simulate();
    const failure = await startThrough(service, { name: "sign", sendRequest: () => new Promise(() => {}) });
    expect(failure).toMatchObject({ code: "RequestTimeout", mayHaveStarted: false });
  });

  test("the first was rejected, and there is no other token", async () => {
    const credential = new CountingCredential();
    const service = simulate(() => {
      credential.failWith = withCode("ECONNRESET");
      return { status: 401 };
    });
    const { clock, httpClient } = service;
    const poller = new LroClient(origin, credential, { httpClient }).startOperation(request, {
      clock,
      startTimeoutInMs: 1000,
      random: () => 0,
    });
    const failure = await clock.runUntilSettled(rejection(poller.pollUntilDone(), OperationStartError));
    expect(failure.mayHaveStarted).toBe(false);
    expect(service.requestLog).toHaveLength(1);
  });
});

describe("an attempt that the HTTP client got", () => {
  test.each([
    ["CERT_HAS_EXPIRED", false],
    ["ERR_INVALID_CHAR", false],
    ["ENOTFOUND", false],
    ["ETIMEDOUT", true],
    ["ANY_OTHER", true],
  ])("and that failed with %s may have started the operation: %s", async (code, mayHaveStarted) => {
    const broken = withCode(code);
    const failure = await startThrough(simulate(broken, broken, broken, broken));
    expect(failure).toMatchObject({ code, mayHaveStarted });
  });

  test("may have started it if the client has a bug", async () => {
    const failure = await startThrough(simulate(new TypeError("x is not a function")));
    expect(failure.mayHaveStarted).toBe(true);
    expect(failure.message).toContain("The operation may have started");
  });

  test("may have started it if a policy fails after the response", async () => {
    const service = simulate({ status: 202, headers: { "operation-location": "/operations/7" } });
    const failure = await startThrough(service, {
      name: "read",
      async sendRequest(sent, next) {
        await next(sent);
        throw new Error("cannot read the response");
      },
    });
    expect(failure.mayHaveStarted).toBe(true);
    expect(service.requestLog).toHaveLength(1);
  });
});
