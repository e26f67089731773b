import {
  LroClient,
  OperationFailedError,
  createPoller,
  durationHistory,
  pollAll,
  pollUntilDone,
} from "lro-poller";
import {
  deployment,
  parseDeploymentToken,
  resumeDeployment,
  skippedPartsOf,
  withDurationHistory,
} from "lro-poller/arm";
import { describe, expect, test } from "vitest";
import { keyOf, noParts, treeOf, withRows } from "../../src/arm/parts.ts";
import { parsePage } from "../../src/arm/row.ts";
import { emulate, failure, group, nested, outline, resource, resourceId, root, watch } from "./support.ts";

const plan = {
  resources: [resource("first"), nested("inner", [resource("second")], { dependsOn: ["first"] })],
  outputs: { answer: 42, name: "x" },
};

describe("a deployment that succeeds", () => {
  test("resolves with its outputs and its resources", async () => {
    expect(await watch(emulate(), { plan }).result).toEqual({
      outputs: { answer: 42, name: "x" },
      resources: [{ id: resourceId("first") }, { id: resourceId("second") }],
    });
  });

  test("shows its parts as a tree, in the order of their starts", async () => {
    const { progress, result } = watch(emulate(), { plan });
    await result;
    const outlines = progress.map(({ operation }) => outline(operation.parts).join(", "));
    expect(outlines).toContain("first Running, inner NotStarted");
    expect(outlines).toContain("first Succeeded, inner Running,   second Running");
    expect(outlines.at(-1)).toBe("first Succeeded, inner Succeeded,   second Succeeded");
    const [first] = progress.at(-1)?.operation.parts ?? [];
    expect(first).toMatchObject({ type: "Microsoft.Storage/storageAccounts", durationInMs: 20_000 });
    expect(first?.startTime).toEqual(new Date(Date.UTC(2025, 0, 1)));
  });

  test("has a percentage that never falls, is below 100 until the end, and says what it is", async () => {
    const { progress, result } = watch(emulate(), { plan });
    await result;
    const percentages = progress.map(({ operation }) => operation.percentComplete ?? 0);
    expect(percentages).toEqual(percentages.toSorted((one, other) => one - other));
    expect(percentages.filter((percentage) => percentage > 99)).toEqual(
      progress.filter(({ status }) => status === "Succeeded").map(() => 100),
    );
    expect(new Set(progress.map(({ operation }) => operation.percentageKind))).toEqual(
      new Set([undefined, "shareOfParts"]),
    );
    expect(progress.at(-1)?.operation).toMatchObject({ partsDone: 2, partsSeen: 2, partsTotal: 2 });
  });

  test("closes a nested deployment with its own last action, before its parent's list shows it", async () => {
    const { progress, result } = watch(emulate(), { plan });
    await result;
    const closed = progress.find(({ operation }) => outline(operation.parts).includes("inner Succeeded"));
    expect(closed?.status).not.toBe("Succeeded");
  });

  test("counts the expected resources, and so knows the total", async () => {
    const expectedResources = [resourceId("first"), resourceId("second").toUpperCase()];
    const { progress, result } = watch(emulate(), { plan, deployment: { expectedResources } });
    await result;
    const running = progress.filter(({ operation }) => operation.parts !== undefined);
    expect(running.map(({ operation }) => [operation.partsTotal, operation.totalIsKnown])).toEqual(
      running.map(() => [2, true]),
    );
  });

  test.each([
    () => {
      throw new Error("a bug of the caller's");
    },
    () => Promise.reject(new Error("a bug of the caller's")),
  ])("a callback for durations that fails costs no poll: %#", async (onDurationsOfTypes) => {
    const emulation = emulate();
    const { poller, result } = watch(emulation, { plan, deployment: { onDurationsOfTypes } });
    let failedPolls = 0;
    poller.onFailedPoll(() => failedPolls++);
    await result;
    expect(failedPolls).toBe(0);
  });

  test("estimates the share of time with past durations of the types", async () => {
    const pastDurationsOfTypes = { "Microsoft.Storage/storageAccounts": [19_000, 20_000, 21_000] };
    const { progress, result } = watch(emulate(), { plan, deployment: { pastDurationsOfTypes } });
    await result;
    expect(progress.at(-2)?.operation.percentageKind).toBe("timeWeighted");
  });

  test("gives the durations of its parts once", async () => {
    const recorded: unknown[] = [];
    const options = { onDurationsOfTypes: (durations: unknown) => recorded.push(durations) };
    await watch(emulate(), { plan, deployment: options }).result;
    expect(recorded).toEqual([{ "microsoft.storage/storageaccounts": [20_000, 20_000] }]);
  });
});

