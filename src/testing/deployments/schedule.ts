import { createHash } from "node:crypto";
import { deploymentError, failureOf, nestedError, resourceError } from "./errors.ts";
import { deploymentId, deploymentType, resourceId } from "./ids.ts";
import { isNested } from "./plan.ts";
import type {
  DeploymentErrorShape,
  DeploymentPlan,
  DeploymentTiming,
  PartFailure,
  PlannedPart,
} from "./plan.ts";

/** The state in which a deployment or a part ends. */
export type EndState = "Succeeded" | "Failed" | "Canceled";

/** A part with its times. A part that never starts, because another has failed, has none. */
export interface ScheduledPart {
  readonly plan: PlannedPart;
  readonly id: string;
  readonly type: string;
  /** The names of the deployments around it, and its own: symbolic ones where there are. */
  readonly namePath: readonly string[];
  readonly operationId: string;
  /** Milliseconds of the clock; `Infinity` for a part that never starts. */
  readonly startsAt: number;
  readonly listedAt: number;
  readonly endsAt: number;
  readonly endState: EndState;
  readonly statusCode: string;
  readonly error?: object;
  /** `undefined` for a resource, and for a nested deployment that was rejected. */
  readonly child?: ScheduledDeployment;
}

/** A deployment with its times, in milliseconds of the clock. */
export interface ScheduledDeployment {
  readonly id: string;
  readonly scope: string;
  readonly name: string;
  readonly plan: DeploymentPlan;
  /** The id of its status monitor, and of its last operation. */
  readonly operationId: string;
  readonly startsAt: number;
  readonly runsAt: number;
  /** When the outputs are evaluated; `Infinity` if the deployment does not succeed. */
  readonly evaluatedAt: number;
  readonly endsAt: number;
  readonly endState: EndState;
  readonly error?: object;
  /** In the order of the plan. */
  readonly parts: readonly ScheduledPart[];
}

/** The facts by which a plan becomes a schedule. */
export interface ScheduleRules {
  readonly timing: DeploymentTiming;
  readonly durationOf: (resource: { readonly type: string; readonly name: string }) => number;
  /** Milliseconds of the plan for each of the clock. */
  readonly speed: number;
  /** Differs between runs of one name. */
  readonly run: string;
  /** When each deployment, by its id in small letters, was asked to cancel. */
  readonly cancels: ReadonlyMap<string, number>;
  /** Until when a deployment of an earlier run is active, by its id in small letters. */
  readonly activeUntil: ReadonlyMap<string, number>;
}

interface Place {
  readonly scope: string;
  readonly name: string;
  readonly startsAt: number;
  readonly parentCanceledAt: number;
  readonly shape: DeploymentErrorShape;
  readonly namePath: readonly string[];
}

/**
 * Returns when each part of a deployment starts and ends. A cancel changes nothing before it, so that the schedule can be
 * computed again after each.
 *
 * @throws RangeError if parts depend on each other in a circle, or on one that does not exist
 */
export function schedule(
  plan: DeploymentPlan,
  { scope, name, startsAt }: Pick<Place, "scope" | "name" | "startsAt">,
  rules: ScheduleRules,
): ScheduledDeployment {
  const shape = plan.errorShape ?? "direct";
  return scheduleDeployment(
    plan,
    { scope, name, startsAt, parentCanceledAt: Infinity, shape, namePath: [] },
    rules,
  );
}

