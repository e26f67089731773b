import { isObject } from "../operation/json-fields.ts";
import type { ResumeToken } from "../state/resume-token.ts";

const maxLength = 100;

/**
 * Returns the name by which people know an operation: its project and id, or the path of its URL without the
 * query, which may hold a signature. The end of a long path says most.
 */
export function nameOf({ operation, state }: ResumeToken): string {
  const name = pathOf(operation) ?? pathOfSdk(state) ?? idOf(operation) ?? "operation";
  return name.length > maxLength ? `…${name.slice(1 - maxLength)}` : name;
}

function pathOf({ pollingLocation }: { readonly pollingLocation?: unknown }): string | undefined {
  return isObject(pollingLocation) ? pathIn(pollingLocation["monitorUrl"]) : undefined;
}

/** The path in the state of an Azure SDK's poller. */
function pathOfSdk(state: object | undefined): string | undefined {
  const config = isObject(state) ? state["config"] : undefined;
  return isObject(config) ? pathIn(config["operationLocation"]) : undefined;
}

function pathIn(url: unknown): string | undefined {
  return typeof url === "string" ? URL.parse(url)?.pathname : undefined;
}

function idOf(operation: object): string | undefined {
  if (!isObject(operation)) return undefined;
  const { projectName, operationId, id } = operation;
  const names = [projectName, operationId ?? id].filter((name) => typeof name === "string");
  return names.length > 0 ? names.join("/") : undefined;
}
