import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationText } from "../input/duration.ts";
import { shellQuoted } from "../input/shell.ts";
import { printable } from "./text.ts";

/** The options of a wait that its resume command repeats. Durations are milliseconds. */
export interface CarriedOptions {
  readonly timeout?: number;
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

function optionsOf({ timeout, pollCost, allowHost = [], history, kind, ...flags }: CarriedOptions): string[] {
  return [
    ...(timeout === undefined ? [] : [`--timeout ${durationText(timeout)}`]),
    ...(pollCost === undefined ? [] : [`--poll-cost ${durationText(pollCost)}`]),
    ...(history === undefined ? [] : [`--history ${quoted(history)}`]),
    ...(kind === undefined ? [] : [`--kind ${quoted(kind)}`]),
    ...(flags.output === "json" ? ["-o json"] : []),
    ...(flags.quiet === true ? ["--quiet"] : []),
    ...(flags.summary === true ? ["--summary"] : []),
    ...(flags.web === true ? ["--web"] : []),
    ...allowHost.map((host) => `--allow-host ${quoted(host)}`),
  ];
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
