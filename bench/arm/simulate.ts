import { LroClient, pollUntilDone } from "../../src/index.ts";
import type { OperationPart, PollOptions } from "../../src/index.ts";
import { deployment } from "../../src/arm/index.ts";
import type { DeploymentOptions, DeploymentResult } from "../../src/arm/index.ts";
import { createVirtualClock, emulateDeployments } from "../../src/testing/index.ts";
import type { DeploymentPlan, PlannedPart } from "../../src/testing/index.ts";
import { defaultTiming } from "../../src/testing/deployments/plan.ts";
import { schedule } from "../../src/testing/deployments/schedule.ts";
import type { ScheduledDeployment } from "../../src/testing/deployments/schedule.ts";
import { normal, seeded } from "../schedule/random.ts";

/** How one wait went. Times are milliseconds. */
export interface Wait {
  readonly requests: number;
  /** Requests for the deployment itself. */
  readonly polls: number;
  readonly durationInMs: number;
  /** From the end of the deployment until the caller knew. */
  readonly latenessInMs: number;
  /** From the first progress that showed the end until the wait settled, with the last parts. */
  readonly settledInMs: number;
  /** From the end of each resource until a progress showed it; `Infinity` where none did. */
  readonly partLatenessInMs: readonly number[];
  /** How far the percentage was from the share of time, in points: the mean over the time of the wait. */
  readonly percentageError: number | undefined;
}

/** The wait to simulate. */
export interface WaitOptions {
  readonly isObserved: boolean;
  readonly poll?: PollOptions<DeploymentResult>;
  readonly deployment?: DeploymentOptions;
  readonly seed: number;
}

const scope = "/subscriptions/s1/resourceGroups/g1";

/** Waits for a deployment of this plan, by this library, with a virtual clock. */
export async function simulate(plan: DeploymentPlan, options: WaitOptions): Promise<Wait> {
  const clock = createVirtualClock();
  const { addDeployment, httpClient, endpoint, requests } = emulateDeployments({ clock, latencyInMs: 100 });
  const { id } = addDeployment({ ...plan, scope, name: "d1" });
  const truth = truthOf(plan);
  const seen = new Map<string, number>();
  let endedAt: number | undefined;
  const percentages: { at: number; percentage: number }[] = [];
  const client = new LroClient(endpoint, undefined, { httpClient });
  const waiting = pollUntilDone(deployment(client, id, options.deployment), {
    clock,
    random: seeded(options.seed),
    ...options.poll,
    ...(options.isObserved && {
      onProgress: ({ status, operation: { parts = [], percentComplete } }) => {
        if (isOver({ status })) endedAt ??= clock.now();
        for (const part of leavesOf(parts))
          if (isOver(part)) seen.set(part.id ?? "", seen.get(part.id ?? "") ?? clock.now());
        if (percentComplete !== undefined) percentages.push({ at: clock.now(), percentage: percentComplete });
      },
    }),
  });
  await clock.runUntilSettled(waiting.catch(() => {}));
  const settledAt = clock.now();
  endedAt ??= settledAt;
  const leaves = resourcesOf(truth).filter(({ endsAt }) => Number.isFinite(endsAt));
  return {
    requests: requests.length,
    polls: requests.filter((line) => !line.includes("/operations")).length,
    durationInMs: truth.endsAt,
    latenessInMs: endedAt - truth.endsAt,
    settledInMs: settledAt - endedAt,
    partLatenessInMs: leaves.map((part) => (seen.get(part.id) ?? Infinity) - part.endsAt),
    percentageError: errorOf(percentages, truth.endsAt),
  };
}

/** Returns the schedule by which the emulator runs a plan. */
export function truthOf(plan: DeploymentPlan): ScheduledDeployment {
  const rules = {
    timing: defaultTiming,
    durationOf: () => 5000,
    speed: 1,
    run: "",
    cancels: new Map(),
    activeUntil: new Map(),
  };
  return schedule(plan, { scope, name: "d1", startsAt: 0 }, rules);
}

/** Returns the resources of all levels. */
export function resourcesOf({ parts }: ScheduledDeployment): ScheduledDeployment["parts"] {
  return parts.flatMap((part) => (part.child ? resourcesOf(part.child) : [part]));
}

function leavesOf(parts: readonly OperationPart[]): readonly OperationPart[] {
  return parts.flatMap((part) => (part.parts.length > 0 ? leavesOf(part.parts) : [part]));
}

function isOver({ status }: Pick<OperationPart, "status">): boolean {
  return status === "Succeeded" || status === "Failed" || status === "Canceled";
}

function errorOf(
  percentages: readonly { readonly at: number; readonly percentage: number }[],
  endsAt: number,
): number | undefined {
  if (percentages.length === 0) return undefined;
  let sum = 0;
  const samples = 200;
  for (let i = 0; i < samples; i++) {
    const at = ((i + 0.5) / samples) * endsAt;
    const shown = percentages.findLast((point) => point.at <= at)?.percentage ?? 0;
    sum += Math.abs(shown - (100 * at) / endsAt);
  }
  return sum / samples;
}

/** The spread of a resource's duration from one run to the next, as a standard deviation of its logarithm. */
const runSpread = 0.2;

/** Returns another run of the same kind: each resource takes a little longer or shorter. */
export function anotherRun(plan: DeploymentPlan, seed: number): DeploymentPlan {
  const random = seeded(seed);
  const varied = (part: PlannedPart): PlannedPart => {
    if ("deployment" in part) return { ...part, deployment: vary(part.deployment) };
    const { durationInMs = 5000 } = part;
    return { ...part, durationInMs: Math.round(durationInMs * Math.exp(runSpread * normal(random))) };
  };
  const vary = (deployed: DeploymentPlan): DeploymentPlan => ({
    ...deployed,
    resources: (deployed.resources ?? []).map(varied),
  });
  return vary(plan);
}

/** The past durations that runs leave behind: of the whole, and of each resource type. */
export interface Past {
  readonly pastDurationsInMs: readonly number[];
  readonly pastDurationsOfTypes: Readonly<Record<string, readonly number[]>>;
}

/** Returns what so many runs of the same kind leave behind. */
export function pastOf(plan: DeploymentPlan, runs: number, seed: number): Past {
  const totals: number[] = [];
  const types = new Map<string, number[]>();
  for (let run = 0; run < runs; run++) {
    const truth = truthOf(anotherRun(plan, seed * 1000 + run));
    totals.push(truth.endsAt);
    for (const { type, startsAt, endsAt } of resourcesOf(truth)) {
      const list = types.get(type) ?? [];
      list.push(endsAt - startsAt);
      types.set(type, list);
    }
  }
  return { pastDurationsInMs: totals, pastDurationsOfTypes: Object.fromEntries(types) };
}
