import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationText } from "../input/duration.ts";
import { printable } from "./text.ts";

/** The options of a wait that the next one has to have again. Durations are milliseconds. */
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

const mostTokensInCommand = 3;

/**
 * A command line for POSIX shells that goes on with waits. Many tokens go to a file in the folder for temporary files:
 * a screenful is hard to copy.
 *
 * @param tokens - each may have a name before it, as in `name={…}`
 */
export function resumeCommand(tokens: readonly string[], carried: CarriedOptions): string {
  const file = tokens.length > mostTokensInCommand ? fileWith(tokens) : undefined;
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

/** `undefined` where nothing can be written: then the command has to hold the tokens after all. */
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
  return /^[\w./:-]+$/.test(text) ? text : `'${printable(text).replaceAll("'", String.raw`'\''`)}'`;
}
