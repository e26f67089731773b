import type { CliContext } from "../input/context.ts";
import { clockText, secondsText } from "../input/duration.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import type { Reporter } from "./reporter.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { singleLine, stateText } from "./text.ts";

const heartbeatInMs = 60_000;

/**
 * Returns the reporter for logs and `grep`: a line for each change, and one a minute without a change, so that a reader
 * sees that the wait does not hang. Failed polls go to stderr.
 */
export function createLinesReporter(
  names: readonly OperationName[],
  printer: ResultPrinter,
  { stdout, stderr }: CliContext,
): Reporter {
  const labels = names.map(labelOf);
  const headOf = (index: number, elapsedInMs: number): string =>
    `${clockText(elapsedInMs)} ${labels[index] ?? ""}`;
  const lastLineAt = new Map<number, number>();
  return {
    progress(index, { changed, status, percentComplete, elapsedInMs, isOverdue }) {
      const isDue = elapsedInMs - (lastLineAt.get(index) ?? -Infinity) >= heartbeatInMs;
      if (!changed && !isDue) return;
      lastLineAt.set(index, elapsedInMs);
      const state = stateText(status, percentComplete) + (isOverdue ? ", overdue" : "");
      stdout.write(`${headOf(index, elapsedInMs)} ${changed ? state : `still ${state}`}\n`);
    },
    failedPoll(index, { error, elapsedInMs, nextPollInMs }) {
      // The last failed poll is the error that the wait ends with.
      if (nextPollInMs === undefined) return;
      const next = `retrying in ${secondsText(nextPollInMs)}`;
      stderr.write(`${headOf(index, elapsedInMs)} poll failed, ${next}: ${singleLine(error.message)}\n`);
    },
    ended: (index, outcome) => printer.print(index, outcome),
    close: () => printer.finish(),
  };
}