function scheduleDeployment(plan: DeploymentPlan, place: Place, rules: ScheduleRules): ScheduledDeployment {
  const { scope, name, startsAt, shape } = place;
  const id = deploymentId(scope, name);
  const { acceptedForInMs, settleInMs, cancelAfterInMs, childrenOutliveInMs } = rules.timing;
  const inClock = (durationInMs: number): number => durationInMs / rules.speed;
  const canceledAt = Math.min(
    (rules.cancels.get(id.toLowerCase()) ?? Infinity) + inClock(cancelAfterInMs),
    place.parentCanceledAt + inClock(childrenOutliveInMs),
  );
  const parts = scheduleParts(plan.resources ?? [], { ...place, canceledAt, id }, rules);
  const runsAt = startsAt + inClock(acceptedForInMs);
  const started = parts.filter((part) => part.startsAt < Infinity);
  const lastEnd = started.reduce((latest, { endsAt }) => Math.max(latest, endsAt), runsAt);
  const settledAt = lastEnd + inClock(settleInMs);
  const failed = started.filter(({ endState }) => endState === "Failed");
  const isCanceled = canceledAt < settledAt;
  const naturalState = failed.length > 0 ? "Failed" : "Succeeded";
  const endState = isCanceled ? "Canceled" : naturalState;
  const errors = failed.toSorted((one, other) => one.endsAt - other.endsAt).map(({ error }) => error);
  return {
    id,
    scope,
    name,
    plan,
    operationId: statusIdOf(`${rules.run} ${id}`),
    startsAt,
    runsAt,
    evaluatedAt: endState === "Succeeded" ? lastEnd + inClock(settleInMs) / 2 : Infinity,
    endsAt: isCanceled ? Math.max(canceledAt, startsAt) : settledAt,
    endState,
    ...(endState === "Failed" && {
      error: deploymentError(
        shape,
        id,
        errors.filter((error) => error !== undefined),
      ),
    }),
    parts,
  };
}

interface DeploymentPlace extends Place {
  readonly id: string;
  readonly canceledAt: number;
}

function scheduleParts(
  plans: readonly PlannedPart[],
  place: DeploymentPlace,
  rules: ScheduleRules,
): readonly ScheduledPart[] {
  const scheduled = new Map<PlannedPart, ScheduledPart | "pending">();
  const byName = indexOf(plans);
  const scheduleOnce = (plan: PlannedPart): ScheduledPart => {
    const known = scheduled.get(plan);
    if (known === "pending")
      throw new RangeError(`dependsOn: expected no circle, got one through ${plan.name}`);
    if (known) return known;
    scheduled.set(plan, "pending");
    const needed = (plan.dependsOn ?? []).flatMap((name) => partsNamed(byName, name, plan)).map(scheduleOnce);
    const part = schedulePart(plan, startOf(plan, needed, place, rules), place, rules);
    scheduled.set(plan, part);
    return part;
  };
  return plans.map(scheduleOnce);
}

function indexOf(plans: readonly PlannedPart[]): ReadonlyMap<string, readonly PlannedPart[]> {
  const byName = new Map<string, PlannedPart[]>();
  for (const plan of plans) {
    const names = new Set([plan.name, plan.symbolicName ?? plan.name, `${typeOf(plan)}/${plan.name}`]);
    for (const name of names) {
      const others = byName.get(name.toLowerCase());
      if (others) others.push(plan);
      else byName.set(name.toLowerCase(), [plan]);
    }
  }
  return byName;
}

function partsNamed(
  byName: ReadonlyMap<string, readonly PlannedPart[]>,
  name: string,
  { name: dependent }: PlannedPart,
): readonly PlannedPart[] {
  const named = byName.get(name.toLowerCase());
  if (named) return named;
  throw new RangeError(
    `dependsOn of ${dependent}: expected a part of the same deployment, got ${JSON.stringify(name)}`,
  );
}

function startOf(
  { startInMs = 0 }: PlannedPart,
  needed: readonly ScheduledPart[],
  { startsAt, canceledAt }: DeploymentPlace,
  { speed }: ScheduleRules,
): number {
  if (needed.some(({ endState }) => endState !== "Succeeded")) return Infinity;
  const start = needed.reduce((latest, { endsAt }) => Math.max(latest, endsAt), startsAt + startInMs / speed);
  return start < canceledAt ? start : Infinity;
}

function typeOf(plan: PlannedPart): string {
  return isNested(plan) ? deploymentType : plan.type;
}

