import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliContext } from "../input/context.ts";
import { durationText } from "../input/duration.ts";
import { shellQuoted } from "../input/shell.ts";
import type { TerminalStateOptions } from "../input/terminal-states.ts";
import { printable, singleLine } from "./text.ts";
import { toError } from "./wait-outcome.ts";

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
  readonly stepOutputs?: boolean;
  readonly resumeFile?: string;
}

const maxTokensInCommand = 3;

/**
 * Returns a command line for POSIX shells that resumes waits. The tokens go to the file of `--resume-file`. Without one,
 * more than three go to a file in the folder for temporary files, because a screenful is hard to copy.
 *
 * @param tokens - resume tokens, each with an optional name, as in `name={…}`
 */
export function resumeCommand(
  tokens: readonly string[],
  carried: CarriedOptions,
  context: CliContext,
): string {
  const file = fileWith(tokens, carried, context);
  const resumes = (file === undefined ? tokens : [file]).map((source) => `--resume ${quoted(source)}`);
  // The machine that continues after a CI job may lack the package.
  const program = context.ciLog ? "npx -p lro-poller lro wait" : "npx lro wait";
  const parts = [[program, ...optionsOf(carried)].join(" "), ...resumes];
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
    ...(flags.stepOutputs === true ? ["--step-outputs"] : []),
    ...(flags.resumeFile === undefined ? [] : [`--resume-file ${quoted(flags.resumeFile)}`]),
    ...repeated("--allow-host", allowHost),
  ];
}

function repeated(option: string, values: readonly string[] = []): string[] {
  return values.map((value) => `${option} ${quoted(value)}`);
}

/** Returns `undefined` if there is no file, or none can be written; the command then has to hold the tokens. */
function fileWith(
  tokens: readonly string[],
  { resumeFile }: CarriedOptions,
  { ciLog, stderr }: CliContext,
): string | undefined {
  try {
    if (resumeFile !== undefined) return write(tokens, resumeFile);
    // The temporary files of a CI job are gone before anybody could use them.
    if (tokens.length <= maxTokensInCommand || ciLog !== undefined) return undefined;
    return write(tokens, join(mkdtempSync(join(tmpdir(), "lro-")), "resume.txt"));
  } catch (error) {
    if (resumeFile !== undefined)
      stderr.write(`warning: --resume-file: ${singleLine(toError(error).message)}\n`);
    return undefined;
  }
}

function write(tokens: readonly string[], file: string): string {
  // A token may have a signed URL.
  writeFileSync(file, tokens.map((token) => `${token}\n`).join(""), { mode: 0o600 });
  return file;
}

function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : shellQuoted(printable(text));
}
