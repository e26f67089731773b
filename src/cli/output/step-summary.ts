import type { CliContext } from "../input/context.ts";
import { clockText } from "../input/duration.ts";
import { publish } from "./ci-log.ts";
import { explainError } from "./wait-outcome.ts";
import { stateOf, statesText } from "./overview.ts";
import type { Reporter } from "./reporter.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { singleLine, truncate } from "./text.ts";
import { elapsedOf } from "./view.ts";
import type { WaitView } from "./view.ts";
import type { WaitBoard } from "./wait-board.ts";

/** GitHub Actions accepts 1 MiB for a step, and drops a longer summary as a whole. */
const maxBytes = 900_000;
const maxCommandBytes = 100_000;
const maxCellWidth = 300;
const head = "| Operation | State | Time | Error |\n|---|---|---:|---|\n";

/**
 * Returns the reporter for `--summary`, which adds a Markdown table of all operations to the CI system's step summary,
 * and the command that resumes those that are not over. The table has no results, because they may be secret. Its
 * `close` must be called after the printer has finished.
 */
export function createSummaryReporter(
  board: WaitBoard,
  printer: ResultPrinter,
  context: CliContext,
  output: "stdout" | "stderr",
): Reporter {
  const errors = new Map<number, Error>();
  return {
    progress() {},
    failedPoll() {},
    ended(index, outcome) {
      if (outcome.type === "error") errors.set(index, outcome.error);
    },
    close() {
      const rows = board.waits.map((wait, index) => rowOf(wait, board.now, errors.get(index)));
      const title = escaped(`lro wait: ${statesText(board.waits)}`);
      const markdown = `### ${title}\n\n${tableOf(rows)}\n${resumeText(printer)}`;
      publish("--summary", context, (ciLog) => ciLog.addSummary(markdown, output));
    },
  };
}

function rowOf(wait: WaitView, now: number, error: Error | undefined): string {
  const reason = error === undefined ? "" : singleLine(explainError(error));
  const texts = [wait.label, stateOf(wait), clockText(elapsedOf(wait, now)), reason];
  return `| ${texts.map((text) => escaped(truncate(text, maxCellWidth))).join(" | ")} |\n`;
}

/** Returns the table with as many rows as fit. */
function tableOf(rows: readonly string[]): string {
  let room = maxBytes;
  const fitting = rows.filter((row) => (room -= Buffer.byteLength(row)) >= 0);
  const rest = rows.length - fitting.length;
  return head + fitting.join("") + (rest === 0 ? "" : `\n${rest} more operations are in the log.\n`);
}

/** Returns an empty text if no wait can be resumed, or the command is too long for a summary. */
function resumeText({ resumeCommand }: ResultPrinter): string {
  if (resumeCommand === undefined) return "";
  const text = `To continue waiting:\n\n<pre>${escaped(resumeCommand)}</pre>\n`;
  return Buffer.byteLength(text) > maxCommandBytes ? "" : text;
}

/** Escapes a text for Markdown, so that it cannot end a table cell, link or be HTML. */
function escaped(text: string): string {
  return text.replaceAll(/[!-/:-@[-`{-~]/g, (character) =>
    " ,%()-".includes(character) ? character : `&#${character.charCodeAt(0)};`,
  );
}
