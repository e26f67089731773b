import type { CiLog, CliContext } from "../input/context.ts";
import { clockText } from "../input/duration.ts";
import type { OperationName } from "../input/names.ts";
import { createLinesReporter } from "./lines-reporter.ts";
import type { Reporter } from "./reporter.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { elapsedOf, stateOf, statesText } from "./wait-view.ts";
import type { WaitBoard } from "./wait-board.ts";

/** Returns the reporter for a CI log: changes are a group of lines; results, annotated errors and a notice follow it. */
export function createCiReporter(
  names: readonly OperationName[],
  board: WaitBoard,
  printer: ResultPrinter,
  context: CliContext,
  ciLog: CiLog,
): Reporter {
  ciLog.group(`Waiting for ${nameOfAll(board)}`);
  return {
    ...createLinesReporter(names, printer, context),
    // Not at once: a CI system folds away what is within a group.
    ended: (index, outcome) => printer.keep(index, outcome),
    close() {
      ciLog.endGroup();
      printer.printKept();
      ciLog.notice("lro wait", summaryOf(board));
      printer.finish();
    },
  };
}

function nameOfAll({ waits }: WaitBoard): string {
  const [first] = waits;
  return waits.length === 1 && first ? first.label : `${waits.length} operations`;
}

/** `3 operations: 2 Succeeded, 1 Failed, after 12:34` */
function summaryOf(board: WaitBoard): string {
  const { waits, now } = board;
  const [first] = waits;
  const states = waits.length === 1 && first ? stateOf(first) : statesText(waits);
  const longestInMs = waits.reduce((longest, wait) => Math.max(longest, elapsedOf(wait, now)), 0);
  return `${nameOfAll(board)}: ${states}, after ${clockText(longestInMs)}`;
}
