import stringWidth from "string-width";

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
