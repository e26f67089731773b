import { OperationFailedError } from "lro-poller";
import { failedPartsOf, skippedPartsOf } from "lro-poller/arm";
import type { DeploymentErrorShape, PartFailure, PlannedPart } from "lro-poller/testing";
import { describe, expect, test } from "vitest";
import { emulate, failure, nested, resource, resourceId } from "./support.ts";

const shapes: readonly DeploymentErrorShape[] = ["direct", "json", "leafJson", "empty", "preflight"];
const failures: readonly (readonly [failure: PartFailure, code: string])[] = [
  ["policy", "RequestDisallowedByPolicy"],
  ["quota", "QuotaExceeded"],
  ["nameConflict", "StorageAccountAlreadyTaken"],
  ["timeout", "ResourceDeploymentFailure"],
];

async function failed(
  resources: readonly PlannedPart[],
  errorShape: DeploymentErrorShape = "direct",
  isObserved = true,
): Promise<OperationFailedError> {
  const error = await failure(emulate(), { plan: { resources, errorShape }, isObserved });
  expect(error).toBeInstanceOf(OperationFailedError);
  return error instanceof OperationFailedError ? error : expect.unreachable();
}

function firstLine({ message }: Error): string {
  return message.split("\n")[0] ?? "";
}

describe.each(shapes)("an error of the shape %s, three deployments deep", (shape) => {
  test.each(failures)(
    "that comes from %s names the resource and its code in the first line",
    async (bad, code) => {
      const inmost = nested("level2", [
        nested("level3", [resource("bad", { failure: bad }), resource("good")]),
      ]);
      for (const isObserved of [true, false]) {
        const error = await failed([resource("before"), inmost], shape, isObserved);
        expect(firstLine(error)).toContain(code);
        expect(firstLine(error)).toContain(resourceId("bad"));
        expect(error.rootCause?.code).toBe(code);
        expect(error.hasCode(code)).toBe(true);
        expect(failedPartsOf(error).map(({ id }) => id)).toEqual([resourceId("bad")]);
        expect(error.error).toMatchObject({ code: expect.any(String) });
      }
    },
  );
});

test("a policy is named with its assignment and its tracking id, and its facts are data", async () => {
  const error = await failed([resource("bad", { failure: "policy" })]);
  expect(firstLine(error)).toMatch(/Policy: Allowed locations\. Tracking id: [0-9a-f-]{36}\./);
  const [part] = failedPartsOf(error);
  expect(part?.error?.additionalInfo).toEqual([
    { type: "PolicyViolation", info: expect.objectContaining({ policyDefinitionEffect: "Deny" }) },
  ]);
  expect(error.details[0]?.additionalInfo).toEqual(part?.error?.additionalInfo);
});

test("a part that timed out is named with the word of its status", async () => {
  const error = await failed([resource("slow", { failure: "timeout" })]);
  expect(firstLine(error)).toContain("HTTP status: RequestTimeout.");
});

test("of two failed parts the first one comes first, whatever their depth, and both are data", async () => {
  const late = nested("level2", [
    nested("level3", [resource("late", { failure: "policy", durationInMs: 30_000 })]),
  ]);
  const early = resource("early", { failure: "quota", durationInMs: 10_000 });
  const error = await failed([late, early], "json");
  expect(firstLine(error)).toContain(`QuotaExceeded`);
  expect(firstLine(error)).toContain(`(${resourceId("early")}, in DeploymentFailed, and 1 more)`);
  expect(error.message).toContain(resourceId("late"));
  expect(failedPartsOf(error).map(({ name }) => name)).toEqual(["early", "late"]);
});

test("parts that did not run are apart from those that failed", async () => {
  const error = await failed([
    resource("bad", { failure: "quota" }),
    resource("after", { dependsOn: ["bad"] }),
  ]);
  expect(skippedPartsOf(error).map(({ name }) => name)).toEqual(["after"]);
  expect(failedPartsOf(error).map(({ name }) => name)).toEqual(["bad"]);
});

test("a nested deployment that was rejected has no list, and is the failed part itself", async () => {
  const rejected = nested("invalid", [], { failure: "invalidName" });
  const error = await failed([rejected]);
  expect(failedPartsOf(error).map(({ name }) => name)).toEqual(["invalid"]);
  expect(firstLine(error)).toContain("AccountNameInvalid");
});

test("without the right to read the lists, the service's own error remains", async () => {
  const emulation = emulate({
    faults: ({ kind }) => (kind === "operations" ? { kind: "status", status: 403 } : undefined),
  });
  const inner = nested("inner", [resource("bad", { failure: "quota" })]);
  const error = await failure(emulation, { plan: { resources: [inner] } });
  expect(error).toMatchObject({ rootCause: { code: "QuotaExceeded" } });
  expect(failedPartsOf(Object(error))).toEqual([]);
});
