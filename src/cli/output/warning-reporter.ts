import { signOfEnd } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import type { Reporter } from "./reporter.ts";
import { writeWarning } from "./terminal.ts";
import { withCommandOptions } from "./wait-outcome.ts";

/**
 * Returns the reporter that warns, once for each word, of an unknown state that looks terminal. With `isDeferred` it does
 * so at the end: a line in between would spoil a frame that is redrawn in place.
 */
export function createWarningReporter(
  names: readonly OperationName[],
  isDeferred: boolean,
  context: CliContext,
): Reporter {
  const warned = new Set<string>();
  const deferred: string[] = [];
  return {
    progress(index, { operation }) {
      const sign = signOfEnd(operation);
      if (sign === undefined || warned.has(operation.status)) return;
      warned.add(operation.status);
      const name = names[index];
      const label = name === undefined ? "" : ` ${labelOf(name)}`;
      const text = `Operation${label}: ${operation.status} came with ${sign}: if it is terminal, add it to terminalStates.`;
      if (isDeferred) deferred.push(text);
      else writeWarning(context, withCommandOptions(text));
    },
    failedPoll() {},
    ended() {},
    close: () => deferred.forEach((text) => writeWarning(context, withCommandOptions(text))),
  };
}
