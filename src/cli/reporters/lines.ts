import type { CliContext } from "../context.ts";
import { secondsText } from "../duration.ts";
import { singleLine, stateText } from "../text.ts";
import type { EndingPrinter } from "./endings.ts";
import type { Reporter } from "./reporter.ts";

/** A line for each change, for logs and for `grep`; failed reads go to stderr. */
export function createLinesReporter(
  ids: readonly string[],
  printer: EndingPrinter,
  { stdout, stderr }: CliContext,
): Reporter {
  const idAt = (place: number): string => ids[place] ?? "";
  return {
    progress(place, progress) {
      if (progress.changed)
        stdout.write(`${idAt(place)} ${stateText(progress.status, progress.percentComplete)}\n`);
    },
    failedRead(place, { error, nextPollInMs }) {
      // The last one is the error that the wait ends with.
      if (nextPollInMs === undefined) return;
      const next = `retrying in ${secondsText(nextPollInMs)}`;
      stderr.write(`${idAt(place)} read failed, ${next}: ${singleLine(error.message)}\n`);
    },
    ended: (place, ending) => printer.print(place, ending),
    close: () => printer.finish(),
  };
}
