/**
 * Deployments as data: a tree of parts with their times. The times of a run are drawn from those of its template, so
 * that runs of one kind are alike, but not the same.
 */
import { normal, seeded } from "../schedule/random.ts";

/** The shape of the deployments to generate. */
export interface Shape {
  readonly leaves: number;
  readonly deployments: number;
  readonly levels: number;
}

/** A resource of a template, or a nested deployment. */
export interface TemplatePart {
  readonly name: string;
  readonly type: string;
  readonly typicalInMs: number;
  /** Places of parts of the same deployment that come before. */
  readonly dependsOn: readonly number[];
  readonly child?: Template;
}

export interface Template {
  readonly id: string;
  readonly parts: readonly TemplatePart[];
}

/** A part of one run, in milliseconds since the root started. */
export interface RunPart {
  readonly template: TemplatePart;
  readonly id: string;
  readonly startsAt: number;
  readonly listedAt: number;
  readonly endsAt: number;
  /** When its parent's list shows it as over. */
  readonly shownOverAt: number;
  readonly child?: Run;
}

export interface Run {
  readonly id: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly parts: readonly RunPart[];
}

/** Typical durations in seconds, by the field notes, and how often a part is of the type. */
const types: readonly (readonly [type: string, seconds: number, weight: number])[] = [
  ["Microsoft.Authorization/policyAssignments", 1, 2],
  ["Microsoft.Resources/resourceGroups", 7, 1],
  ["Microsoft.Network/networkSecurityGroups", 8, 3],
  ["Microsoft.Insights/components", 12, 2],
  ["Microsoft.Storage/storageAccounts", 30, 3],
  ["Microsoft.App/containerApps", 40, 3],
  ["Microsoft.Web/sites", 45, 2],
  ["Microsoft.KeyVault/vaults", 35, 2],
  ["Microsoft.Compute/virtualMachines", 120, 1],
];
const pole = ["Microsoft.Network/virtualNetworkGateways", 600] as const;

const deploymentType = "Microsoft.Resources/deployments";
const parentLagInMs = 7000;
const listedAfterInMs = 2500;
const scope = "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/bench";

/** Generates the template of one kind of deployment. */
export function generateTemplate(seed: number, { leaves, deployments, levels }: Shape): Template {
  const random = seeded(seed);
  const depths = [0];
  const parents = [-1];
  for (let i = 1; i < deployments; i++) {
    const open = depths.map((depth, place) => ({ depth, place })).filter(({ depth }) => depth < levels - 1);
    // The first ones make a chain, so that every level is there.
    const parent = i < levels ? i - 1 : (open[Math.floor(random() * open.length)]?.place ?? 0);
    parents.push(parent);
    depths.push((depths[parent] ?? 0) + 1);
  }
  const leavesOf = depths.map(() => 0);
  for (let i = 0; i < leaves; i++) {
    // Each nested deployment has one at least.
    const place = i < deployments - 1 ? i + 1 : Math.floor(random() * deployments);
    leavesOf[place] = (leavesOf[place] ?? 0) + 1;
  }
  const polePlace = Math.floor(random() * leaves);
  let made = 0;
  const build = (place: number): Template => {
    const parts: TemplatePart[] = [];
    const add = (part: Omit<TemplatePart, "dependsOn">): void => {
      const dependsOn = parts.length > 0 && random() < 0.5 ? [Math.floor(random() * parts.length)] : [];
      parts.push({ ...part, dependsOn });
    };
    const children = parents.flatMap((parent, child) => (parent === place ? [child] : []));
    const order = [
      ...children.map((child) => ({ child })),
      ...Array.from({ length: leavesOf[place] ?? 0 }, () => ({ child: -1 })),
    ]
      .map((item) => ({ ...item, at: random() }))
      .toSorted((one, other) => one.at - other.at);
    for (const { child } of order) {
      if (child >= 0) {
        add({ name: `nested${child}`, type: deploymentType, typicalInMs: 0, child: build(child) });
        continue;
      }
      const [type, seconds] = made === polePlace ? pole : pick(random);
      add({ name: `part${made++}`, type, typicalInMs: seconds * 1000 * Math.exp(0.4 * normal(random)) });
    }
    return { id: `${scope}/providers/${deploymentType}/d${place}`, parts };
  };
  return build(0);
}

function pick(random: () => number): readonly [type: string, seconds: number] {
  const total = types.reduce((sum, [, , weight]) => sum + weight, 0);
  let rest = random() * total;
  for (const [type, seconds, weight] of types) {
    rest -= weight;
    if (rest < 0) return [type, seconds];
  }
  return ["Microsoft.Storage/storageAccounts", 30];
}

/** Draws the times of one run. */
export function drawRun(template: Template, seed: number): Run {
  const random = seeded(seed);
  const draw = ({ id, parts }: Template, startsAt: number): Run => {
    const drawn: RunPart[] = [];
    for (const part of parts) {
      const after = part.dependsOn.map((place) => drawn[place]?.shownOverAt ?? 0);
      const partStartsAt = Math.max(startsAt + 1000, ...after.map((end) => end + 300));
      if (part.child) {
        const child = draw(part.child, partStartsAt);
        const shownOverAt = child.endsAt + parentLagInMs;
        drawn.push({
          template: part,
          id: child.id,
          startsAt: partStartsAt,
          listedAt: partStartsAt + listedAfterInMs,
          endsAt: child.endsAt,
          shownOverAt,
          child,
        });
        continue;
      }
      const endsAt = partStartsAt + part.typicalInMs * Math.exp(0.2 * normal(random));
      const listedAt = Math.min(endsAt, partStartsAt + listedAfterInMs);
      drawn.push({
        template: part,
        id: `${id.replace(/\/providers\/.*/, "")}/providers/${part.type}/${part.name}`,
        startsAt: partStartsAt,
        listedAt,
        endsAt,
        shownOverAt: endsAt,
      });
    }
    const endsAt = Math.max(startsAt + 1300, ...drawn.map(({ shownOverAt }) => shownOverAt + 300));
    return { id, startsAt, endsAt, parts: drawn };
  };
  return draw(template, 0);
}

/** Returns the parts of all levels. */
export function allParts({ parts }: Run): readonly RunPart[] {
  return parts.flatMap((part) => [part, ...(part.child ? allParts(part.child) : [])]);
}
