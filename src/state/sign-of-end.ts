import { isTerminal, keyOfWord } from "../operation/status.ts";
import type { OperationStatus } from "../operation/status.ts";

const runningWords: ReadonlySet<string> = new Set(["notstarted", "running", "inprogress"]);

/**
 * Returns what suggests that an operation in an unknown state is over: services have words of their own for their ends.
 * `undefined` where nothing suggests it.
 */
export function signOfEnd({ status, endTime, error }: OperationStatus): string | undefined {
  if (isTerminal(status) || runningWords.has(keyOfWord(status))) return undefined;
  if (endTime) return "an end time";
  return error ? "an error" : undefined;
}
