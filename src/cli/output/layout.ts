import stringWidth from "string-width";
import type { Output } from "../input/context.ts";
import { columnsOf } from "./terminal.ts";

const graphemes = new Intl.Segmenter();

/** Cuts a text without control characters to a number of terminal columns; a cut shows as `…`. */
export function truncate(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  return columns < 1 ? "" : `${cut(text, columns - 1)}…`;
}

/** Cuts a text like {@link truncate}, but without `…`. */
export function cut(text: string, columns: number): string {
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    if (stringWidth(kept + segment) > columns) break;
    kept += segment;
  }
  return kept;
}

/** Pads a text with spaces to a number of terminal columns. */
export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - stringWidth(text)));
}

/**
 * Wraps long lines between words for a terminal. It keeps indents and does not break long words. Logs are not wrapped,
 * so that they can be searched.
 */
export function wrapFor(output: Output, text: string): string {
  if (output.isTTY !== true) return text;
  const columns = columnsOf(output);
  const lines = text.split("\n").map((line) => wrapLine(line, columns));
  return lines.join("\n");
}

function wrapLine(line: string, columns: number): string {
  const indent = " ".repeat(/^\s*(?:- )?/.exec(line)?.[0].length ?? 0);
  const before: string[] = [];
  let last = "";
  for (const [word] of line.matchAll(/\s*\S+/g)) {
    const isTooLong = last !== "" && stringWidth(last + word) > columns;
    if (isTooLong) before.push(last);
    last = isTooLong ? indent + word.trimStart() : last + word;
  }
  return [...before, last].join("\n");
}
