import { createHash } from "node:crypto";
import { deploymentType, inOtherCase, subscriptionScope } from "./ids.ts";
import type { DeploymentTiming } from "./plan.ts";
import type { EndState, ScheduledDeployment, ScheduledPart } from "./schedule.ts";

/** The state of a deployment or of a part. */
type ProvisioningState = "Accepted" | "Running" | EndState;

/** The facts of a run that its documents show, beside its schedule. */
export interface RunFacts {
  readonly correlationId: string;
  readonly mode: string;
  readonly location?: string;
  readonly tags?: unknown;
  readonly parameters?: unknown;
  readonly debugSetting?: unknown;
}

/** How lists of operations are written. */
export interface ListRules {
  readonly timing: DeploymentTiming;
  readonly speed: number;
  /** The date of the clock's zero, in milliseconds. */
  readonly epoch: number;
  readonly apiVersion: string;
  /** Whether ids come in other letters than the client's. */
  readonly variesCase: boolean;
}

export function stateAt({ runsAt, endsAt, endState }: ScheduledDeployment, now: number): ProvisioningState {
  if (now >= endsAt) return endState;
  return now < runsAt ? "Accepted" : "Running";
}

/** Returns the body of the status monitor: no percentage, and no id. */
export function statusBody(deployment: ScheduledDeployment, now: number): object {
  const status = stateAt(deployment, now);
  return { status, ...(status === "Failed" && { error: deployment.error }) };
}

/** Returns the body of the deployment itself. */
export function deploymentBody(
  deployment: ScheduledDeployment,
  { location, tags, correlationId, mode, parameters, debugSetting }: RunFacts,
  now: number,
  epoch: number,
): object {
  const { id, name, startsAt } = deployment;
  const provisioningState = stateAt(deployment, now);
  const hasSucceeded = provisioningState === "Succeeded";
  return {
    id,
    name,
    type: deploymentType,
    ...(location !== undefined && { location }),
    ...(tags !== undefined && { tags }),
    properties: {
      templateHash: templateHashOf(deployment),
      ...(parameters !== undefined && { parameters }),
      mode,
      ...(debugSetting !== undefined && { debugSetting }),
      provisioningState,
      timestamp: wireDate(epoch + lastStepAt(deployment, now)),
      duration: wireDuration(lastStepAt(deployment, now) - startsAt),
      correlationId,
      providers: providersOf(deployment),
      dependencies: dependenciesOf(deployment),
      ...(hasSucceeded && {
        outputs: outputsOf(deployment),
        outputResources: leavesOf(deployment).map((leafId) => ({ id: leafId })),
      }),
      ...(provisioningState === "Failed" && { error: deployment.error }),
    },
  };
}

/** The engine writes the deployment down only when its own state changes, whatever its parts do. */
function lastStepAt({ startsAt, runsAt, endsAt }: ScheduledDeployment, now: number): number {
  if (now >= endsAt) return endsAt;
  return now < runsAt ? startsAt : runsAt;
}

function templateHashOf({ id, parts }: ScheduledDeployment): string {
  const hex = createHash("sha256").update(`${id} ${parts.length}`).digest("hex").slice(0, 16);
  return BigInt(`0x${hex}`).toString();
}

function providersOf({ parts }: ScheduledDeployment): readonly object[] {
  const typesByNamespace = new Map<string, Set<string>>();
  for (const { type } of parts) {
    const [namespace = "", ...rest] = type.split("/");
    const types = typesByNamespace.get(namespace) ?? new Set();
    typesByNamespace.set(namespace, types.add(rest.join("/")));
  }
  return Array.from(typesByNamespace, ([namespace, types]) => ({
    namespace,
    resourceTypes: Array.from(types, (resourceType) => ({ resourceType, locations: [null] })),
  }));
}

/** Only parts with a `dependsOn`, of this level only. */
function dependenciesOf({ parts }: ScheduledDeployment): readonly object[] {
  return parts
    .filter(({ plan }) => (plan.dependsOn ?? []).length > 0)
    .map((part) => ({
      dependsOn: parts.filter((other) => dependsOn(part, other)).map(referenceTo),
      ...referenceTo(part),
    }));
}

function dependsOn(
  { plan: { dependsOn: names = [] } }: ScheduledPart,
  { type, plan }: ScheduledPart,
): boolean {
  const own = [plan.name, plan.symbolicName, `${type}/${plan.name}`].map((text) => text?.toLowerCase());
  return names.some((name) => own.includes(name.toLowerCase()));
}

function referenceTo({ id, type: resourceType, plan: { name: resourceName } }: ScheduledPart): object {
  return { id, resourceType, resourceName };
}

function outputsOf({ plan: { outputs = {} } }: ScheduledDeployment): object {
  const entries = Object.entries(outputs).map(([name, value]) => [name, { type: outputType(value), value }]);
  return Object.fromEntries(entries);
}

function outputType(value: unknown): string {
  if (Array.isArray(value)) return "Array";
  const names: Readonly<Record<string, string>> = { string: "String", number: "Int", boolean: "Bool" };
  return names[typeof value] ?? "Object";
}

/** The resources of all levels, without nested deployments. */
function leavesOf({ parts }: ScheduledDeployment): readonly string[] {
  return parts.flatMap(({ id, child }) => (child ? leavesOf(child) : [id]));
}

