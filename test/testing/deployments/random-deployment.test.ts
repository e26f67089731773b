import { expect, test } from "vitest";
import type { DeploymentPlan } from "lro-poller/testing";
import { randomDeployment, shapes } from "../../../bench/arm/random-deployment.ts";
import { emulate, group, root, version } from "./support.ts";

interface Size {
  readonly parts: number;
  readonly deployments: number;
  readonly levels: number;
}

function sizeOf({ resources = [] }: DeploymentPlan): Size {
  const nested = resources.flatMap((part) => ("deployment" in part ? [sizeOf(part.deployment)] : []));
  const leaves = resources.length - nested.length;
  return {
    parts: nested.reduce((sum, { parts }) => sum + parts, leaves),
    deployments: nested.reduce((sum, { deployments }) => sum + deployments, 1),
    levels: 1 + Math.max(0, ...nested.map(({ levels }) => levels)),
  };
}

test.each(Object.entries(shapes))("%s: a random deployment has the size that it should have", (_, shape) => {
  const { parts, deployments, levels } = shape;
  for (let seed = 0; seed < 5; seed++) {
    const plan = randomDeployment({ ...shape, seed });
    expect(sizeOf(plan)).toEqual({ parts, deployments, levels });
    expect(randomDeployment({ ...shape, seed })).toEqual(plan);
  }
});

test("random deployments take 883 s on the mean, 0.7 to 1.3 of it each", async () => {
  const seconds = await Promise.all(
    Array.from({ length: 60 }, async (_, seed) => {
      const { addDeployment, clock, send } = emulate();
      addDeployment({ scope: group, name: "d1", ...randomDeployment({ seed }) });
      await clock.advance(3_600_000);
      const { body } = await send("GET", root + version);
      const { properties }: { properties?: { duration?: string } } = Object(body);
      const [, minutes = "", rest = ""] = /^PT(\d+)M([\d.]+)S$/.exec(properties?.duration ?? "") ?? [];
      return Number(minutes) * 60 + Number(rest);
    }),
  );
  for (const duration of seconds) {
    expect(duration).toBeGreaterThan(0.69 * 883);
    expect(duration).toBeLessThan(1.31 * 883);
  }
  const mean = seconds.reduce((sum, duration) => sum + duration, 0) / seconds.length;
  expect(Math.abs(mean - 883)).toBeLessThan(50);
});

test("a random deployment can fail on its lowest level", async () => {
  const { addDeployment, clock, send } = emulate();
  addDeployment({ scope: group, name: "d1", ...randomDeployment({ seed: 1, failure: "policy" }) });
  await clock.advance(3_600_000);
  const { body } = await send("GET", root + version);
  expect(body).toMatchObject({ properties: { provisioningState: "Failed" } });
  expect(JSON.stringify(body)).toContain("RequestDisallowedByPolicy");
});
