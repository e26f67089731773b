import { durationHistory } from "../../index.ts";
import type { OperationStatus, PollOptions } from "../../index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import type { CarriedOptions } from "../output/resume-command.ts";
import { kindOfResource } from "../input/targets.ts";
import { writeWarning } from "../output/terminal.ts";

/** The past durations of operations, for waits. */
export interface WaitHistory {
  /** Adds the past durations to the options of one wait. The kind is for a status that names no resource. */
  options(options: PollOptions, defaultKind: string): Promise<PollOptions>;
  /** Resolves after everything is written and the warnings are printed. */
  close(): Promise<void>;
}

/**
 * Opens the duration history that the options name, if they name one.
 *
 * @throws UsageError if there is a kind without a file
 */
export function openHistory(
  { history: file, kind }: CarriedOptions,
  context: CliContext,
): WaitHistory | undefined {
  if (file === undefined) {
    if (kind === undefined) return undefined;
    throw new UsageError("--kind: expected --history too, because kinds are kept there");
  }
  const warnings = new Set<string>();
  const history = durationHistory(file, { onWarning: (message) => warnings.add(message) });
  return {
    options(options, defaultKind) {
      const kindOf = ({ resourceId }: OperationStatus): string =>
        (resourceId && kindOfResource(resourceId)) ?? defaultKind;
      return history.options(kind ?? kindOf, options);
    },
    async close() {
      await history.settled();
      // Not at once: a line in between would spoil the frame that is redrawn in place.
      for (const message of warnings) writeWarning(context, message);
    },
  };
}
