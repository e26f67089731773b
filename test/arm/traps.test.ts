import { LroClient, OperationFailedError, createPoller } from "lro-poller";
import { deployment, failedPartsOf, startDeployment } from "lro-poller/arm";
import type { DeploymentErrorShape, DeploymentPlan, PlannedPart } from "lro-poller/testing";
import { expect, test } from "vitest";
import { emulate, failure, group, nested, outline, resource, resourceId, root, watch } from "./support.ts";

const managementGroup = "/providers/Microsoft.Management/managementGroups/mg1";

/** Every trap that one run can have. */
function withTraps(throttledLists: readonly number[]): Parameters<typeof emulate>[0] {
  return {
    variesCase: true,
    emptyPages: 2,
    pageSize: 2,
    listLagInMs: 3000,
    keepsEarlierOperations: true,
    childrenOutliveInMs: 60_000,
    retryAfter: 5,
    faults: ({ kind, number }) => {
      if (kind === "deployment" && (number === 1 || number === 4)) {
        const body = {
          error: { code: "DeploymentNotFound", message: "Deployment 'd1' could not be found." },
        };
        return { kind: "status", status: 404, headers: { "x-ms-failure-cause": "gateway" }, body };
      }
      if (kind === "operations" && throttledLists.includes(number))
        return { kind: "status", status: 429, retryAfter: 17 };
      return undefined;
    },
  };
}

const resources = [
  resource("slow", { durationInMs: 90_000 }),
  resource("unlisted", { durationInMs: 6000, listedAfterInMs: Infinity }),
  nested("in-group", [nested("inmost", [resource("one"), resource("two", { dependsOn: ["one"] })])]),
  nested("in-mg", [resource("three")], { scope: managementGroup }),
];

test("every trap of Azure Resource Manager is survived at once", async () => {
  // An earlier run of the name: its operations stay in the list.
  const emulation = emulate(withTraps([3]));
  const { clock, client, addDeployment } = emulation;
  addDeployment({
    scope: group,
    name: "d1",
    resources: [resource("of-earlier-run", { durationInMs: 1000 })],
  });
  await clock.advance(20_000);
  const { progress, result } = watch(emulation, { plan: { resources, outputs: { answer: 42 } } });
  expect(await result).toMatchObject({ outputs: { answer: 42 } });
  expect(outline(progress.at(-1)?.operation.parts).toSorted()).toEqual(
    [
      "slow Succeeded",
      "unlisted Succeeded",
      "in-group Succeeded",
      "  inmost Succeeded",
      "    one Succeeded",
      "    two Succeeded",
      "in-mg Succeeded",
      "  three Succeeded",
    ].toSorted(),
  );
  const counts = progress.map(({ operation }) => operation.partsDone ?? 0);
  expect(counts).toEqual(counts.toSorted((one, other) => one - other));
  const running = progress.filter(({ status }) => status === "Running");
  expect(running.every(({ operation }) => (operation.percentComplete ?? 0) < 100)).toBe(true);

  // A root that is canceled, while a nested deployment goes on.
  addDeployment({ scope: group, name: "d2", resources });
  const canceled = createPoller(deployment(client, { scope: group, name: "d2" }), { clock });
  canceled.onProgress(() => {});
  const waiting = canceled.pollUntilDone().catch((error: unknown) => error);
  await clock.advance(15_000);
  const url = `${root.replace("d1", "d2")}/cancel?api-version=2025-04-01`;
  const cancel = new LroClient(emulation.endpoint, undefined, { httpClient: emulation.httpClient });
  cancel.startOperation({ method: "POST", url }, { clock }).started.catch(() => {});
  expect(await clock.runUntilSettled(waiting)).toHaveProperty("name", "OperationCanceledError");

  // A failure in each shape, beside a rejected template, whose row has no deployment.
  for (const errorShape of ["direct", "json", "leafJson", "empty", "preflight"] as const) {
    const error = await failureOf({ resources: failing, errorShape });
    expect(failedPartsOf(error).map(({ name }) => name)).toEqual(["invalid", "bad"]);
    expect(error.message.split("\n")[0]?.toLowerCase()).toContain("accountnameinvalid");
  }
});

const failing: readonly PlannedPart[] = [
  nested("level2", [nested("level3", [resource("bad", { failure: "quota", durationInMs: 30_000 })])]),
  nested("invalid", [], { failure: "invalidName" }),
];

async function failureOf(
  plan: DeploymentPlan & { errorShape: DeploymentErrorShape },
): Promise<OperationFailedError> {
  const error = await failure(emulate(withTraps([2])), { plan });
  return error instanceof OperationFailedError ? error : expect.unreachable();
}

test("rows of an earlier run of the name are left out where this client starts the next one", async () => {
  const emulation = emulate({ keepsEarlierOperations: true });
  const { clock, client } = emulation;
  const seen: string[] = [];
  const start = (name: string): Promise<unknown> => {
    const template = { resources: [{ type: "Microsoft.Storage/storageAccounts", name }] };
    const poller = startDeployment(client, { scope: group, name: "d1", template }, { clock });
    poller.onProgress(({ operation }) => seen.push(...outline(operation.parts)));
    return clock.runUntilSettled(poller.pollUntilDone());
  };
  await start("first");
  await clock.advance(60_000);
  seen.length = 0;
  expect(await start("second")).toMatchObject({ resources: [{ id: resourceId("second") }] });
  expect(new Set(seen.map((line) => line.split(" ")[0]))).toEqual(new Set(["second"]));
});
