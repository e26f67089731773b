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
interface ListRules {
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
    .map((part) => partRow(part, deployment.id, moment, rules));
  if (deployment.evaluatedAt <= moment) rows.push(JSON.stringify(evaluationRow(deployment, rules)));
  return rows;
}

/** The parts of a row that never change, as JSON texts. */
interface FixedTexts {
  readonly head: string;
  readonly error: string;
  readonly target: string;
  /** The latest row, which is the same while its part's timestamp is. */
  latest?: { readonly seenAt: number; readonly isOver: boolean; readonly text: string };
}

/** A simulation lists each part hundreds of times. */
const fixedTexts = {
  withNamePath: new WeakMap<ScheduledPart, FixedTexts>(),
  plain: new WeakMap<ScheduledPart, FixedTexts>(),
};

/** Since 2026-06-01 the target of an operation has the names on the path to it. */
function hasNamePath({ apiVersion }: ListRules): boolean {
  return apiVersion >= "2026-06-01";
}

function fixedTextsOf(part: ScheduledPart, deploymentId: string, rules: ListRules): FixedTexts {
  const texts = fixedTexts[hasNamePath(rules) ? "withNamePath" : "plain"];
  const known = texts.get(part);
  if (known) return known;
  const { operationId, error } = part;
  const identity = { id: `${deploymentId}/operations/${operationId}`, operationId };
  const ids = { trackingId: uuidOf(operationId), serviceRequestId: uuidOf(`${operationId}s`) };
  const made: FixedTexts = {
    head: `${JSON.stringify(identity).slice(0, -1)},"properties":{"provisioningOperation":"Create",${JSON.stringify(ids).slice(1, -1)}`,
    error: error === undefined ? "" : `,"statusMessage":${JSON.stringify({ status: "Failed", error })}`,
    target: JSON.stringify(targetOf(part, rules)),
  };
  texts.set(part, made);
  return made;
}

function targetOf({ id, type, plan, namePath }: ScheduledPart, rules: ListRules): object {
  const { name: resourceName, symbolicName } = plan;
  return {
    id: rules.variesCase ? inOtherCase(id) : id,
    resourceType: rules.variesCase ? type.toLowerCase() : type,
    resourceName,
    ...(symbolicName !== undefined && { symbolicName }),
    ...(hasNamePath(rules) && { symbolicNamePath: namePath }),
  };
}

/** A part's `statusCode` while it runs: the engine's first request is accepted, and later ones are OK. */
const acceptedForInMs = 10_000;

function partRow(part: ScheduledPart, deploymentId: string, now: number, rules: ListRules): string {
  const { timing, speed, epoch } = rules;
  const { startsAt, endsAt, listedAt } = part;
  const texts = fixedTextsOf(part, deploymentId, rules);
  const isOver = now >= endsAt;
  // A running part's timestamp is that of the engine's last request to the provider.
  const tickInMs = timing.tickInMs / speed;
  const seenAt = isOver ? endsAt : listedAt + Math.floor((now - listedAt) / tickInMs) * tickInMs;
  const { head, error, target, latest } = texts;
  if (latest?.seenAt === seenAt && latest.isOver === isOver) return latest.text;
  const runningCode = (seenAt - startsAt) * speed < acceptedForInMs ? "Accepted" : "OK";
  const [state, code] = isOver ? [part.endState, part.statusCode] : ["Running", runningCode];
  const times = `"timestamp":"${wireDate(epoch + seenAt)}","duration":"${wireDuration(seenAt - startsAt)}"`;
  const status = `"provisioningState":"${state}",${times},"statusCode":${JSON.stringify(code)}`;
  const text = `${head},${status}${isOver ? error : ""},"targetResource":${target}}}`;
  texts.latest = { seenAt, isOver, text };
  return text;
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
function wireDate(timestamp: number): string {
  return new Date(timestamp).toISOString().replace("Z", "0000Z");
}

/** `PT36.712719S`, `PT2H9.4291528S`. */
function wireDuration(durationInMs: number): string {
  const whole = Math.round(Math.max(0, durationInMs));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3_600_000),
    Math.floor(whole / 60_000) % 60,
    whole % 60_000,
  ];
  const seconds = rest > 0 || whole === 0 ? `${rest / 1000}S` : "";
  return `PT${hours > 0 ? `${hours}H` : ""}${minutes > 0 ? `${minutes}M` : ""}${seconds}`;
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
