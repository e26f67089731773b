import { isObject } from "../operation/json-fields.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { monitorUrlOf } from "./operation-url.ts";

const maxLength = 100;

/**
 * Returns the name by which people know an operation: its project and id, or the path of its URL without the
 * query, which may hold a signature. The end of a long path says most.
 */
export function nameOf(token: ResumeToken): string {
  const name = monitorUrlOf(token)?.pathname ?? idOf(token.operation) ?? "operation";
  return name.length > maxLength ? `…${name.slice(1 - maxLength)}` : name;
}

function idOf(operation: object): string | undefined {
  if (!isObject(operation)) return undefined;
  const { projectName, operationId, id } = operation;
  const names = [projectName, operationId ?? id].filter((name) => typeof name === "string");
  return names.length > 0 ? names.join("/") : undefined;
}
