import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";

/** Service text for a terminal: without the characters that could move its cursor or turn its text around. */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, "");
}

/** The same on one line. */
export function singleLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, " ").trim();
}

/** `Running 42 %` */
export function stateText(status: string, percentComplete: number | undefined): string {
  const percent = percentComplete === undefined ? "" : ` ${Math.floor(percentComplete)} %`;
  return singleLine(status) + percent;
}

/** JSON that is safe to show in a terminal, and in the log of a CI system that looks for `##[` and `##vso[`. */
export function toJson(value: unknown, indent = 0): string {
  const json = JSON.stringify(value, undefined, indent) ?? "null";
  return json.replaceAll(/(?!\n)[\p{Cc}\p{Cf}]|#(?=#(?:vso)?\[)/giu, escapeUnits);
}

function escapeUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

const graphemes = new Intl.Segmenter();

/** Cuts a text without control characters to so many terminal columns; a cut shows as `…`. */
export function truncate(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  return columns < 1 ? "" : `${cut(text, columns - 1)}…`;
}

/** The same, without a sign of the cut. */
export function cut(text: string, columns: number): string {
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    if (stringWidth(kept + segment) > columns) break;
    kept += segment;
  }
  return kept;
}

/** Fills a text up with spaces to so many terminal columns. */
export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - stringWidth(text)));
}
