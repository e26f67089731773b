import type { CliContext } from "../input/context.ts";
import { clockText, secondsText } from "../input/duration.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import { singleLine, stateText } from "./text.ts";
import type { ResultPrinter } from "./result-printer.ts";
import type { Reporter } from "./reporter.ts";

const signOfLifeInMs = 60_000;

/**
 * A line for each change, for logs and for `grep`, and one now and then where nothing changes: it tells a wait that
 * goes on from one that hangs. Failed reads go to stderr.
 */
export function createLinesReporter(
  names: readonly OperationName[],
  printer: ResultPrinter,
  { stdout, stderr }: CliContext,
): Reporter {
  const labels = names.map(labelOf);
  const headOf = (place: number, elapsedInMs: number): string =>
    `${clockText(elapsedInMs)} ${labels[place] ?? ""}`;
  const saidAt = new Map<number, number>();
  return {
    progress(place, { changed, status, percentComplete, elapsedInMs }) {
      const hasBeenSilent = elapsedInMs - (saidAt.get(place) ?? -Infinity) >= signOfLifeInMs;
      if (!changed && !hasBeenSilent) return;
      saidAt.set(place, elapsedInMs);
      const state = stateText(status, percentComplete);
      stdout.write(`${headOf(place, elapsedInMs)} ${changed ? state : `still ${state}`}\n`);
    },
    failedRead(place, { error, elapsedInMs, nextPollInMs }) {
      // The last one is the error that the wait ends with.
      if (nextPollInMs === undefined) return;
      const next = `retrying in ${secondsText(nextPollInMs)}`;
      stderr.write(`${headOf(place, elapsedInMs)} read failed, ${next}: ${singleLine(error.message)}\n`);
    },
    ended: (place, ending) => printer.print(place, ending),
    close: () => printer.finish(),
  };
}
