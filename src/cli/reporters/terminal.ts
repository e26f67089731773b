import { createLogUpdate } from "log-update";
import { PollingTimeoutError, systemClock } from "../../index.ts";
import type { Clock, FailedRead, Progress, ReadError } from "../../index.ts";
import type { CliContext, Output } from "../context.ts";
import { isOfOperation } from "../ending.ts";
import type { Ending } from "../ending.ts";
import { paintFor, singleLine } from "../text.ts";
import type { Paint } from "../text.ts";
import { renderWaits } from "../view.ts";
import type { WaitView } from "../view.ts";
import type { EndingPrinter } from "./endings.ts";
import type { Reporter } from "./reporter.ts";

const redrawInMs = 100;

/** A line for each operation, redrawn in place; results and errors follow when all have ended. */
export class TerminalReporter implements Reporter {
  readonly #stdout: Output;
  readonly #paint: Paint;
  readonly #clock: Clock;
  readonly #printer: EndingPrinter;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #waits: WaitView[];
  readonly #endings: (Ending | undefined)[];
  #callOffRedraw: (() => void) | undefined;

  constructor(ids: readonly string[], printer: EndingPrinter, { stdout, env, pollOptions }: CliContext) {
    const clock = pollOptions?.clock ?? systemClock;
    this.#stdout = stdout;
    this.#paint = paintFor(stdout, env);
    this.#clock = clock;
    this.#printer = printer;
    this.#update = createLogUpdate(stdout);
    this.#waits = ids.map((id) => ({ id, heardAt: clock.now(), elapsedInMs: 0 }));
    this.#endings = ids.map(() => undefined);
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
    this.#draw();
  }

  #draw(): void {
    this.#callOffRedraw?.();
    // The cursor takes the last row.
    this.#update(this.#render(Math.max(1, (this.#stdout.rows ?? 24) - 1)));
    this.#callOffRedraw = this.#clock.setTimer(() => this.#draw(), redrawInMs);
  }

  #render(rows = Infinity): string {
    const { columns = 80 } = this.#stdout;
    return renderWaits(this.#waits, { columns, rows, now: this.#clock.now(), paint: this.#paint }).join("\n");
  }
}

function afterProgress({ id }: WaitView, progress: Progress, heardAt: number): WaitView {
  const { percentComplete, elapsedInMs, estimatedRemainingInMs, nextPollInMs } = progress;
  const status = singleLine(progress.status);
  return { id, status, percentComplete, heardAt, elapsedInMs, estimatedRemainingInMs, nextPollInMs };
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