function schedulePart(
  plan: PlannedPart,
  startsAt: number,
  place: DeploymentPlace,
  rules: ScheduleRules,
): ScheduledPart {
  const { shape, canceledAt } = place;
  const scope = plan.scope ?? place.scope;
  const type = typeOf(plan);
  const id = resourceId(scope, type, plan.name);
  const operationId = operationIdOf(`${rules.run} ${place.id} ${id}`);
  const namePath = [...place.namePath, plan.symbolicName ?? plan.name];
  const identity = { plan, id, type, namePath, operationId };
  if (startsAt === Infinity) {
    const never = { startsAt, listedAt: Infinity, endsAt: Infinity };
    return { ...identity, ...never, endState: "Canceled", statusCode: "" };
  }
  const failure = startsAt < (rules.activeUntil.get(id.toLowerCase()) ?? 0) ? isActive(id) : plan.failure;
  const end =
    isNested(plan) && failure === undefined
      ? endOfNested(plan, scope, startsAt, place, rules)
      : endOfResource({ ...plan, ...(failure && { failure }) }, startsAt, { id, type, shape }, rules);
  const { endsAt, ...ending } = end;
  const listedAfterInMs = (plan.listedAfterInMs ?? rules.timing.listedAfterInMs) / rules.speed;
  const listedAt = Math.min(startsAt + listedAfterInMs, endsAt);
  const times = { startsAt, listedAt };
  if (endsAt <= canceledAt) return { ...identity, ...times, endsAt, ...ending };
  const child = "child" in ending ? { child: ending.child } : {};
  return { ...identity, ...times, endsAt: canceledAt, endState: "Canceled", statusCode: "OK", ...child };
}

type Ending = Pick<ScheduledPart, "endsAt" | "endState" | "statusCode" | "error" | "child">;

function endOfResource(
  plan: PlannedPart,
  startsAt: number,
  { id, type, shape }: { readonly id: string; readonly type: string; readonly shape: DeploymentErrorShape },
  { durationOf, speed }: ScheduleRules,
): Ending {
  const { name, failure } = plan;
  const planned = isNested(plan) ? 0 : plan.durationInMs;
  const endsAt = startsAt + (planned ?? durationOf({ type, name })) / speed;
  if (failure === undefined) return { endsAt, endState: "Succeeded", statusCode: "OK" };
  const failed = failureOf(failure, { id, type, name });
  const { statusCode } = failed;
  return { endsAt, endState: "Failed", statusCode, error: resourceError(shape, failed) };
}

function endOfNested(
  { deployment, name, symbolicName = name }: Extract<PlannedPart, { deployment: DeploymentPlan }>,
  scope: string,
  startsAt: number,
  { canceledAt, ...place }: DeploymentPlace,
  rules: ScheduleRules,
): Ending {
  const shape = deployment.errorShape ?? place.shape;
  const child = scheduleDeployment(
    deployment,
    {
      scope,
      name,
      startsAt,
      parentCanceledAt: canceledAt,
      shape,
      namePath: [...place.namePath, symbolicName],
    },
    rules,
  );
  const endsAt = child.endsAt + rules.timing.parentLagInMs / rules.speed;
  if (child.endState === "Succeeded") return { child, endsAt, endState: "Succeeded", statusCode: "OK" };
  const error = nestedError(place.shape, child.endState, child.error);
  return { child, endsAt, endState: "Failed", statusCode: "Conflict", error };
}

/** A deployment of this id from an earlier run goes on. */
function isActive(id: string): PartFailure {
  const message = `The deployment with resource id '${id}' cannot be saved, because this would overwrite an existing deployment which is still active.`;
  return { error: { code: "DeploymentActive", message }, statusCode: "Conflict" };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function operationIdOf(text: string): string {
  return hashOf(text).slice(0, 16).toUpperCase();
}

/** Like Azure's: 20 digits that begin with `0858`. */
function statusIdOf(text: string): string {
  return `0858${BigInt(`0x${hashOf(text).slice(0, 16)}`)
    .toString()
    .padStart(16, "0")
    .slice(0, 16)}`;
}
