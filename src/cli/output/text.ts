import { stripVTControlCharacters } from "node:util";

/** Removes the characters that could move a terminal's cursor or reverse its text. */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, "");
}

/** Returns the printable text on one line. */
export function singleLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, " ").trim();
}

/** `42 %`, or `~42 %` for an estimate. */
export function percentWords(percent: number, isEstimate: boolean): string {
  return `${isEstimate ? "~" : ""}${Math.floor(percent)} %`;
}

/** `Running 42 %` */
export function stateText(status: string, percentComplete: number | undefined, isEstimate = false): string {
  const percent = percentComplete === undefined ? "" : ` ${percentWords(percentComplete, isEstimate)}`;
  return singleLine(status) + percent;
}

/** Returns JSON that is safe in a terminal, and in the log of a CI system that looks for `##[` and `##vso[`. */
export function toJson(value: unknown, indent = 0): string {
  const json = stringified(value, indent) ?? "null";
  return json.replaceAll(/(?!\n)[\p{Cc}\p{Cf}]|#(?=#(?:vso)?\[)/giu, escapeUnits);
}

/** A value that nests too deep for JSON.stringify must not hide that the operation is over. */
function stringified(value: unknown, indent: number): string | undefined {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const shallow = (part: unknown): unknown => (isNested(part) ? "… (nests too deep)" : part);
    const fields = isNested(value) ? Object.entries(value).map(([name, part]) => [name, shallow(part)]) : [];
    return JSON.stringify(
      fields.length > 0 ? Object.fromEntries(fields) : "… (nests too deep)",
      undefined,
      indent,
    );
  }
}

function isNested(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function escapeUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