test("a duration history keeps the durations of each type from one deployment to the next", async () => {
  const texts: string[] = [];
  const store = { read: async () => texts.at(-1), write: async (text: string) => void texts.push(text) };
  const history = durationHistory(store);
  const type = "Microsoft.Storage/storageAccounts";
  const first = await withDurationHistory(history, "app", [type], {});
  expect(first.pastDurationsOfTypes).toEqual({ [type]: [] });
  await watch(emulate(), { plan, deployment: first }).result;
  await history.settled();
  const second = await withDurationHistory(history, "app", [type], {});
  expect(second.pastDurationsOfTypes).toEqual({ [type]: [20_000, 20_000] });
});

describe("lists", () => {
  test("are not read where nobody follows the progress", async () => {
    const emulation = emulate();
    await watch(emulation, { plan, isObserved: false }).result;
    expect(emulation.listCount()).toBe(0);
  });

  test("are read where an iteration follows it", async () => {
    const emulation = emulate();
    const { poller, result } = watch(emulation, { plan, isObserved: false });
    const seen: string[] = [];
    const iteration = (async () => {
      for await (const { operation } of poller) seen.push(...outline(operation.parts));
    })();
    await result;
    await iteration;
    expect(seen).toContain("first Running");
  });

  test("stop when the listener has gone, and when the last caller has", async () => {
    const emulation = emulate();
    const { clock, client, addDeployment } = emulation;
    addDeployment({ scope: group, name: "d1", ...plan });
    const poller = createPoller(deployment(client, root), { clock });
    const unsubscribe = poller.onProgress(() => {});
    const controller = new AbortController();
    const waiting = poller.pollUntilDone({ abortSignal: controller.signal }).catch(() => "aborted");
    await clock.advance(8000);
    expect(emulation.listCount()).toBeGreaterThan(0);
    unsubscribe();
    controller.abort();
    expect(await waiting).toBe("aborted");
    const before = emulation.requests.length;
    await clock.advance(100_000);
    expect(emulation.requests.length).toBe(before);
    expect(clock.pendingTimers).toBe(0);
  });

  test("that fail do not harm the wait, and tell apart what could not be read from what is not there", async () => {
    const emulation = emulate({
      faults: ({ kind }) => (kind === "operations" ? { kind: "status", status: 403 } : undefined),
    });
    const { progress, result } = watch(emulation, { plan });
    await expect(result).resolves.toHaveProperty("outputs.answer", 42);
    expect(progress.at(-1)?.operation).toMatchObject({ partsError: { message: /HTTP 403/ } });
    expect(progress.every(({ operation }) => operation.parts === undefined)).toBe(true);
    const empty = watch(emulate(), { plan: { resources: [] } });
    await empty.result;
    expect(empty.progress.at(-1)?.operation.parts).toEqual([]);
  });

  test("that are throttled stop lists, not polls", async () => {
    const quiet = emulate();
    const alone = watch(quiet, { plan, isObserved: false });
    await alone.result;
    const throttled = emulate({
      faults: ({ kind }) =>
        kind === "operations"
          ? { kind: "status", status: 429, headers: { "retry-after": "600" } }
          : undefined,
    });
    await watch(throttled, { plan }).result;
    expect(throttled.listCount()).toBe(1);
    expect(throttled.clock.now()).toBeLessThanOrEqual(quiet.clock.now());
  });
});

describe("a token", () => {
  test("continues the wait with its parts, in another process", async () => {
    const { clock, client, addDeployment } = emulate();
    addDeployment({ scope: group, name: "d1", ...plan });
    const poller = createPoller(deployment(client, root), { clock });
    await clock.runUntilSettled(poller.poll());
    const seen: string[] = [];
    const resumed = resumeDeployment(client, JSON.stringify(poller), {
      clock,
      onProgress: ({ operation }) => seen.push(...outline(operation.parts)),
    });
    expect(await clock.runUntilSettled(resumed.pollUntilDone())).toHaveProperty("outputs.answer", 42);
    expect(seen).toContain("first Running");
  });

  test("is one of any client too, which resolves with the whole deployment", async () => {
    const { clock, client, addDeployment } = emulate();
    addDeployment({ scope: group, name: "d1", ...plan });
    const poller = createPoller(deployment(client, root), { clock });
    const result = client.resume(JSON.stringify(poller), { clock }).pollUntilDone();
    expect(await clock.runUntilSettled(result)).toMatchObject({ id: root });
  });

  test("of another operation is refused", () => {
    const { client } = emulate();
    const other = createPoller(client.operationAt("/subscriptions/s1/resourceGroups/g1"));
    expect(() => parseDeploymentToken(client, JSON.stringify(other))).toThrow("resourceId");
  });
});

test("a group polls one deployment once", async () => {
  const { clock, client, addDeployment, requests } = emulate();
  addDeployment({ scope: group, name: "d1", ...plan });
  const both = [deployment(client, root), deployment(client, { scope: `${group}/`, name: "d1" })];
  const results = await clock.runUntilSettled(pollAll(both, { clock }));
  expect(results).toHaveLength(2);
  const alone = emulate();
  await watch(alone, { plan, isObserved: false }).result;
  expect(requests.length).toBeLessThan(1.5 * alone.requests.length);
});

