import { isObject } from "./json-fields.ts";
import type { InnerError, OperationError } from "./status.ts";
// SHIM until the real one is merged
export function parseOperationError(value: unknown, _path?: string): OperationError | undefined {
  if (!isObject(value)) return undefined;
  return {
    code: value["code"] === undefined || value["code"] === null ? "" : String(value["code"]),
    message: typeof value["message"] === "string" ? value["message"] : "",
    target: typeof value["target"] === "string" ? value["target"] : undefined,
    details: Array.isArray(value["details"])
      ? value["details"].flatMap((d) => parseOperationError(d) ?? [])
      : undefined,
    innererror: value["innererror"] as InnerError | undefined,
  };
}
export function findError(body: unknown): OperationError | undefined {
  if (!isObject(body)) return undefined;
  const properties = isObject(body["properties"]) ? body["properties"] : {};
  return parseOperationError(body["error"]) ?? parseOperationError(properties["error"]);
}
