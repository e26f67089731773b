import { deployment } from "../../arm/index.ts";
import type { DeploymentResult } from "../../arm/index.ts";
import type { LroClient, Operation } from "../../index.ts";

/** The path of a deployment at any scope, or of one of its status monitors. */
const deploymentPath =
  /^((?:\/[^/]+)*\/providers\/Microsoft\.Resources\/deployments\/[^/]+)(?:\/operationStatuses\/[^/]+)?\/?$/i;

/** Returns the resource id of the deployment that a path names; `undefined` if it names none. */
export function deploymentIdIn(path: string): string | undefined {
  return deploymentPath.exec(decoded(path))?.[1];
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/**
 * Returns the deployment at a URL, with its parts; `undefined` if there is none. A status monitor of a deployment is
 * polled by the deployment itself: the signature of its URL ends, and its responses have no outputs.
 *
 * @throws what `deployment` throws
 */
export function deploymentAt(
  client: LroClient,
  url: string,
  apiVersion: string | undefined,
): Operation<DeploymentResult> | undefined {
  const { pathname, searchParams } = new URL(url);
  const id = deploymentIdIn(pathname);
  if (id === undefined) return undefined;
  const version = apiVersion ?? searchParams.get("api-version") ?? undefined;
  return deployment(client, id, version === undefined ? {} : { apiVersion: version });
}
