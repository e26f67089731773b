import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationText } from "../input/duration.ts";
import { shellQuoted } from "../input/shell.ts";
import type { TerminalStateOptions } from "../input/terminal-states.ts";
import { printable } from "./text.ts";

/** The options of a wait that its resume command repeats. Durations are milliseconds. */
export interface CarriedOptions extends TerminalStateOptions {
  readonly timeout?: number;
  readonly stallTimeout?: number;
  readonly pollCost?: number;
  readonly output?: "text" | "json";
  readonly quiet?: boolean;
  readonly allowHost?: readonly string[];
  readonly history?: string;
  readonly kind?: string;
  readonly summary?: boolean;
  readonly web?: boolean;
}

const maxTokensInCommand = 3;

/**
 * Returns a command line for POSIX shells that resumes waits. More than three tokens go to a file in the folder for
 * temporary files, because a screenful is hard to copy.
 *
 * @param tokens - resume tokens, each with an optional name, as in `name={…}`
 */
export function resumeCommand(tokens: readonly string[], carried: CarriedOptions): string {
  const file = tokens.length > maxTokensInCommand ? fileWith(tokens) : undefined;
  const resumes = (file === undefined ? tokens : [file]).map((source) => `--resume ${quoted(source)}`);
  const parts = [["npx lro wait", ...optionsOf(carried)].join(" "), ...resumes];
  return parts.join(resumes.length === 1 ? " " : " \\\n    ");
}

function optionsOf(options: CarriedOptions): string[] {
  const { timeout, stallTimeout, pollCost, history, kind, ...flags } = options;
  const { succeededState, failedState, canceledState, allowHost } = options;
  return [
    ...(timeout === undefined ? [] : [`--timeout ${durationText(timeout)}`]),
    ...(stallTimeout === undefined ? [] : [`--stall-timeout ${durationText(stallTimeout)}`]),
    ...repeated("--succeeded-state", succeededState),
    ...repeated("--failed-state", failedState),
    ...repeated("--canceled-state", canceledState),
    ...(pollCost === undefined ? [] : [`--poll-cost ${durationText(pollCost)}`]),
    ...(history === undefined ? [] : [`--history ${quoted(history)}`]),
    ...(kind === undefined ? [] : [`--kind ${quoted(kind)}`]),
    ...(flags.output === "json" ? ["-o json"] : []),
    ...(flags.quiet === true ? ["--quiet"] : []),
    ...(flags.summary === true ? ["--summary"] : []),
    ...(flags.web === true ? ["--web"] : []),
    ...repeated("--allow-host", allowHost),
  ];
}

function repeated(option: string, values: readonly string[] = []): string[] {
  return values.map((value) => `${option} ${quoted(value)}`);
}

/** Returns `undefined` if the file cannot be written; the command then has to hold the tokens. */
function fileWith(tokens: readonly string[]): string | undefined {
  try {
    const file = join(mkdtempSync(join(tmpdir(), "lro-")), "resume.txt");
    writeFileSync(file, tokens.map((token) => `${token}\n`).join(""));
    return file;
  } catch {
    return undefined;
  }
}

function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : shellQuoted(printable(text));
}
