import type { CiLog, CliContext } from "../input/context.ts";
import { clockText } from "../input/duration.ts";
import type { WaitResult } from "./wait-result.ts";
import type { OperationName } from "../input/names.ts";
import { stateOf, statesText } from "./overview.ts";
import { elapsedOf } from "./view.ts";
import { WaitBoard } from "./wait-board.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { createLinesReporter } from "./lines-reporter.ts";
import type { Reporter } from "./reporter.ts";

/** For the log of a CI system: what changes is a group of lines; results, annotated errors and a notice follow it. */
export function createCiReporter(
  names: readonly OperationName[],
  printer: ResultPrinter,
  context: CliContext,
  ciLog: CiLog,
): Reporter {
  const lines = createLinesReporter(names, printer, context);
  const board = new WaitBoard(names, context);
  const endings = new Map<number, WaitResult>();
  ciLog.group(`Waiting for ${nameOfAll(board)}`);
  return {
    progress(place, progress) {
      board.progress(place, progress);
      lines.progress(place, progress);
    },
    failedRead(place, failedRead) {
      board.failedRead(place, failedRead);
      lines.failedRead(place, failedRead);
    },
    ended(place, ending) {
      board.ended(place, ending);
      endings.set(place, ending);
    },
    close() {
      ciLog.endGroup();
      // What is written within a group is folded away.
      for (const place of names.keys()) {
        const ending = endings.get(place);
        if (ending) printer.print(place, ending);
      }
      ciLog.notice("lro wait", outcomeOf(board));
      printer.finish();
    },
  };
}

function nameOfAll({ waits }: WaitBoard): string {
  const [first] = waits;
  return waits.length === 1 && first ? first.label : `${waits.length} operations`;
}

/** `3 operations: 2 Succeeded, 1 Failed, after 12:34` */
function outcomeOf(board: WaitBoard): string {
  const { waits, now } = board;
  const [first] = waits;
  const states = waits.length === 1 && first ? stateOf(first) : statesText(waits);
  const longest = waits.map((wait) => elapsedOf(wait, now)).reduce((one, other) => Math.max(one, other), 0);
  return `${nameOfAll(board)}: ${states}, after ${clockText(longest)}`;
}
