import { DeploymentsClient } from "@azure/arm-resourcesdeployments";
import { LroClient, OperationStartError, createPoller } from "lro-poller";
import { deployment, resumeDeployment, startDeployment, validateDeployment } from "lro-poller/arm";
import { startOperationServer } from "lro-poller/testing";
import { describe, expect, test } from "vitest";
import { emulate, group, outline, resource, resourceId, root } from "./support.ts";

const template = {
  resources: [
    { type: "Microsoft.Storage/storageAccounts", name: "one", metadata: { durationInMs: 20_000 } },
    {
      type: "Microsoft.Storage/storageAccounts",
      name: "two",
      dependsOn: ["[resourceId('Microsoft.Storage/storageAccounts', 'one')]"],
      metadata: { durationInMs: 20_000 },
    },
  ],
  outputs: { answer: { type: "int", value: 42 } },
};

describe("startDeployment", () => {
  test("sends the template, follows the status monitor, and shows the parts", async () => {
    const { clock, client, requests } = emulate();
    const poller = startDeployment<{ answer: number }>(
      client,
      { scope: group, name: "d1", template },
      { clock },
    );
    const seen: string[] = [];
    poller.onProgress(({ operation }) => seen.push(...outline(operation.parts)));
    const { outputs, resources } = await clock.runUntilSettled(poller.pollUntilDone());
    expect(outputs.answer).toBe(42);
    expect(resources).toHaveLength(2);
    expect(await poller.started).toMatchObject({ statusCode: 201 });
    expect(requests.some((line) => line.includes("/operationStatuses/"))).toBe(true);
    expect(seen).toContain("two NotStarted");
    expect(seen.at(-1)).toBe("two Succeeded");
  });

  test("has a token that resumes with the parts, and no signature in what people see", async () => {
    const { clock, client } = emulate();
    const poller = startDeployment(client, { scope: group, name: "d1", template }, { clock });
    const first = await clock.runUntilSettled(poller.poll());
    expect(first.operation).toMatchObject({ id: root, name: "d1" });
    const seen: string[] = [];
    const resumed = resumeDeployment(client, JSON.stringify(poller), {
      clock,
      onProgress: ({ operation }) => seen.push(...outline(operation.parts)),
    });
    expect(await clock.runUntilSettled(resumed.pollUntilDone())).toHaveProperty("outputs.answer", 42);
    expect(seen).toContain("one Succeeded");
  });

  test("says that a deployment of the name is active, and attaches to it where that is asked for", async () => {
    const { clock, client, addDeployment } = emulate();
    addDeployment({ scope: group, name: "d1", resources: [resource("theirs")], outputs: { theirs: true } });
    const refused = startDeployment(client, { scope: group, name: "d1", template }, { clock });
    const error = await clock.runUntilSettled(refused.pollUntilDone().catch((thrown: unknown) => thrown));
    expect(error).toBeInstanceOf(OperationStartError);
    expect(error).toMatchObject({
      code: "DeploymentActive",
      statusCode: 409,
      mayHaveStarted: false,
      message: expect.stringContaining("attachToActive"),
    });
    const attached = startDeployment(
      client,
      { scope: group, name: "d1", template },
      { clock, attachToActive: true },
    );
    expect(await clock.runUntilSettled(attached.pollUntilDone())).toMatchObject({
      outputs: { theirs: true },
    });
  });

  test("names the cause of a template that is rejected before it starts", async () => {
    const { clock, client } = emulate({ plan: () => ({ preflightFailure: "policy" }) });
    const poller = startDeployment(client, { scope: group, name: "d1", template }, { clock });
    const error = await clock.runUntilSettled(poller.pollUntilDone().catch((thrown: unknown) => thrown));
    expect(error).toMatchObject({ message: expect.stringMatching(/^[^\n]*RequestDisallowedByPolicy/) });
  });

  test.each([
    [{}, "template: expected one of template and templateLink, got neither"],
    [{ template, templateLink: { uri: "https://example.com" } }, "got both"],
  ])("checks its arguments before anything is sent: %o", (fields, message) => {
    const { client, requests } = emulate();
    expect(() => startDeployment(client, { scope: group, name: "d1", ...fields })).toThrow(message);
    expect(requests).toEqual([]);
  });
});

describe("validateDeployment", () => {
  test.each([0, 20_000])(
    "tells the resources after %i ms, so that the total is known from the start",
    async (validationInMs) => {
      const { clock, client } = emulate({ validationInMs });
      const newDeployment = { scope: group, name: "d1", template };
      const validated = await clock.runUntilSettled(validateDeployment(client, newDeployment, { clock }));
      expect(validated).toEqual({ resources: [resourceId("one"), resourceId("two")], isComplete: true });
      const options = { clock, expectedResources: validated.resources };
      const poller = startDeployment(client, newDeployment, options);
      const totals: unknown[] = [];
      poller.onProgress(({ operation: { partsTotal, totalIsKnown } }) =>
        totals.push([partsTotal, totalIsKnown]),
      );
      await clock.runUntilSettled(poller.pollUntilDone());
      expect(totals.at(3)).toEqual([2, true]);
    },
  );

  test("rejects with the cause where the deployment would be rejected", async () => {
    const { clock, client } = emulate({ plan: () => ({ preflightFailure: "policy" }) });
    const rejected = validateDeployment(client, { scope: group, name: "d1", template }, { clock });
    const error = await clock.runUntilSettled(rejected.catch((thrown: unknown) => thrown));
    expect(error).toMatchObject({ message: expect.stringMatching(/^[^\n]*RequestDisallowedByPolicy/) });
  });
});

test("the SDK's own client starts a deployment, and deployment() watches it over HTTP", async () => {
  await using server = await startOperationServer({ style: "arm", speed: 50, deployments: {} });
  const credential = { getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const sdk = new DeploymentsClient(credential, "s1", {
    endpoint: server.endpoint,
    allowInsecureConnection: true,
  });
  sdk.pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
  const started = sdk.deployments.createOrUpdate("g1", "d1", {
    properties: { mode: "Incremental", template },
  });
  await started.submitted();
  const seen: string[] = [];
  const poller = createPoller(deployment(new LroClient(server.endpoint), root), {
    minDelayInMs: 20,
    maxDelayInMs: 200,
    onProgress: ({ operation }) => seen.push(...outline(operation.parts)),
  });
  expect(await poller.pollUntilDone()).toMatchObject({ outputs: { answer: 42 } });
  expect(seen.slice(-2)).toEqual(["one Succeeded", "two Succeeded"]);
});
