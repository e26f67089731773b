import { createHttpHeaders } from "@azure/core-rest-pipeline";
import { LroClient, createPoller } from "lro-poller";
import { deployment, resumeDeployment, startDeployment } from "lro-poller/arm";
import { createVirtualClock } from "lro-poller/testing";
import { expect, test } from "vitest";
import { emulate, group, nested, outline, resource, resourceId, root, storage } from "./support.ts";
import type { Emulation } from "./support.ts";

const resources = [
  resource("slow", { durationInMs: 90_000 }),
  nested("inner", [resource("child", { durationInMs: 90_000 })]),
];

function cancelsIn({ requests }: Emulation): readonly string[] {
  return requests.filter((line) => line.includes("/cancel"));
}

test("a deployment that runs is canceled by one request, while its lists are read", async () => {
  const emulation = emulate({ childrenOutliveInMs: 60_000 });
  const { clock, client, addDeployment } = emulation;
  addDeployment({ scope: group, name: "d1", resources });
  const poller = createPoller(deployment(client, root), { clock });
  const seen: string[] = [];
  poller.onProgress(({ operation }) => seen.push(...outline(operation.parts)));
  const waiting = poller.pollUntilDone().catch((error: unknown) => error);
  await clock.advance(15_000);
  const calls = Promise.all([poller.cancelOperation(), poller.cancelOperation()]);
  const canceled = { outcome: "canceled", status: "Canceled" };
  expect(await clock.runUntilSettled(calls)).toMatchObject([canceled, canceled]);
  const error = await clock.runUntilSettled(waiting);
  expect(error).toHaveProperty("name", "OperationCanceledError");
  expect(cancelsIn(emulation)).toHaveLength(1);
  expect(seen.slice(-3)).toEqual(["slow Canceled", "inner Canceled", "  child Running"]);
  await clock.advance(600_000);
  const count = emulation.requests.length;
  await clock.advance(600_000);
  expect(emulation.requests).toHaveLength(count);
});

test.each([false, true])(
  "a deployment that has ended is canceled too late, followed: %s",
  async (isFollowed) => {
    const emulation = emulate();
    const { clock, client, addDeployment } = emulation;
    addDeployment({ scope: group, name: "d1", resources: [resource("quick", { durationInMs: 3000 })] });
    const poller = createPoller(deployment(client, root), { clock });
    if (isFollowed) poller.onProgress(() => {});
    await clock.runUntilSettled(poller.poll());
    await clock.advance(120_000);
    const result = await clock.runUntilSettled(poller.cancelOperation());
    expect(result).toMatchObject({ outcome: "tooLate", status: "Succeeded" });
  },
);

test("a cancel waits for the start", async () => {
  const emulation = emulate();
  const { clock, client } = emulation;
  const template = { resources: [{ type: storage, name: "one", metadata: { durationInMs: 90_000 } }] };
  const poller = startDeployment(client, { scope: group, name: "d1", template }, { clock });
  expect(await clock.runUntilSettled(poller.cancelOperation())).toMatchObject({ outcome: "canceled" });
  expect(emulation.requests.map((line) => line.split(" ")[0]).slice(0, 3)).toEqual(["PUT", "POST", "GET"]);
});

test("a resumed wait cancels too", async () => {
  const emulation = emulate();
  const { clock, client } = emulation;
  const template = { resources: [{ type: storage, name: "one", metadata: { durationInMs: 90_000 } }] };
  const started = startDeployment(client, { scope: group, name: "d1", template }, { clock });
  await clock.runUntilSettled(started.poll());
  const token = JSON.stringify(started);
  const poller = resumeDeployment(client, token, { clock, onProgress: () => {} });
  expect(await clock.runUntilSettled(poller.cancelOperation())).toMatchObject({ outcome: "canceled" });
  expect(cancelsIn(emulation)).toEqual([
    expect.stringMatching(/\/deployments\/d1\/cancel\?api-version=[\d-]+$/),
  ]);
});

test("an abort ends the wait for a cancel, which is sent all the same", async () => {
  const emulation = emulate();
  const { clock, client, addDeployment } = emulation;
  addDeployment({ scope: group, name: "d1", resources });
  const poller = createPoller(deployment(client, root), { clock, onProgress: () => {} });
  await clock.runUntilSettled(poller.poll());
  const stop = new AbortController();
  const call = poller.cancelOperation({ abortSignal: stop.signal }).catch((error: unknown) => error);
  stop.abort(new Error("enough"));
  expect(await call).toHaveProperty("message", "enough");
  await clock.advance(600_000);
  expect(cancelsIn(emulation)).toHaveLength(1);
  expect(emulation.requests.at(-1)).toContain("/cancel");
});

test("news of a part is no news of a refused cancel: the state is that of a poll after it", async () => {
  const clock = createVirtualClock();
  const isOver = (): boolean => clock.now() > 20_000;
  const start = clock.timestamp();
  const at = (ms: number): string => new Date(start + ms).toISOString();
  const client = new LroClient("https://management.azure.com", undefined, {
    httpClient: {
      async sendRequest(request) {
        const reply = (status: number, body: object, headers = {}) => ({
          request,
          status,
          headers: createHttpHeaders(headers),
          bodyAsText: JSON.stringify(body),
        });
        if (request.method === "POST")
          return reply(409, { error: { code: "Conflict", message: "not running" } });
        const provisioningState = isOver() ? "Succeeded" : "Running";
        if (!request.url.includes("/operations?"))
          return reply(200, { properties: { provisioningState } }, { "retry-after": "60" });
        const ids = isOver() ? ["one", "two"] : ["one"];
        const value = ids.map((name) => ({
          operationId: name,
          properties: {
            provisioningState: "Running",
            provisioningOperation: "Create",
            timestamp: at(clock.now()),
            duration: "PT1S",
            targetResource: { id: resourceId(name) },
          },
        }));
        return reply(200, { value });
      },
    },
  });
  const poller = createPoller(deployment(client, root), { clock, onProgress: () => {} });
  poller.pollUntilDone().catch(() => {});
  await clock.advance(21_000);
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toMatchObject({ outcome: "tooLate", status: "Succeeded" });
});
