import { RequestError } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import type { CancelOutcome, Reporter } from "./reporter.ts";
import { singleLine } from "./text.ts";

/**
 * Returns the reporter that prints the outcome of a request to cancel on stderr. With `isDeferred` it does so at the end: a
 * line in between would spoil a frame that is redrawn in place.
 */
export function createCancelReporter(
  names: readonly OperationName[],
  isDeferred: boolean,
  { stderr }: CliContext,
): Reporter {
  const deferred: string[] = [];
  return {
    progress() {},
    failedPoll() {},
    ended() {},
    cancelEnded(index, outcome) {
      const line = `cancel: ${cancelText(names[index], outcome)}\n`;
      if (isDeferred) deferred.push(line);
      else stderr.write(line);
    },
    close: () => deferred.forEach((line) => stderr.write(line)),
  };
}

/** Returns a line with the name of an operation, and the outcome of a request to cancel it. */
export function cancelText(name: OperationName | undefined, outcome: CancelOutcome): string {
  return `${name === undefined ? "" : `${labelOf(name)}: `}${singleLine(textOf(outcome))}`;
}

function textOf(outcome: CancelOutcome): string {
  switch (outcome.outcome) {
    case "canceled":
      return "the operation was canceled";
    case "tooLate":
      return `too late: the operation has ended as ${outcome.status}`;
    case "refused":
      return `the service refused, and the operation continues: ${outcome.error?.message ?? "no reason"}`;
    case "failed":
      if (isNotSupported(outcome.error)) return "no request is known that cancels it";
      return `the outcome is unknown: ${outcome.error.message}`;
  }
}

function isNotSupported(error: Error): boolean {
  return error instanceof RequestError && error.code === "CancelNotSupported";
}
