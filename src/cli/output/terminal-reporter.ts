import { createLogUpdate } from "log-update";
import stringWidth from "string-width";
import { systemClock } from "../../index.ts";
import type { Clock, FailedPoll, Progress } from "../../index.ts";
import type { CliContext, Output } from "../input/context.ts";
import type { WaitResult } from "./wait-result.ts";
import type { OperationName } from "../input/names.ts";
import { columnsOf, paintFor, rowsOf, spellingFor } from "./terminal.ts";
import type { Paint } from "./terminal.ts";
import { renderOverview } from "./overview.ts";
import { renderWaits } from "./view.ts";
import { WaitBoard } from "./wait-board.ts";
import type { ResultPrinter } from "./result-printer.ts";
import type { Reporter } from "./reporter.ts";

const redrawInMs = 100;

/** A line for each operation, or an overview of many, redrawn in place; results and errors follow when all have ended. */
export class TerminalReporter implements Reporter {
  readonly #stdout: Output;
  readonly #paint: Paint;
  readonly #spell: (text: string) => string;
  readonly #clock: Clock;
  readonly #printer: ResultPrinter;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #board: WaitBoard;
  readonly #endings: (WaitResult | undefined)[];
  #frame = "";
  #callOffRedraw: (() => void) | undefined;

  constructor(names: readonly OperationName[], printer: ResultPrinter, context: CliContext) {
    const { stdout, env, pollOptions } = context;
    this.#stdout = stdout;
    this.#paint = paintFor(stdout, env);
    this.#spell = spellingFor(stdout, context);
    this.#clock = pollOptions?.clock ?? systemClock;
    this.#printer = printer;
    this.#update = createLogUpdate(stdout);
    this.#board = new WaitBoard(names, context);
    this.#endings = names.map(() => undefined);
    stdout.on("resize", this.#onResize);
    this.#draw();
  }

  progress(place: number, progress: Progress): void {
    this.#board.progress(place, progress);
    this.#drawChange();
  }

  failedRead(place: number, failedRead: FailedPoll): void {
    this.#board.failedRead(place, failedRead);
    this.#drawChange();
  }

  ended(place: number, ending: WaitResult): void {
    this.#endings[place] = ending;
    this.#board.ended(place, ending);
    this.#drawChange();
  }

  close(): void {
    this.#callOffRedraw?.();
    this.#stdout.off("resize", this.#onResize);
    // The second line break makes the blank line before results and errors.
    this.#update.persist(`${this.#render()}\n\n`);
    this.#update.done();
    for (const [place, ending] of this.#endings.entries()) {
      if (ending) this.#printer.print(place, ending);
    }
    this.#printer.finish();
  }

  #drawChange(): void {
    // An overview of many is due ten times a second, not with each of hundreds of answers.
    if (this.#board.waits.length <= this.#rows) this.#draw();
  }

  /** The cursor takes the last one. */
  get #rows(): number {
    return Math.max(1, rowsOf(this.#stdout) - 1);
  }

  #draw(): void {
    this.#callOffRedraw?.();
    this.#frame = this.#render(this.#rows);
    this.#update(this.#frame);
    this.#callOffRedraw = this.#clock.setTimer(() => this.#draw(), redrawInMs);
  }

  // A terminal that becomes narrower wraps the frame, and log-update erases only as many rows as it has written.
  readonly #onResize = (): void => {
    this.#update.clear();
    this.#stdout.write(eraseRowAbove.repeat(rowsAddedTo(this.#frame, columnsOf(this.#stdout))));
    this.#draw();
  };

  #render(rows = Infinity): string {
    const { waits, now } = this.#board;
    const options = { columns: columnsOf(this.#stdout), rows, now, paint: this.#paint };
    const lines = waits.length > rows ? renderOverview(waits, options) : renderWaits(waits, options);
    return this.#spell(lines.join("\n"));
  }
}

/** The cursor one row up, and that row empty. */
const eraseRowAbove = "\u001B[1A\u001B[2K";

/** How many rows more the lines of a frame take in a terminal of this width. */
function rowsAddedTo(frame: string, columns: number): number {
  const added = frame.split("\n").map((line) => Math.ceil(stringWidth(line) / columns) - 1);
  return added.reduce((sum, rows) => sum + Math.max(0, rows), 0);
}
