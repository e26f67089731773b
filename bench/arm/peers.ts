import { truthOf } from "./simulate.ts";
import type { DeploymentPlan } from "../../src/testing/index.ts";
import type { ScheduledDeployment } from "../../src/testing/deployments/schedule.ts";

/** The rows that one list shows: the state of each, and the deployments below. */
function listed(
  deployment: ScheduledDeployment,
  now: number,
): readonly ScheduledDeployment["parts"][number][] {
  return deployment.parts.filter(({ listedAt }) => listedAt <= now);
}

function keyOf(deployment: ScheduledDeployment, now: number): string {
  const rows = listed(deployment, now).map(({ id, endsAt }) => `${id} ${endsAt <= now ? "over" : "running"}`);
  return rows.toSorted().join("\n");
}

/** azd polls each 5 s, and walks the tree 1 to 10 s after a change. It lists a child until it was seen over twice. */
export function requestsOfAzd(plan: DeploymentPlan): number {
  const root = truthOf(plan);
  const seenOver = new Map<string, number>();
  let requests = Math.ceil(root.endsAt / 5000);
  let gapInMs = 1000;
  let before = "";
  for (let now = 1000; now <= root.endsAt; now += gapInMs) {
    const walk = (deployment: ScheduledDeployment): string => {
      requests++;
      const below = listed(deployment, now).flatMap(({ child, endsAt }) => {
        if (child === undefined || (seenOver.get(child.id) ?? 0) >= 2) return [];
        if (endsAt <= now) seenOver.set(child.id, (seenOver.get(child.id) ?? 0) + 1);
        return [walk(child)];
      });
      return [keyOf(deployment, now), ...below].join("\n");
    };
    const state = walk(root);
    gapInMs = state === before ? Math.min(10_000, gapInMs * 2) : 1000;
    before = state;
  }
  return requests;
}

/** PowerShell refreshes each 5 s, and after 400 s each 60 s: a GET, a list, and two requests for each child, over or not. */
export function requestsOfPowerShell(plan: DeploymentPlan): number {
  const root = truthOf(plan);
  let requests = 0;
  for (let now = 5000; now <= root.endsAt; now += now < 400_000 ? 5000 : 60_000) {
    const below = (deployment: ScheduledDeployment): number =>
      listed(deployment, now).reduce((sum, { child }) => sum + (child ? 2 + below(child) : 0), 0);
    requests += 2 + below(root);
  }
  return requests;
}
