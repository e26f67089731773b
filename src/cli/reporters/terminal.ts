import { createLogUpdate } from "log-update";
import stringWidth from "string-width";
import { PollingTimeoutError, systemClock } from "../../index.ts";
import type { Clock, FailedRead, Progress, ReadError } from "../../index.ts";
import type { CliContext, Output } from "../context.ts";
import { isOfOperation } from "../ending.ts";
import type { Ending } from "../ending.ts";
import { labelOf } from "../names.ts";
import type { OperationName } from "../names.ts";
import { paintFor, singleLine } from "../text.ts";
import type { Paint } from "../text.ts";
import { renderOverview } from "../overview.ts";
import { renderWaits } from "../view.ts";
import type { WaitView } from "../view.ts";
import type { EndingPrinter } from "./endings.ts";
import type { Reporter } from "./reporter.ts";

const redrawInMs = 100;

/** A line for each operation, or an overview of many, redrawn in place; results and errors follow when all have ended. */
export class TerminalReporter implements Reporter {
  readonly #stdout: Output;
  readonly #paint: Paint;
  readonly #clock: Clock;
  readonly #printer: EndingPrinter;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #waits: WaitView[];
  readonly #endings: (Ending | undefined)[];
  #frame = "";
  #callOffRedraw: (() => void) | undefined;

  constructor(
    names: readonly OperationName[],
    printer: EndingPrinter,
    { stdout, env, pollOptions }: CliContext,
  ) {
    const clock = pollOptions?.clock ?? systemClock;
    this.#stdout = stdout;
    this.#paint = paintFor(stdout, env);
    this.#clock = clock;
    this.#printer = printer;
    this.#update = createLogUpdate(stdout);
    this.#waits = names.map((name) => ({ label: labelOf(name), heardAt: clock.now(), elapsedInMs: 0 }));
    this.#endings = names.map(() => undefined);
    stdout.on("resize", this.#onResize);
    this.#draw();
  }

  progress(place: number, progress: Progress): void {
    this.#change(place, (wait, now) => afterProgress(wait, progress, now));
  }

  failedRead(place: number, failedRead: FailedRead): void {
    this.#change(place, (wait, now) => afterFailedRead(wait, failedRead, now));
  }

  ended(place: number, ending: Ending): void {
    this.#endings[place] = ending;
    this.#change(place, (wait, now) => afterEnding(wait, ending, now));
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

  #change(place: number, changeOf: (wait: WaitView, now: number) => WaitView): void {
    const wait = this.#waits[place];
    if (wait) this.#waits[place] = changeOf(wait, this.#clock.now());
    // An overview of many is due ten times a second, not with each of hundreds of answers.
    if (this.#waits.length <= this.#rows) this.#draw();
  }

  /** The cursor takes the last one. */
  get #rows(): number {
    return Math.max(1, (this.#stdout.rows ?? 24) - 1);
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
    this.#stdout.write(eraseRowAbove.repeat(rowsAddedTo(this.#frame, this.#stdout.columns ?? 80)));
    this.#draw();
  };

  #render(rows = Infinity): string {
    const { columns = 80 } = this.#stdout;
    const options = { columns, rows, now: this.#clock.now(), paint: this.#paint };
    const render = this.#waits.length > rows ? renderOverview : renderWaits;
    return render(this.#waits, options).join("\n");
  }
}

/** The cursor one row up, and that row empty. */
const eraseRowAbove = "\u001B[1A\u001B[2K";

/** How many rows more the lines of a frame take in a terminal of this width. */
function rowsAddedTo(frame: string, columns: number): number {
  const added = frame.split("\n").map((line) => Math.ceil(stringWidth(line) / columns) - 1);
  return added.reduce((sum, rows) => sum + Math.max(0, rows), 0);
}

function afterProgress({ label }: WaitView, progress: Progress, heardAt: number): WaitView {
  const { percentComplete, elapsedInMs, estimatedRemainingInMs, nextPollInMs } = progress;
  const status = singleLine(progress.status);
  return { label, status, percentComplete, heardAt, elapsedInMs, estimatedRemainingInMs, nextPollInMs };
}

function afterFailedRead(
  wait: WaitView,
  { error, elapsedInMs, nextPollInMs }: FailedRead,
  heardAt: number,
): WaitView {
  return { ...wait, heardAt, elapsedInMs, nextPollInMs, failure: shortReason(error) };
}

/** `HTTP 503`, `ECONNREFUSED` */
function shortReason({ statusCode, code, message }: ReadError): string {
  if (code === "ContractError") return "broken answer";
  if (statusCode !== undefined) return `HTTP ${statusCode}`;
  return singleLine(code === "ReadFailed" ? message : code);
}

function afterEnding(wait: WaitView, ending: Ending, now: number): WaitView {
  const isOver =
    ending.type === "succeeded" || (ending.type === "unsuccessful" && isOfOperation(ending.error));
  const elapsedInMs = isOver ? wait.elapsedInMs : wait.elapsedInMs + now - wait.heardAt;
  return { ...wait, elapsedInMs, heardAt: now, end: { note: noteOf(ending) } };
}

function noteOf(ending: Ending): string | undefined {
  if (ending.type === "succeeded") return undefined;
  if (ending.type === "interrupted") return "stopped waiting";
  if (isOfOperation(ending.error)) return singleLine(ending.error.code);
  return ending.error instanceof PollingTimeoutError ? "timed out" : "gave up";
}
