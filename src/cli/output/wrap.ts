import type { CliContext, Output } from "../input/context.ts";
import { columnsOf } from "./terminal.ts";

type Widths = Pick<CliContext, "widthOf">;

/** Adds the widths of texts to a context with a terminal. Logs need none, and to load them costs more than to start Node. */
export async function withWidths(context: CliContext): Promise<CliContext> {
  if (context.stdout.isTTY !== true && context.stderr.isTTY !== true) return context;
  const { default: widthOf } = await import("string-width");
  return { ...context, widthOf };
}

/**
 * Wraps long lines between words for a terminal. It keeps indents and does not break long words. Logs are not wrapped,
 * so that they can be searched.
 */
export function wrapFor(output: Output, text: string, { widthOf = lengthOf }: Widths): string {
  if (output.isTTY !== true) return text;
  const columns = columnsOf(output);
  const fits = (line: string): boolean => widthOf(line) <= columns;
  const lines = text.split("\n").map((line) => wrapLine(line, fits));
  return lines.join("\n");
}

function lengthOf(text: string): number {
  return text.length;
}

function wrapLine(line: string, fits: (line: string) => boolean): string {
  const indent = " ".repeat(/^\s*(?:- )?/.exec(line)?.[0].length ?? 0);
  const before: string[] = [];
  let last = "";
  for (const [word] of line.matchAll(/\s*\S+/g)) {
    const isTooLong = last !== "" && !fits(last + word);
    if (isTooLong) before.push(last);
    last = isTooLong ? indent + word.trimStart() : last + word;
  }
  return [...before, last].join("\n");
}
