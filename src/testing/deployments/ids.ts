/** The resource type of deployments. */
export const deploymentType = "Microsoft.Resources/deployments";

/** The parts of a path below a deployment. */
export interface DeploymentPath {
  /** Empty for the tenant. */
  readonly scope: string;
  readonly name: string;
  /** The words after the name: `operations`, `cancel`; empty for the deployment itself. */
  readonly rest: string;
}

const atScope =
  /^(?<scope>.*)\/providers\/microsoft\.resources\/deployments\/(?<name>[^/]+)(?:\/(?<rest>.+?))?\/?$/i;

/** Older SDKs list operations at it. */
const withoutProvider =
  /^(?<scope>\/subscriptions\/[^/]+(?:\/resourcegroups\/[^/]+)?)\/deployments\/(?<name>[^/]+)(?:\/(?<rest>.+?))?\/?$/i;

/** Returns the deployment that a path names; `undefined` for any other path. */
export function parseDeploymentPath(path: string): DeploymentPath | undefined {
  const {
    scope = "",
    name = "",
    rest = "",
  } = (atScope.exec(path) ?? withoutProvider.exec(path))?.groups ?? {};
  if (name === "") return undefined;
  return { scope: scope.replace(/\/resourcegroups\//i, "/resourceGroups/"), name, rest };
}

export function deploymentId(scope: string, name: string): string {
  return `${scope}/providers/${deploymentType}/${name}`;
}

/** Returns the id of a resource. The names of its parents come first in `name`: `vnet/subnet`. */
export function resourceId(scope: string, type: string, name: string): string {
  if (isSameText(type, "Microsoft.Resources/resourceGroups"))
    return `${subscriptionScope(scope)}/resourceGroups/${name}`;
  const [namespace = "", ...types] = type.split("/");
  const names = name.split("/");
  const segments = types.map((segment, index) => `${segment}/${names[index] ?? ""}`);
  return `${scope}/providers/${namespace}/${segments.join("/")}`;
}

/** Returns the part of a scope that names the subscription; empty where it has none. */
export function subscriptionScope(scope: string): string {
  return /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? "";
}

export function isSameText(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Returns an id in other letters, as services send ids that the client knows in another form. */
export function inOtherCase(id: string): string {
  return id
    .replace(/\/resourceGroups\//, "/resourcegroups/")
    .replace(/\/providers\/Microsoft\.[^/]+\/[^/]+/g, (words) => words.toLowerCase());
}
