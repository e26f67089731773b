import { isTerminal } from "../operation/status.ts";
import type { OperationError, OperationStatus } from "../operation/status.ts";

const runningWords: ReadonlySet<string> = new Set(["notstarted", "running", "inprogress"]);

/**
 * Returns what suggests that an operation in an unknown state is over: services have words of their own for their ends.
 * `undefined` where nothing suggests it.
 */
export function signOfEnd({ status, endTime, error }: OperationStatus): string | undefined {
  if (isTerminal(status) || runningWords.has(status.toLowerCase())) return undefined;
  // Services of .NET send the year 1 for a date that they do not have.
  if (endTime !== undefined && endTime.getTime() > 0) return "an end time";
  return error !== undefined && isError(error) ? "an error" : undefined;
}

/** Some services send an empty error, or the code 0, where there is none. */
function isError({ code, message }: OperationError): boolean {
  return message !== "" || (code !== "" && code !== "0");
}
