import { stripVTControlCharacters, styleText } from "node:util";
import stringWidth from "string-width";
import type { CliContext, Output } from "./context.ts";

/** The styles that the command uses. */
export type Style = "bold" | "cyan" | "dim" | "green" | "red" | "yellow";

/** Colours a text, or leaves it alone where colours are not wanted. */
export type Paint = (style: Style, text: string) => string;

/** For output without colours. */
export const plain: Paint = (_style, text) => text;

/** Colours in a terminal that has them, and where `NO_COLOR` does not forbid them. */
export function paintFor(output: Output, env: CliContext["env"]): Paint {
  const hasColors = output.isTTY === true && (output.hasColors?.(env) ?? false);
  return hasColors ? (style, text) => styleText(style, text, { validateStream: false }) : plain;
}

/** Writes an error as a line that begins with a red `error:`. */
export function writeError({ stderr, env }: CliContext, text: string): void {
  const heading = "error:";
  const lines = wrapFor(stderr, `${heading} ${text}`);
  stderr.write(`${paintFor(stderr, env)("red", heading)}${lines.slice(heading.length)}\n`);
}

/** Service text for a terminal: without the characters that could move its cursor or turn its text around. */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, "");
}

/** The same on one line. */
export function singleLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, " ").trim();
}

/** What somebody typed, for an error that a log may keep: without what follows a `?`, because Azure signs URLs there. */
export function withoutQuery(text: string): string {
  return text.replace(/\?.*/s, "?…");
}

/** The same for whole sentences, which quote what somebody typed: without queries, users and passwords of URLs. */
export function withoutUrlSecrets(text: string): string {
  return text.replaceAll(/:\/\/[^/@\s]*@/g, "://…@").replaceAll(/\?[^\s"'?]*=[^\s"']*/g, "?…");
}

/** `Running 42 %` */
export function stateText(status: string, percentComplete: number | undefined): string {
  const percent = percentComplete === undefined ? "" : ` ${Math.floor(percentComplete)} %`;
  return singleLine(status) + percent;
}

/** JSON that is safe to show in a terminal. */
export function toJson(value: unknown, indent = 0): string {
  const json = JSON.stringify(value, undefined, indent) ?? "null";
  return json.replaceAll(/(?!\n)[\p{Cc}\p{Cf}]/gu, escapeUnits);
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

/**
 * Breaks lines between words where they are too long for a terminal: what is indented stays so, long words stay whole.
 * A log is left as it is, for those who search it.
 */
export function wrapFor({ isTTY, columns = 80 }: Output, text: string): string {
  if (isTTY !== true) return text;
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

/** Fills a text up with spaces to so many terminal columns. */
export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - stringWidth(text)));
}
