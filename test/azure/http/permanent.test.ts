import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  createPipelineFromOptions,
} from "@azure/core-rest-pipeline";
import type { Pipeline } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { LroClient, PollingError, fixed, pollUntilDone, startOperation } from "lro-poller";
import { CountingCredential } from "../../support/credential.ts";
import { rejection } from "../../support/rejections.ts";
import { simulate } from "../lro/support.ts";
import type { Simulation } from "../lro/support.ts";

const origin = "https://dev.devcenter.azure.com";
const running = { status: 200, body: { status: "Running" } };
const succeeded = { status: 200, body: { status: "Succeeded" } };

function named(name: string, message = "AADSTS7000215: Invalid client secret."): Error {
  return Object.assign(new Error(message), { name });
}

function pipelineOf(credential: CountingCredential): Pipeline {
  const pipeline = createPipelineFromOptions({});
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: `${origin}/.default` }));
  return pipeline;
}

function waitFor(
  { clock, httpClient }: Simulation,
  pipeline: Pipeline,
  onProgress?: () => unknown,
): Promise<unknown> {
  const operation = new LroClient(origin, { pipeline, httpClient }).operationAt("/operations/7");
  const options = { clock, schedule: fixed(1000), random: () => 0 };
  return clock.runUntilSettled(pollUntilDone(operation, onProgress ? { ...options, onProgress } : options));
}

describe("the credential of an SDK's pipeline", () => {
  const names = [
    "CredentialUnavailableError",
    "AuthenticationRequiredError",
    "AuthenticationError",
    "AggregateAuthenticationError",
  ];

  test.each(names)("that never worked ends the wait at once: %s", async (name) => {
    const credential = new CountingCredential();
    credential.failWith = named(name);
    const service = simulate();
    const failure = await rejection(waitFor(service, pipelineOf(credential)), PollingError);
    expect(failure).toMatchObject({ code: "CredentialError", pollCount: 1 });
    expect(failure.message).toContain("no token from the credential: AADSTS7000215");
    expect(service.clock.now()).toBe(0);
  });

  test("that never worked ends a start at once, and nothing has started", async () => {
    const credential = new CountingCredential();
    credential.failWith = named("CredentialUnavailableError");
    const { clock, httpClient, requestLog } = simulate();
    const options = { pipeline: pipelineOf(credential), httpClient, clock };
    const poller = startOperation({ method: "PUT", url: `${origin}/boxes/b1` }, options);
    const failure = await clock.runUntilSettled(rejection(poller.pollUntilDone()));
    expect(failure).toMatchObject({
      name: "OperationStartError",
      code: "CredentialError",
      mayHaveStarted: false,
    });
    expect(credential.calls).toHaveLength(1);
    expect(requestLog).toEqual([]);
  });

  test("that has worked is an outage, for each client of the pipeline", async () => {
    const credential = new CountingCredential(0);
    const pipeline = pipelineOf(credential);
    const service = simulate(running, succeeded, succeeded);
    let polls = 0;
    const fail = (): void => {
      if (++polls === 1) credential.failWith = named("AuthenticationError");
      service.clock.setTimer(() => (credential.failWith = undefined), 10_000);
    };
    await waitFor(service, pipeline, fail);
    expect(service.requestLog).toHaveLength(2);
    credential.failWith = named("AuthenticationError");
    service.clock.setTimer(() => (credential.failWith = undefined), 10_000);
    await waitFor(service, pipeline);
    expect(service.requestLog).toHaveLength(3);
  });
});

describe("an error of the HTTP client that would come again ends the wait at once:", () => {
  test.each<[string, Error]>([
    ["a TypeError", new TypeError("Cannot read properties of undefined")],
    ["an invalid character", Object.assign(new Error("Invalid character"), { code: "ERR_INVALID_CHAR" })],
    ["an invalid URL", Object.assign(new Error("Invalid URL"), { code: "ERR_INVALID_URL" })],
  ])("%s", async (_, error) => {
    const service = simulate(error);
    const failure = await rejection(waitFor(service, createEmptyPipeline()), PollingError);
    expect(failure.pollCount).toBe(1);
    expect(failure.cause).toMatchObject({ kind: "permanent", cause: error });
  });

  test("but not a network error of fetch", async () => {
    const service = simulate(new TypeError("fetch failed"), succeeded);
    await waitFor(service, createEmptyPipeline());
    expect(service.requestLog).toHaveLength(2);
  });
});
