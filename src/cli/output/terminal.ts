import { styleText } from "node:util";
import type { CliContext, Output } from "../input/context.ts";
import { singleLine } from "./text.ts";

/** The styles that the command uses. */
export type Style = "bold" | "cyan" | "dim" | "green" | "orange" | "red" | "yellow";

/** Colours a text, or returns it unchanged. */
export type Paint = (style: Style, text: string) => string;

/** The {@link Paint} for output without colours. */
export const plain: Paint = (_style, text) => text;

/** Returns a {@link Paint} with colours if the terminal has them and `NO_COLOR` does not forbid them. */
export function paintFor(output: Output, env: CliContext["env"]): Paint {
  const hasColors = output.isTTY === true && (output.hasColors?.(env) ?? false);
  return hasColors ? (style, text) => (style === "orange" ? orange(text) : styled(style, text)) : plain;
}

function styled(style: Exclude<Style, "orange">, text: string): string {
  return styleText(style, text, { validateStream: false });
}

/** The 256 colours have it; a terminal with 16 shows the nearest, or none. */
function orange(text: string): string {
  return `\u001B[38;5;208m${text}\u001B[39m`;
}

/** The width in columns. Some terminals report 0 until they know it. */
export function columnsOf({ columns = 0 }: Output): number {
  return columns > 0 ? columns : 80;
}

/** The height in rows. */
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

/** Returns a function that replaces the command's symbols by ASCII of the same width, for a terminal without Unicode. */
export function spellingFor(output: Output, context: CliContext): (text: string) => string {
  if (output.isTTY !== true || hasUnicode(context)) return (text) => text;
  return (text) => text.replaceAll(/[█░…·→]/g, (character) => asciiOf.get(character) ?? character);
}

/** Decides by the locale variables, in the order of POSIX. Where none is set, most terminals have Unicode. */
function hasUnicode({ env, platform = process.platform }: CliContext): boolean {
  if (platform === "win32") return modernOnWindows.some((name) => env[name] !== undefined);
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(
    (value) => value !== undefined && value !== "",
  );
  return env["TERM"] !== "linux" && (locale === undefined || /utf-?8/i.test(locale));
}

/** Set by Windows Terminal, Visual Studio Code, ConEmu, JetBrains and Git Bash, but not by the old console. */
const modernOnWindows = ["WT_SESSION", "TERM_PROGRAM", "ConEmuTask", "TERMINAL_EMULATOR", "MSYSTEM"];

/** Writes a warning to stderr, on one line. */
export function writeWarning({ stderr }: Pick<CliContext, "stderr">, text: string): void {
  stderr.write(`warning: ${singleLine(text)}\n`);
}
