import { createLogUpdate } from "log-update";
import stringWidth from "string-width";
import { systemClock } from "../../index.ts";
import type { CliContext, Output } from "../input/context.ts";
import { wrapFor } from "./wrap.ts";
import { columnsOf, paintFor, rowsOf, spellingFor } from "./terminal.ts";
import { renderOverview } from "./overview.ts";
import { renderWithParts } from "./parts-view.ts";
import type { WaitBoard } from "./wait-board.ts";
import type { ResultPrinter } from "./result-printer.ts";
import type { Reporter } from "./reporter.ts";

const redrawInMs = 100;

/**
 * Returns the reporter for terminals. It redraws a line for each operation, or an overview of many, in place. Results
 * and errors follow after all waits have ended.
 */
export function createTerminalReporter(
  board: WaitBoard,
  printer: ResultPrinter,
  context: CliContext,
): Reporter {
  const { stdout, env, pollOptions } = context;
  const clock = pollOptions?.clock ?? systemClock;
  const paint = paintFor(stdout, env);
  const spell = spellingFor(stdout, context);
  const update = createLogUpdate(stdout);
  let frame = "";
  let cancelRedraw = (): void => {};

  const render = (draws: typeof renderOverview): string => {
    const { waits, now, question } = board;
    const asked =
      question === undefined ? [] : wrapFor(stdout, question, { widthOf: stringWidth }).split("\n");
    const rows = Math.max(1, drawableRowsOf(stdout) - asked.length);
    const options = { columns: columnsOf(stdout), rows, now, paint };
    return spell([...draws(waits, options), ...asked.map((line) => paint("yellow", line))].join("\n"));
  };
  const draw = (): void => {
    cancelRedraw();
    frame = render(board.waits.length > drawableRowsOf(stdout) ? renderOverview : renderWithParts);
    update(frame);
    cancelRedraw = clock.setTimer(draw, redrawInMs);
  };
  const drawChange = (): void => {
    // An overview of many is drawn ten times a second, not with each of hundreds of responses.
    if (board.waits.length <= drawableRowsOf(stdout)) draw();
  };
  // A terminal that becomes narrower wraps the frame, and log-update erases only as many rows as it has written.
  const onResize = (): void => {
    update.clear();
    stdout.write(eraseRowAbove.repeat(rowsAddedTo(frame, columnsOf(stdout))));
    draw();
  };
  stdout.on("resize", onResize);
  draw();
  return {
    progress: drawChange,
    failedPoll: drawChange,
    ended(index, outcome) {
      printer.keep(index, outcome);
      drawChange();
    },
    close() {
      cancelRedraw();
      stdout.off("resize", onResize);
      // The second line break makes the blank line before results and errors.
      update.persist(`${render(renderWithParts)}\n\n`);
      update.done();
      printer.finish();
    },
  };
}

/** Returns the number of rows to draw in: the cursor takes the last one. */
function drawableRowsOf(output: Output): number {
  return Math.max(1, rowsOf(output) - 1);
}

/** Moves the cursor one row up and clears that row. */
const eraseRowAbove = "\u001B[1A\u001B[2K";

/** Returns how many more rows the lines of a frame take in a terminal of this width. */
function rowsAddedTo(frame: string, columns: number): number {
  const added = frame.split("\n").map((line) => Math.ceil(stringWidth(line) / columns) - 1);
  return added.reduce((sum, rows) => sum + Math.max(0, rows), 0);
}
