import type { CliContext } from "../input/context.ts";
import { clockText } from "../input/duration.ts";
import { publish } from "./ci-log.ts";
import { explainError } from "./wait-outcome.ts";
import { partCountText, pathOf, timeOf } from "./parts.ts";
import type { PartNode, PartsView } from "./parts.ts";
import type { Reporter } from "./reporter.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { truncate } from "./layout.ts";
import { singleLine } from "./text.ts";
import { elapsedOf, stateOf, statesText } from "./wait-view.ts";
import type { WaitView } from "./wait-view.ts";
import type { WaitBoard } from "./wait-board.ts";

/** GitHub Actions accepts 1 MiB for a step, and drops a longer summary as a whole. */
const maxBytes = 900_000;
const maxCommandBytes = 100_000;
const maxCellWidth = 300;
const head = "| Operation | State | Time | Error |\n|---|---|---:|---|\n";

/**
 * Returns the reporter for `--summary`, which adds a Markdown table of all operations to the CI system's step summary,
 * the command that resumes those that are not over, and a table of the parts of each deployment. No table has results,
 * because they may be secret. Its `close` must be called after the printer has finished.
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
      const table = tableOf(rows);
      const markdown = `### ${title}\n\n${table}\n${resumeText(printer)}`;
      const parts = partsText(board, maxBytes - Buffer.byteLength(table));
      publish("--summary", context, (ciLog) => ciLog.addSummary(markdown + parts, output));
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

const partsHead = "| Part | Type | State | Time | Error |\n|---|---|---|---:|---|\n";

/** Returns a table for each deployment: the parts that failed, then the others, those that took the longest first. */
function partsText({ waits, now }: WaitBoard, maxTextBytes: number): string {
  let room = maxTextBytes;
  let text = "";
  for (const { label, parts, updatedAt, end } of waits) {
    if (parts === undefined || parts.byUrgency.length === 0) continue;
    const heading = `\n#### ${escaped(truncate(`Parts of ${label}: ${partCountText(parts)}`, maxCellWidth))}\n\n${partsHead}`;
    const rows = partsByTime(parts, end ? updatedAt : now).map((node) =>
      partRowOf(node, end ? updatedAt : now),
    );
    room -= Buffer.byteLength(heading) + 100;
    const fitting = rows.filter((row) => (room -= Buffer.byteLength(row)) >= 0);
    const rest = rows.length - fitting.length;
    text += heading + fitting.join("") + (rest === 0 ? "" : `\n${rest} more parts are not shown.\n`);
    if (room < 0) break;
  }
  return text;
}

/** A nested deployment has a row only if it has no part. */
function partsByTime({ byUrgency }: PartsView, now: number): PartNode[] {
  const nodes = byUrgency.filter(({ part }) => part.parts.length === 0);
  const isFailed = ({ part }: PartNode): boolean => part.look === "failed";
  return nodes.toSorted(
    (one, other) =>
      Number(isFailed(other)) - Number(isFailed(one)) ||
      (timeOf(other.part, now) ?? 0) - (timeOf(one.part, now) ?? 0),
  );
}

function partRowOf(node: PartNode, now: number): string {
  const { type, state, note = "" } = node.part;
  const timeInMs = timeOf(node.part, now);
  const texts = [pathOf(node), type, state, timeInMs === undefined ? "" : clockText(timeInMs), note];
  return `| ${texts.map((text) => escaped(truncate(text, maxCellWidth))).join(" | ")} |\n`;
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
