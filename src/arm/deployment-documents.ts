import type { PipelineResponse } from "@azure/core-rest-pipeline";
import { parseObject } from "../operation/json-fields.ts";
import { isObject } from "../operation/json-object.ts";
import type { Fields } from "../operation/json-object.ts";
import { fieldOf, toDate } from "../operation/lenient-fields.ts";
import { documentIn } from "../operation/parse-error.ts";
import type { DeploymentFacts } from "./deployment-operation.ts";
import { toDurationInMs } from "./duration.ts";

/** A resource that a deployment has created or updated. */
export interface DeployedResource {
  /** The resource id. */
  readonly id: string;
  /** Fields beyond the id, as they came. */
  readonly [field: string]: unknown;
}

/** The result of a deployment. */
export interface DeploymentResult<TOutputs = Readonly<Record<string, unknown>>> {
  /** The outputs of the template: the value of each by its name. The value of a secure output is `undefined`. */
  readonly outputs: TOutputs;
  /** The resources of all levels, without nested deployments. */
  readonly resources: readonly DeployedResource[];
}

/**
 * Makes the result of a deployment from its document.
 *
 * @throws {@link ContractError} if it is no object
 */
export function parseDeploymentResult<TOutputs>(body: unknown): DeploymentResult<TOutputs> {
  const properties = propertiesOf(parseObject(body, "$"));
  const outputs = fieldOf(properties, "outputs");
  const entries = isObject(outputs) ? Object.entries(outputs) : [];
  const values = Object.fromEntries(entries.map(([name, output]) => [name, valueOf(output)]));
  const resources = fieldOf(properties, "outputResources");
  return {
    // Only the caller knows the outputs of the template.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    outputs: values as TOutputs,
    resources: (Array.isArray(resources) ? resources : []).filter(isResource),
  };
}

/** Finds the resources in the document of a validation. */
export function parseValidation(body: unknown): {
  readonly resources: readonly string[];
  readonly isComplete: boolean;
} {
  const properties = propertiesOf(parseObject(body, "$"));
  const resources = fieldOf(properties, "validatedResources");
  const diagnostics = fieldOf(properties, "diagnostics");
  return {
    resources: (Array.isArray(resources) ? resources : []).filter(isResource).map(({ id }) => id),
    isComplete: !JSON.stringify(diagnostics ?? []).includes("NestedDeploymentSkipped"),
  };
}

function valueOf(output: unknown): unknown {
  return isObject(output) ? fieldOf(output, "value") : undefined;
}

function isResource(value: unknown): value is DeployedResource {
  return isObject(value) && typeof value["id"] === "string";
}

/** Finds the facts of a deployment in a response, beside the status. It never throws. */
export function factsIn({ headers, bodyAsText }: PipelineResponse): DeploymentFacts {
  const date = Date.parse(headers.get("date") ?? "");
  const sentAt = Number.isNaN(date) ? undefined : date;
  const body = documentIn(bodyAsText ?? "");
  const properties = isObject(body) ? propertiesOf(body) : {};
  const changedAt = toDate(fieldOf(properties, "timestamp"))?.getTime();
  const durationInMs = toDurationInMs(fieldOf(properties, "duration"));
  const dependencies = fieldOf(properties, "dependencies");
  return {
    sentAt,
    changedAt,
    // Without a duration, a start that is too late would hide the parts that have ended before.
    startedAt: changedAt === undefined || durationInMs === undefined ? undefined : changedAt - durationInMs,
    waitingIds: Array.isArray(dependencies) ? dependencies.flatMap(idsIn) : undefined,
  };
}

/** Returns the ids of a part and of those that it waits for. */
function idsIn(dependency: unknown): readonly string[] {
  if (!isObject(dependency)) return [];
  const others = fieldOf(dependency, "dependsOn");
  return [...(Array.isArray(others) ? others : []), dependency]
    .map((part: unknown) => (isObject(part) ? fieldOf(part, "id") : undefined))
    .filter((id) => typeof id === "string");
}

function propertiesOf(body: Fields): Fields {
  const properties = fieldOf(body, "properties");
  return isObject(properties) ? properties : {};
}
