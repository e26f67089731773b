import { describeValue } from "../redaction.ts";

/** The place and the name of a deployment. */
export interface DeploymentName {
  /**
   * The resource id of the scope: `/subscriptions/{id}/resourceGroups/{name}`, `/subscriptions/{id}`,
   * `/providers/Microsoft.Management/managementGroups/{name}`, any resource, or an empty text for the tenant.
   */
  readonly scope: string;
  /** The deployment's name: 1 to 64 letters, digits, `-`, `_`, `.`, `(` or `)`. */
  readonly name: string;
}

const provider = "/providers/Microsoft.Resources/deployments/";
const namePattern = /^[-\w.()]{1,64}$/;
const idPattern = /^((?:\/[^/?#\s]+)*)\/providers\/Microsoft\.Resources\/deployments\/([^/?#\s]+)\/?$/i;

/**
 * Returns the resource id of a deployment.
 *
 * @throws TypeError or RangeError that names the argument
 */
export function deploymentId(deployment: string | DeploymentName): string {
  if (typeof deployment === "string") {
    const [, scope, name] = idPattern.exec(deployment) ?? [];
    if (scope === undefined || name === undefined) throw wrongId(deployment);
    return idOf({ scope, name }, "resourceId");
  }
  if (typeof deployment !== "object" || deployment === null) {
    const got = describeValue(deployment);
    throw new TypeError(`deployment: expected a resource id or { scope, name }, got ${got}`);
  }
  return idOf(deployment, "name");
}

function wrongId(text: string): RangeError {
  const form = `{scope}${provider}{name}`;
  return new RangeError(`resourceId: expected ${form}, got ${describeValue(text)}`);
}

function idOf({ scope, name }: DeploymentName, argument: string): string {
  if (typeof scope !== "string") throw new TypeError(`scope: expected a string, got ${typeof scope}`);
  if (typeof name !== "string") throw new TypeError(`name: expected a string, got ${typeof name}`);
  const trimmed = scope.replace(/\/+$/, "");
  if (!/^(\/[^/?#\s]+)*$/.test(trimmed) || trimmed.startsWith("//")) {
    const example = "/subscriptions/{id}/resourceGroups/{name}";
    throw new RangeError(
      `scope: expected a resource id such as ${example}, or an empty text, got ${describeValue(scope)}`,
    );
  }
  if (!namePattern.test(name)) {
    const form = "1 to 64 letters, digits, '-', '_', '.', '(' or ')'";
    throw new RangeError(`${argument}: expected a name of ${form}, got ${describeValue(name)}`);
  }
  return `${trimmed}${provider}${name}`;
}
