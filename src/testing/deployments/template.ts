import { deploymentType, isSameText, subscriptionScope } from "./ids.ts";
import type { DeploymentPlan, PlannedPart } from "./plan.ts";

/** A JSON object of a template. */
type Fields = Readonly<Record<string, unknown>>;

/** The values that expressions of a template can name. */
type Parameters = Readonly<Record<string, unknown>>;

/**
 * Returns the plan of a deployment by its request's body. It knows parameters, `copy` with a number, `condition`,
 * `existing` and nested templates; any other expression stays as text. `metadata.durationInMs` of a resource is its
 * duration.
 */
export function planOfRequest(body: unknown, scope: string): DeploymentPlan {
  return planOfProperties(fieldsOf(fieldsOf(body)["properties"]), scope);
}

function planOfProperties(properties: Fields, scope: string): DeploymentPlan {
  const template = fieldsOf(properties["template"]);
  const parameters = parametersOf(template, properties);
  const resources = namedResources(template["resources"]).flatMap(([symbolicName, resource]) =>
    partsOf(resource, symbolicName, parameters, scope),
  );
  return { resources: withKnownDependencies(resources), outputs: outputsOf(template, parameters) };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && !Array.isArray(value) ? { ...value } : {};
}

function parametersOf(template: Fields, properties: Fields): Parameters {
  const declared = Object.entries(fieldsOf(template["parameters"])).map(([name, parameter]) => [
    name,
    fieldsOf(parameter)["defaultValue"],
  ]);
  const given = Object.entries(fieldsOf(properties["parameters"])).map(([name, parameter]) => [
    name,
    fieldsOf(parameter)["value"],
  ]);
  return { ...Object.fromEntries(declared), ...Object.fromEntries(given) };
}

function outputsOf(template: Fields, parameters: Parameters): Readonly<Record<string, unknown>> {
  const outputs = Object.entries(fieldsOf(template["outputs"])).map(([name, output]) => [
    name,
    resolved(fieldsOf(output)["value"], parameters),
  ]);
  return Object.fromEntries(outputs);
}

/** Templates of language version 2.0 name their resources. */
function namedResources(resources: unknown): readonly (readonly [string | undefined, Fields])[] {
  if (Array.isArray(resources)) return resources.map((resource: unknown) => [undefined, fieldsOf(resource)]);
  return Object.entries(fieldsOf(resources)).map(([name, resource]) => [name, fieldsOf(resource)]);
}

function partsOf(
  resource: Fields,
  symbolicName: string | undefined,
  parameters: Parameters,
  scope: string,
): readonly PlannedPart[] {
  if (resolved(resource["condition"], parameters) === false || resource["existing"] === true) return [];
  const part = partOf(resource, symbolicName, parameters, scope);
  const { count } = { count: 1, ...fieldsOf(resource["copy"]) };
  if (resource["copy"] === undefined) return [part];
  return Array.from({ length: Number(resolved(count, parameters)) }, (_, index) => ({
    ...part,
    name: part.name.includes("copyIndex")
      ? part.name.replace(/^\[(?:format|concat)\('([^'{]*)(?:\{0\})?'.*\]$/, `$1${index}`)
      : `${part.name}${index}`,
    symbolicName: textOf(fieldsOf(resource["copy"])["name"], part.name),
  }));
}

function partOf(
  resource: Fields,
  symbolicName: string | undefined,
  parameters: Parameters,
  scope: string,
): PlannedPart {
  const type = textOf(resolved(resource["type"], parameters), "");
  const name = textOf(resolved(resource["name"], parameters), symbolicName ?? "unnamed");
  const dependsOn = Array.isArray(resource["dependsOn"]) ? resource["dependsOn"] : [];
  const { durationInMs } = { durationInMs: undefined, ...fieldsOf(resource["metadata"]) };
  const base = {
    name,
    ...(symbolicName !== undefined && { symbolicName }),
    dependsOn: dependsOn.map((dependency: unknown) =>
      withValues(textOf(resolved(dependency, parameters), ""), parameters),
    ),
  };
  if (isSameText(type, deploymentType)) {
    const ownScope = scopeOf(resource, parameters, scope);
    const deployment = planOfProperties(inheriting(fieldsOf(resource["properties"]), parameters), ownScope);
    return { ...base, scope: ownScope, deployment };
  }
  const scopeOfResource = resolved(resource["scope"], parameters);
  const isElsewhere = typeof scopeOfResource === "string" && /^\/|^$/.test(scopeOfResource);
  return {
    ...base,
    type,
    ...(isElsewhere && { scope: scopeOfResource.replace(/\/$/, "") }),
    ...(typeof durationInMs === "number" && { durationInMs }),
  };
}

/** Resolves the parameters that a nested deployment is given, in terms of those of the template around it. */
function inheriting(properties: Fields, parameters: Parameters): Fields {
  const given = Object.entries(fieldsOf(properties["parameters"])).map(([name, parameter]) => [
    name,
    { value: resolved(fieldsOf(parameter)["value"], parameters) },
  ]);
  return { ...properties, parameters: Object.fromEntries(given) };
}

function scopeOf(resource: Fields, parameters: Parameters, scope: string): string {
  const field = (name: string): string => textOf(resolved(resource[name], parameters), "");
  const explicit = resolved(resource["scope"], parameters);
  if (explicit === "/") return "";
  if (typeof explicit === "string" && explicit !== "")
    return explicit.startsWith("/") ? explicit : `/providers/${explicit}`;
  const group = field("resourceGroup");
  const subscription = field("subscriptionId");
  const ownSubscription = subscription === "" ? subscriptionScope(scope) : `/subscriptions/${subscription}`;
  if (group !== "") return `${ownSubscription}/resourceGroups/${group}`;
  return subscription === "" ? scope : ownSubscription;
}

/** Keeps of each part's dependencies those on other parts, by name: expressions name them in several ways. */
function withKnownDependencies(parts: readonly PlannedPart[]): readonly PlannedPart[] {
  const names = new Set(parts.flatMap(({ name, symbolicName = name }) => [name, symbolicName]));
  return parts.map((part) => ({
    ...part,
    dependsOn: (part.dependsOn ?? []).flatMap((expression) => {
      const quoted = Array.from(expression.matchAll(/'([^']*)'/g), ([, text = ""]) => text);
      const [name] = [expression, ...quoted.toReversed(), expression.replace(/^.*\//, "")].filter((text) =>
        names.has(text),
      );
      return name === undefined || name === part.name ? [] : [name];
    }),
  }));
}

/** Returns the value of a parameter or variable-free text; any other expression as it is. */
function resolved(value: unknown, parameters: Parameters): unknown {
  if (typeof value !== "string") return value;
  const [, name = ""] = /^\[parameters\('([^']+)'\)\]$/.exec(value) ?? [];
  return name !== "" && Object.hasOwn(parameters, name) ? parameters[name] : value;
}

/** Puts the values of parameters into an expression: `resourceId('…', parameters('name'))`. */
function withValues(expression: string, parameters: Parameters): string {
  return expression.replaceAll(/parameters\('([^']+)'\)/g, (call, name: string) => {
    const value = parameters[name];
    return typeof value === "string" ? `'${value}'` : call;
  });
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" && value !== "" ? value : otherwise;
}