test("a deployment that was canceled ends the wait, and says what did not run", async () => {
  const emulation = emulate();
  const { clock, httpClient, endpoint, client, addDeployment } = emulation;
  addDeployment({ scope: group, name: "d1", ...plan });
  const poller = createPoller(deployment(client, root), { clock });
  poller.onProgress(() => {});
  const waiting = poller.pollUntilDone().catch((error: unknown) => error);
  await clock.advance(8000);
  const cancel = new LroClient(endpoint, undefined, { httpClient });
  const url = `${root}/cancel?api-version=2025-04-01`;
  cancel.startOperation({ method: "POST", url }, { clock }).started.catch(() => {});
  const error = await clock.runUntilSettled(waiting);
  expect(error).toHaveProperty("name", "OperationCanceledError");
  expect(skippedPartsOf(Object(error)).map(({ name }) => name)).toEqual(["inner"]);
});

test("a record that is deleted ends the wait as canceled", async () => {
  const emulation = emulate();
  const client = new LroClient(emulation.endpoint, undefined, {
    httpClient: {
      sendRequest: async (request) => ({
        ...(await emulation.httpClient.sendRequest(request)),
        status: 200,
        bodyAsText: JSON.stringify({ id: root, properties: { provisioningState: "Deleted" } }),
      }),
    },
  });
  const { clock } = emulation;
  const waiting = pollUntilDone(deployment(client, root), { clock }).catch((error: unknown) => error);
  expect(await clock.runUntilSettled(waiting)).toHaveProperty("name", "OperationCanceledError");
});

test.each([
  ["/subscriptions/s1", "resourceId: expected {scope}/providers/Microsoft.Resources/deployments/{name}"],
  [{ scope: "group", name: "d1" }, "scope: expected a resource id"],
  [{ scope: group, name: "d 1" }, "name: expected a name of 1 to 64"],
  [{ scope: group, name: "../d1" }, "name: expected a name of 1 to 64"],
])("a deployment is named by an id, or by a scope and a name: %o", (wrong, message) => {
  expect(() => deployment(emulate().client, wrong)).toThrow(message);
});

test("a client of another kind is refused", () => {
  // @ts-expect-error A JavaScript caller may pass anything.
  expect(() => deployment({}, root)).toThrow("client: expected an LroClient");
});

test("a failure without progress reads the failed path alone", async () => {
  const emulation = emulate();
  const failing = nested("inner", [nested("inmost", [resource("bad", { failure: "quota" })])]);
  const others = [nested("other", [resource("good")]), nested("third", [resource("fine")])];
  const error = await failure(emulation, { plan: { resources: [failing, ...others] }, isObserved: false });
  expect(error).toBeInstanceOf(OperationFailedError);
  expect(emulation.listCount()).toBe(3);
});

test("a deployment that is over already shows all its parts", async () => {
  const emulation = emulate();
  emulation.addDeployment({ scope: group, name: "d1", ...plan });
  await emulation.clock.advance(600_000);
  const { progress, result } = watch(emulation);
  await result;
  expect(outline(progress.at(-1)?.operation.parts)).toEqual([
    "first Succeeded",
    "inner Succeeded",
    "  second Succeeded",
  ]);
});

test("rows that name a deployment above them, and dates beyond all bounds, make no endless tree", () => {
  const row = (id: string, action: string, duration: string): object => ({
    operationId: `${id} ${action}`,
    properties: {
      provisioningOperation: action,
      provisioningState: "Running",
      timestamp: "2025-01-01T00:00:00Z",
      duration,
      targetResource: { id, resourceType: "Microsoft.Resources/deployments", resourceName: "x" },
    },
  });
  const rows = (...list: object[]): ReturnType<typeof parsePage>["rows"] => parsePage({ value: list }).rows;
  const inner = root.replace("d1", "inner");
  let state = noParts(root);
  state = withRows(state, keyOf(root), rows(row(inner, "Create", `PT${"9".repeat(400)}H`)), false);
  state = withRows(
    state,
    keyOf(inner),
    rows(row(root, "Create", "PT1S"), row(inner, "Create", "PT1S")),
    false,
  );
  expect(outline(treeOf(state))).toEqual(["x Running", "  x Running", "  x Running"]);
  expect(treeOf(state)[0]?.startTime).toBeUndefined();
});

test.each(["OK", "Accepted", "Created"])("the word %s of a canceled part is no error", (statusCode) => {
  const properties = { provisioningState: "Canceled", statusCode };
  expect(parsePage({ value: [{ properties }] }).rows[0]?.error).toBeUndefined();
});

test.each([["20000"], [0], [1e13]])("the past duration %j of a type is none", (duration) => {
  const pastDurationsOfTypes = { "Microsoft.Storage/storageAccounts": [duration] };
  // @ts-expect-error -- a text where numbers belong
  const create = (): unknown => deployment(emulate().client, root, { pastDurationsOfTypes });
  expect(create).toThrow("pastDurationsOfTypes: expected for Microsoft.Storage/storageAccounts a list");
});
