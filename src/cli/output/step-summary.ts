import type { CliContext } from "../input/context.ts";
import { clockText } from "../input/duration.ts";
import { explainError, toError } from "./wait-result.ts";
import type { OperationName } from "../input/names.ts";
import { stateOf, statesText } from "./overview.ts";
import type { Reporter } from "./reporter.ts";
import { singleLine, truncate } from "./text.ts";
import { elapsedOf } from "./view.ts";
import type { WaitView } from "./view.ts";
import { WaitBoard } from "./wait-board.ts";

/** What GitHub Actions takes of one step is 1 MiB; what is longer it leaves out as a whole. */
const mostBytes = 900_000;
const longestCell = 300;
const head = "| Operation | State | Time | Error |\n|---|---|---:|---|\n";

/**
 * For `--summary`: adds a Markdown table of all operations to what a CI system shows of a step. It has no results, which
 * may be secret.
 */
export function createSummaryReporter(names: readonly OperationName[], context: CliContext): Reporter {
  const board = new WaitBoard(names, context);
  const errors = new Map<number, Error>();
  return {
    progress: (place, progress) => board.progress(place, progress),
    failedRead: (place, failedRead) => board.failedRead(place, failedRead),
    ended(place, ending) {
      board.ended(place, ending);
      if (ending.type === "error") errors.set(place, ending.error);
    },
    close() {
      const rows = board.waits.map((wait, place) => rowOf(wait, board.now, errors.get(place)));
      publish(`### ${escaped(`lro wait: ${statesText(board.waits)}`)}\n\n${tableOf(rows)}\n`, context);
    },
  };
}

function rowOf(wait: WaitView, now: number, error: Error | undefined): string {
  const reason = error === undefined ? "" : singleLine(explainError(error));
  const texts = [wait.label, stateOf(wait), clockText(elapsedOf(wait, now)), reason];
  return `| ${texts.map((text) => escaped(truncate(text, longestCell))).join(" | ")} |\n`;
}

/** As many rows as there is room for. */
function tableOf(rows: readonly string[]): string {
  let room = mostBytes;
  const fitting = rows.filter((row) => (room -= Buffer.byteLength(row)) >= 0);
  const rest = rows.length - fitting.length;
  return head + fitting.join("") + (rest === 0 ? "" : `\n${rest} more are in the log.\n`);
}

/** Text that Markdown finds nothing in: no table cell's end, no link, no HTML. */
function escaped(text: string): string {
  return text.replaceAll(/[!-/:-@[-`{-~]/g, (character) =>
    " ,%()-".includes(character) ? character : `&#${character.charCodeAt(0)};`,
  );
}

function publish(markdown: string, { ciLog, stderr }: CliContext): void {
  try {
    if (ciLog === undefined) throw new Error("this is neither GitHub Actions nor Azure Pipelines");
    ciLog.addSummary(markdown);
  } catch (error) {
    stderr.write(`warning: --summary: ${singleLine(toError(error).message)}\n`);
  }
}
