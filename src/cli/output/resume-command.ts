import { chmodSync, existsSync, mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliContext } from "../input/context.ts";
import { durationText } from "../input/duration.ts";
import { shellQuoted } from "../input/shell.ts";
import type { ResourceConditionOptions } from "../input/condition.ts";
import type { TerminalStateOptions } from "../input/terminal-states.ts";
import { writeWarning } from "./terminal.ts";
import { printable } from "./text.ts";
import { toError } from "./to-error.ts";

/** The options of a wait that its resume command repeats. Durations are milliseconds. */
export interface CarriedOptions extends TerminalStateOptions, ResourceConditionOptions {
  readonly timeout?: number;
  readonly stallTimeout?: number;
  readonly pollCost?: number;
  readonly output?: "text" | "json";
  readonly quiet?: boolean;
  readonly allowHost?: readonly string[];
  readonly scope?: readonly string[];
  /** Stops when the first operation is over. */
  readonly any?: boolean;
  /** Whether to cancel an operation whose wait has timed out. */
  readonly onTimeout?: "leave" | "cancel";
  /** Stops when the first wait ends without a success. */
  readonly failFast?: boolean;
  readonly history?: string;
  readonly kind?: string;
  readonly summary?: boolean;
  readonly web?: boolean;
  readonly stepOutputs?: boolean;
  readonly resumeFile?: string;
}

const maxTokensInCommand = 3;

/** A query with more than an api-version may be signed, and must not be in a log. */
function isSigned(token: string): boolean {
  return /\?(?!api-version=[^"&]*")[^"]*"/i.test(token);
}

/** The variable gets its value from the step's output, or from the file of `--resume-file`. */
const resumeByVariable = '--resume "$RESUME_TOKEN"';

/**
 * Returns a command line for POSIX shells that resumes waits. The tokens go to the file of `--resume-file`. Without one,
 * more than three, and those with a signed URL, go to a file in the folder for temporary files; in CI a signed URL stands
 * in a variable.
 *
 * @param tokens - resume tokens, each with an optional name, as in `name={…}`
 */
export function resumeCommand(
  tokens: readonly string[],
  carried: CarriedOptions,
  context: CliContext,
): string {
  const file = fileWith(tokens, carried, context);
  const sources = file === undefined ? tokens : [file];
  const isHidden = file === undefined && context.ciLog !== undefined && tokens.some(isSigned);
  const resumes = isHidden ? [resumeByVariable] : sources.map((source) => `--resume ${quoted(source)}`);
  // The machine that continues after a CI job may lack the package.
  const program = context.ciLog ? "npx -p lro-poller lro wait" : "npx lro wait";
  const parts = [[program, ...optionsOf(carried)].join(" "), ...resumes];
  return parts.join(resumes.length === 1 ? " " : " \\\n    ");
}

function optionsOf(options: CarriedOptions): string[] {
  const { timeout, stallTimeout, pollCost, history, kind, ...flags } = options;
  const { succeededState, failedState, canceledState, allowHost, scope, failIf, confirmations } = options;
  return [
    ...(timeout === undefined ? [] : [`--timeout ${durationText(timeout)}`]),
    ...(stallTimeout === undefined ? [] : [`--stall-timeout ${durationText(stallTimeout)}`]),
    ...(flags.onTimeout === undefined ? [] : [`--on-timeout ${flags.onTimeout}`]),
    ...repeated("--for", options.for),
    ...repeated("--fail-if", failIf),
    ...(confirmations === undefined ? [] : [`--confirmations ${confirmations}`]),
    ...(flags.any === true ? ["--any"] : []),
    ...(flags.failFast === true ? ["--fail-fast"] : []),
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
    ...repeated("--scope", scope),
  ];
}

function repeated(option: string, values: readonly string[] = []): string[] {
  return values.map((value) => `${option} ${quoted(value)}`);
}

/** Returns `undefined` if there is no file, or none can be written; the command then has to hold the tokens. */
function fileWith(
  tokens: readonly string[],
  { resumeFile }: CarriedOptions,
  context: CliContext,
): string | undefined {
  try {
    if (resumeFile !== undefined) return write(tokens, resumeFile);
    // The temporary files of a CI job are gone before anybody could use them.
    const needsFile = tokens.length > maxTokensInCommand || tokens.some(isSigned);
    if (!needsFile || context.ciLog !== undefined) return undefined;
    return write(tokens, join(mkdtempSync(join(tmpdir(), "lro-")), "resume.txt"));
  } catch (error) {
    if (resumeFile !== undefined) writeWarning(context, `--resume-file: ${toError(error).message}`);
    return undefined;
  }
}

/** Empties the file of `--resume-file`: tokens of an earlier wait must not continue it again. */
export function forgetTokens({ resumeFile }: CarriedOptions): void {
  if (resumeFile !== undefined && existsSync(resumeFile)) truncateSync(resumeFile);
}

function write(tokens: readonly string[], file: string): string {
  // A token may have a signed URL; the mode counts only for a new file.
  writeFileSync(file, tokens.map((token) => `${token}\n`).join(""), { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}

function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : shellQuoted(printable(text));
}
