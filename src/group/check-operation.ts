import { isObject } from "../operation/json-object.ts";
import { describeValue } from "../redaction.ts";

/** @throws TypeError that names the argument, if it is no operation */
export function checkOperation(name: string, value: unknown): void {
  if (isObject(value) && typeof value["id"] === "string" && hasMethods(value, "getStatus", "toJSON")) return;
  throw new TypeError(`${name}: expected what client.operation() returns, got ${describe(value)}`);
}

/** @throws TypeError if they cannot be iterated over */
export function checkOperations(value: unknown): void {
  const isIterable = isObject(value) && Symbol.iterator in value;
  if (isIterable || Array.isArray(value)) return;
  throw new TypeError(`operations: expected an array or another iterable, got ${describe(value)}`);
}

function describe(value: unknown): string {
  if (!isObject(value)) return describeValue(value);
  if (hasMethods(value, "pollUntilDone", "onFailedPoll")) {
    return "a poller of this library: pass its operation, or wait for it with poller.pollUntilDone()";
  }
  if (hasMethods(value, "pollUntilDone")) {
    return "the poller of an Azure SDK: pass fromPollerLike(poller)";
  }
  return hasMethods(value, "then")
    ? "a promise: await it first"
    : "an object without id, getStatus and toJSON";
}

function hasMethods(value: Readonly<Record<string, unknown>>, ...names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === "function");
}
