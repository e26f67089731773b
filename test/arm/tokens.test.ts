import { createPollerGroup } from "lro-poller";
import { deployment, parseDeploymentToken, resumeDeployment, startDeployment } from "lro-poller/arm";
import { createStepper, firstState, resultOf } from "lro-poller/durable";
import { expect, test } from "vitest";
import { emulate, group, outline, resource, resourceId, root, storage } from "./support.ts";

const template = { resources: [{ type: storage, name: "one", metadata: { durationInMs: 40_000 } }] };
const one = { resources: [{ id: resourceId("one") }] };

test("a wait that went on without the parts is resumed with them", async () => {
  const { clock, client } = emulate();
  const started = startDeployment(client, { scope: group, name: "d1", template }, { clock });
  await clock.runUntilSettled(started.poll());
  const without = client.resume(JSON.stringify(started), { clock });
  await clock.runUntilSettled(without.poll());
  const seen: string[] = [];
  const poller = resumeDeployment(client, JSON.stringify(without), {
    clock,
    onProgress: ({ operation }) => seen.push(...outline(operation.parts)),
  });
  expect(await clock.runUntilSettled(poller.pollUntilDone())).toMatchObject(one);
  expect(seen).toContain("one Running");
});

test("a group polls a deployment once, also where it is added again while it runs", async () => {
  const { clock, client, addDeployment } = emulate();
  addDeployment({ scope: group, name: "d1", resources: [resource("one", { durationInMs: 40_000 })] });
  const polls = createPollerGroup({ clock });
  const first = polls.add(deployment(client, root));
  first.pollUntilDone().catch(() => {});
  await clock.advance(5000);
  expect(first.status).toBe("Running");
  expect(polls.add(deployment(client, root))).toBe(first);
});

test("a stepper waits for a deployment that another process has started", async () => {
  const { clock, client } = emulate();
  const started = startDeployment(client, { scope: group, name: "d1", template }, { clock });
  await clock.runUntilSettled(started.poll());
  const stepper = createStepper({
    resolveOperation: (token) => parseDeploymentToken(client, token).operation,
    clock,
  });
  let state = firstState(started, { clock });
  for (;;) {
    const result = await clock.runUntilSettled(stepper.step(JSON.parse(JSON.stringify(state))));
    if (result.type === "ended") {
      expect(await resultOf(JSON.parse(JSON.stringify(result.outcome)))).toMatchObject(one);
      break;
    }
    ({ state } = result);
    await clock.advance(result.delayInMs);
  }
});
