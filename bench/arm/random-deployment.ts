import type { DeploymentPlan, PartFailure, PlannedPart, PlannedResource } from "../../src/testing/index.ts";
import { defaultTiming } from "../../src/testing/deployments/plan.ts";
import { schedule } from "../../src/testing/deployments/schedule.ts";
import { normal, seeded } from "../schedule/random.ts";

/** The size of a random deployment. */
export interface DeploymentShape {
  readonly seed: number;
  /** Resources, on all levels. Default 60. */
  readonly parts?: number;
  /** Default 3. */
  readonly levels?: number;
  /** Deployments, with the root. Default 13. */
  readonly deployments?: number;
  /** The mean of its duration, in milliseconds: 0.7 to 1.3 of it. Default 883 s. */
  readonly durationInMs?: number;
  /** The cause for which a resource of the lowest level fails. Default: none fails. */
  readonly failure?: PartFailure;
}

/** The three sizes of the benchmark. */
export const shapes = {
  many: { parts: 300, levels: 4, deployments: 40 },
  usual: { parts: 60, levels: 3, deployments: 13 },
  small: { parts: 5, levels: 1, deployments: 1, durationInMs: 90_000 },
} as const satisfies Readonly<Record<string, Omit<DeploymentShape, "seed">>>;

/** Median seconds, by type: rough figures of published recordings and workshops. */
const typicalSeconds: readonly (readonly [type: string, seconds: number])[] = [
  ["Microsoft.Authorization/policyAssignments", 0.7],
  ["Microsoft.Authorization/roleAssignments", 3],
  ["Microsoft.Insights/components", 6],
  ["Microsoft.Network/networkSecurityGroups", 8],
  ["Microsoft.KeyVault/vaults", 20],
  ["Microsoft.Network/virtualNetworks", 12],
  ["Microsoft.Storage/storageAccounts", 30],
  ["Microsoft.App/containerApps", 35],
  ["Microsoft.Web/sites", 45],
];
/** One resource takes far longer than the rest. */
const longPoleType = "Microsoft.ApiManagement/service";
const spread = 0.5;
const dependentShare = 0.3;

type Resource = { -readonly [field in keyof PlannedResource]: PlannedResource[field] };

interface Draft {
  readonly level: number;
  readonly parts: (Draft | Resource)[];
  readonly name: string;
  dependsOn: readonly string[];
}

/** Returns a deployment whose size is given and whose tree, durations and dependencies are random: always the same. */
export function randomDeployment({
  seed,
  parts = 60,
  levels = 3,
  deployments = 13,
  durationInMs = 883_000,
  failure,
}: DeploymentShape): DeploymentPlan {
  const random = seeded(seed);
  const drafts = draftTree(random, levels, deployments);
  const resources = Array.from({ length: parts }, (_, index) => randomResource(random, index));
  for (const [index, resource] of resources.entries())
    (drafts[index] ?? pick(random, drafts)).parts.push(resource);
  for (const draft of drafts) addDependencies(random, draft);
  const [root] = drafts;
  const pole = pick(random, resources);
  pole.type = longPoleType;
  if (failure !== undefined) {
    const deepest = drafts.findLast(({ level }) => level === levels);
    const failing = deepest?.parts.find((part) => "type" in part);
    if (failing && "type" in failing) failing.failure = failure;
  }
  const target = durationInMs * (0.7 + 0.6 * random());
  if (root === undefined) return {};
  fitPole(root, pole, target);
  return planOf(root);
}

function pick<T>(random: () => number, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError("items: expected at least one, got none");
  return item;
}

function draftTree(random: () => number, levels: number, count: number): readonly Draft[] {
  const drafts: Draft[] = [];
  for (let index = 0; index < count; index++) {
    const draft = { name: `deployment-${index}`, parts: [], dependsOn: [] };
    const parents = drafts.filter(({ level }) => level < levels);
    // The first ones make a chain, so that each level has one.
    const parent = index < levels ? drafts.at(-1) : pick(random, parents);
    const made = { ...draft, level: (parent?.level ?? 0) + 1 };
    parent?.parts.push(made);
    drafts.push(made);
  }
  return drafts;
}

function randomResource(random: () => number, index: number): Resource {
  const [type, seconds] = pick(random, typicalSeconds);
  const durationInMs = Math.round(seconds * 1000 * Math.exp(spread * normal(random)));
  return { type, name: `part-${index}`, durationInMs };
}

function addDependencies(random: () => number, { parts }: Draft): void {
  for (const [index, part] of parts.entries()) {
    if (index === 0 || random() > dependentShare) continue;
    part.dependsOn = [pick(random, parts.slice(0, index)).name];
  }
}

function planOf({ parts }: Draft): DeploymentPlan {
  return { resources: parts.map(partOf) };
}

function partOf(part: Draft["parts"][number]): PlannedPart {
  if ("type" in part) return { ...part };
  return { name: part.name, dependsOn: part.dependsOn, deployment: planOf(part) };
}

/** Gives the long pole the duration with which the whole takes so long, to a second. */
function fitPole(root: Draft, pole: { durationInMs?: number }, targetInMs: number): void {
  let [low, high] = [0, targetInMs];
  while (high - low > 1000) {
    pole.durationInMs = Math.round((low + high) / 2);
    if (durationOf(planOf(root)) < targetInMs) low = pole.durationInMs;
    else high = pole.durationInMs;
  }
}

function durationOf(plan: DeploymentPlan): number {
  const rules = {
    timing: defaultTiming,
    durationOf: () => 0,
    speed: 1,
    run: "",
    cancels: new Map(),
    activeUntil: new Map(),
  };
  return schedule(plan, { scope: "/subscriptions/s", name: "d", startsAt: 0 }, rules).endsAt;
}