/** The parts of all levels, with nested deployments. */
function partsOfAllLevels({ parts }: ScheduledDeployment): readonly ScheduledPart[] {
  return parts.flatMap((part) => [part, ...(part.child ? partsOfAllLevels(part.child) : [])]);
}

/** Returns the body of a successful validation. */
export function validationBody(deployment: ScheduledDeployment, facts: RunFacts, timestamp: number): object {
  const { id, name } = deployment;
  return {
    id,
    name,
    type: deploymentType,
    properties: {
      templateHash: templateHashOf(deployment),
      parameters: facts.parameters ?? {},
      mode: facts.mode,
      provisioningState: "Succeeded",
      timestamp: wireDate(timestamp),
      duration: "PT0S",
      correlationId: facts.correlationId,
      providers: providersOf(deployment),
      dependencies: dependenciesOf(deployment),
      validatedResources: partsOfAllLevels(deployment).map((part) => ({ id: part.id })),
    },
  };
}

/** Returns the body of a what-if that has succeeded. */
export function whatIfBody(deployment: ScheduledDeployment, { correlationId }: RunFacts): object {
  return { status: "Succeeded", properties: { correlationId, changes: changesOf(deployment) } };
}

function changesOf({ id: ownId, parts }: ScheduledDeployment): readonly object[] {
  return parts.flatMap(({ id, type, plan, child }) => {
    if (child) return changesOf(child);
    const { changeType = "Create", symbolicName, name } = plan;
    const identity = {
      resourceId: id,
      deploymentId: ownId,
      ...(symbolicName !== undefined && { symbolicName }),
    };
    return [{ ...identity, changeType, after: { id, type, name: name.replace(/^.*\//, "") } }];
  });
}

/** Returns the rows of a list of operations, newest first, each as JSON text. */
export function operationRows(
  deployment: ScheduledDeployment,
  now: number,
  rules: ListRules,
): readonly string[] {
  const moment = now - rules.timing.listLagInMs / rules.speed;
  const rows = deployment.parts
    .filter(({ listedAt }) => listedAt <= moment)
    .toSorted((one, other) => other.startsAt - one.startsAt)
    .map((part) => JSON.stringify(partRow(deployment, part, moment, rules)));
  if (deployment.evaluatedAt <= moment) rows.push(JSON.stringify(evaluationRow(deployment, rules)));
  return rows;
}

function partRow(
  { id: deploymentId }: ScheduledDeployment,
  part: ScheduledPart,
  now: number,
  { timing, speed, epoch, apiVersion, variesCase }: ListRules,
): object {
  const { operationId, startsAt, endsAt, listedAt, error, type, plan } = part;
  const isOver = now >= endsAt;
  // A running part's timestamp is that of the engine's last request to the provider.
  const tickInMs = timing.tickInMs / speed;
  const seenAt = isOver ? endsAt : listedAt + Math.floor((now - listedAt) / tickInMs) * tickInMs;
  const statusCode = isOver ? part.statusCode : seenAt - startsAt < 10_000 / speed ? "Accepted" : "OK";
  const { name: resourceName, symbolicName } = plan;
  return {
    id: `${deploymentId}/operations/${operationId}`,
    operationId,
    properties: {
      provisioningOperation: "Create",
      provisioningState: isOver ? part.endState : "Running",
      timestamp: wireDate(epoch + seenAt),
      duration: wireDuration(seenAt - startsAt),
      trackingId: uuidOf(operationId),
      serviceRequestId: uuidOf(`${operationId}s`),
      statusCode,
      ...(isOver && error !== undefined && { statusMessage: { status: "Failed", error } }),
      targetResource: {
        id: variesCase ? inOtherCase(part.id) : part.id,
        resourceType: variesCase ? type.toLowerCase() : type,
        resourceName,
        ...(symbolicName !== undefined && { symbolicName }),
        ...(apiVersion >= "2026-06-01" && { symbolicNamePath: [symbolicName ?? resourceName] }),
      },
    },
  };
}

/** Its id is that of the status monitor, and it has no `targetResource`. */
function evaluationRow({ id, operationId, evaluatedAt }: ScheduledDeployment, { epoch }: ListRules): object {
  return {
    id: `${id}/operations/${operationId}`,
    operationId,
    properties: {
      provisioningOperation: "EvaluateDeploymentOutput",
      provisioningState: "Succeeded",
      timestamp: wireDate(epoch + evaluatedAt),
      duration: "PT0.0630147S",
      trackingId: uuidOf(operationId),
      statusCode: "OK",
      statusMessage: null,
    },
  };
}

/** Azure's dates have seven digits after the second. */
export function wireDate(timestamp: number): string {
  return new Date(timestamp).toISOString().replace("Z", "0000Z");
}

/** `PT36.712719S`, `PT2H9.4291528S`. */
export function wireDuration(durationInMs: number): string {
  const seconds = Math.round(Math.max(0, durationInMs)) / 1000;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const rest = Number((seconds % 60).toFixed(3));
  const words = [
    hours > 0 && `${hours}H`,
    minutes > 0 && `${minutes}M`,
    (rest > 0 || seconds === 0) && `${rest}S`,
  ];
  return `PT${words.filter((word) => word !== false).join("")}`;
}

/** Returns a UUID that is always the same for a text. */
export function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/** Returns the part of a scope that a limit counts: a subscription; empty for the tenant. */
export function limitedScope(scope: string): string {
  return subscriptionScope(scope).toLowerCase();
}
