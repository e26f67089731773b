import { styleText } from "node:util";
import stringWidth from "string-width";
import type { CliContext, Output } from "../input/context.ts";

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

/** How wide it is, in columns. Some terminals say 0 before they know. */
export function columnsOf({ columns = 0 }: Output): number {
  return columns > 0 ? columns : 80;
}

/** How high it is, in rows. */
export function rowsOf({ rows = 0 }: Output): number {
  return rows > 0 ? rows : 24;
}

const asciiOf: ReadonlyMap<string, string> = new Map([
  ["█", "#"],
  ["░", "."],
  ["…", "~"],
  ["·", "-"],
  ["→", ">"],
]);

/** Spells what the command shows in ASCII, column by column, for a terminal that does not have the characters. */
export function spellingFor(output: Output, context: CliContext): (text: string) => string {
  if (output.isTTY !== true || hasUnicode(context)) return (text) => text;
  return (text) => text.replaceAll(/[█░…·→]/g, (character) => asciiOf.get(character) ?? character);
}

/** What a locale says counts, as POSIX ranks its variables. Where none is set, most terminals have Unicode. */
function hasUnicode({ env, platform = process.platform }: CliContext): boolean {
  if (platform === "win32") return modernOnWindows.some((name) => env[name] !== undefined);
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(
    (value) => value !== undefined && value !== "",
  );
  return env["TERM"] !== "linux" && (locale === undefined || /utf-?8/i.test(locale));
}

/** Windows Terminal, Visual Studio Code, ConEmu, JetBrains, Git Bash and its like; the old console has none of them. */
const modernOnWindows = ["WT_SESSION", "TERM_PROGRAM", "ConEmuTask", "TERMINAL_EMULATOR", "MSYSTEM"];

/** Writes an error as a line that begins with a red `error:`. */
export function writeError(context: CliContext, text: string): void {
  const { stderr, env } = context;
  const heading = "error:";
  const lines = spellingFor(stderr, context)(wrapFor(stderr, `${heading} ${text}`));
  stderr.write(`${paintFor(stderr, env)("red", heading)}${lines.slice(heading.length)}\n`);
}

/**
 * Breaks lines between words where they are too long for a terminal: what is indented stays so, long words stay whole.
 * A log is left as it is, for those who search it.
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
