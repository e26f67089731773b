import { randomUUID } from "node:crypto";
import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { CiLog, CliContext, Output } from "../input/context.ts";
import { writeWarning } from "./terminal.ts";
import { singleLine } from "./text.ts";
import { toError } from "./to-error.ts";

/** How a CI system's workflow commands are written. */
interface Dialect {
  group(title: string): string;
  readonly endGroup: string;
  error(title: string, message: string): string;
  notice(title: string, message: string): string;
  /** Writes Markdown where the system finds it. Returns the command that names the file, if the system needs one. */
  addSummary(markdown: string, env: CliContext["env"]): string | undefined;
  /** Sets an output of the step. Returns the command that sets it, if the system needs one. */
  setOutput(name: string, value: string, env: CliContext["env"]): string | undefined;
}

/**
 * GitHub Actions.
 *
 * @see https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
const gitHubActions: Dialect = {
  group: (title) => `::group::${gitHubData(title)}`,
  endGroup: "::endgroup::",
  error: (title, message) => `::error title=${gitHubProperty(title)}::${gitHubData(message)}`,
  notice: (title, message) => `::notice title=${gitHubProperty(title)}::${gitHubData(message)}`,
  addSummary(markdown, { GITHUB_STEP_SUMMARY: file }) {
    if (file === undefined) throw new Error("GITHUB_STEP_SUMMARY is not set");
    appendFileSync(file, markdown);
    return undefined;
  },
  setOutput(name, value, { GITHUB_OUTPUT: file }) {
    if (file === undefined) throw new Error("GITHUB_OUTPUT is not set");
    // No value can contain the delimiter, and so none can add another output.
    const delimiter = randomUUID();
    appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
    return undefined;
  },
};

/**
 * Azure Pipelines, which has neither titles nor notices.
 *
 * @see https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
 */
const azurePipelines: Dialect = {
  group: (title) => `##[group]${withoutCommands(title)}`,
  endGroup: "##[endgroup]",
  error: (_title, message) => `##vso[task.logissue type=error]${azureData(message)}`,
  notice: (title, message) => `##[section]${withoutCommands(`${title}: ${message}`)}`,
  addSummary(markdown, { AGENT_TEMPDIRECTORY: folder = tmpdir() }) {
    const file = join(mkdtempSync(join(folder, "lro-")), "lro wait.md");
    writeFileSync(file, markdown);
    return `##vso[task.uploadsummary]${azureData(file)}`;
  },
  setOutput(name, value) {
    // The name of a variable has no hyphen.
    const variable = name.replaceAll(/-(\w)/g, (_hyphen, letter: string) => letter.toUpperCase());
    return `##vso[task.setvariable variable=${variable};isOutput=true]${azureData(value)}`;
  },
};

function gitHubData(text: string): string {
  return withoutCommands(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function gitHubProperty(text: string): string {
  return gitHubData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

function azureData(text: string): string {
  return withoutCommands(text).replaceAll("%", "%AZP25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/**
 * Escapes a text so that neither system finds a command in it. GitHub Actions looks for `::name::` at the start of a
 * line and for `##[name]` anywhere, Azure Pipelines for `##vso[` anywhere and for `##[name]` at the start.
 */
function withoutCommands(text: string): string {
  return text.replaceAll(/##(?=(?:vso)?\[)/gi, "# #").replaceAll(/^(\s*):(?=:.*::)/gm, "$1: ");
}

/** An output that escapes workflow commands. Each write must consist of whole lines. */
class CommandFreeOutput extends Writable implements Output {
  readonly #output: Output;

  constructor(output: Output) {
    super({ decodeStrings: false });
    this.#output = output;
  }

  override _write(text: unknown, _encoding: string, done: () => void): void {
    this.#output.write(withoutCommands(String(text)));
    done();
  }
}

/**
 * Adds the log of the CI system to a context, if it runs in one. Its outputs then escape workflow commands, so that an
 * operation's name or a service's message cannot inject one.
 */
export function withCiLog(context: CliContext): CliContext {
  const { env, stdout, stderr } = context;
  const dialect = dialectOf(env);
  if (dialect === undefined) return context;
  return {
    ...context,
    stdout: new CommandFreeOutput(stdout),
    stderr: new CommandFreeOutput(stderr),
    ciLog: createCiLog(dialect, context),
  };
}

function dialectOf(env: CliContext["env"]): Dialect | undefined {
  if (env["GITHUB_ACTIONS"] === "true") return gitHubActions;
  return env["TF_BUILD"]?.toLowerCase() === "true" ? azurePipelines : undefined;
}

function createCiLog(dialect: Dialect, { stdout, stderr, env }: CliContext): CiLog {
  const writeCommand = (command: string | undefined, output: "stdout" | "stderr"): void => {
    if (command !== undefined) ({ stdout, stderr })[output].write(`${command}\n`);
  };
  return {
    group: (title) => void stdout.write(`${dialect.group(singleLine(title))}\n`),
    endGroup: () => void stdout.write(`${dialect.endGroup}\n`),
    error: (title, message) => void stderr.write(`${dialect.error(singleLine(title), message)}\n`),
    notice: (title, message) =>
      void stdout.write(`${dialect.notice(singleLine(title), singleLine(message))}\n`),
    addSummary: (markdown, output) => writeCommand(dialect.addSummary(markdown, env), output),
    setOutput: (name, value, output) => writeCommand(dialect.setOutput(name, value, env), output),
  };
}

/** Writes to the log of the CI system. A failure is a warning that names the option, and does not end the command. */
export function publish(option: string, context: CliContext, write: (ciLog: CiLog) => void): void {
  try {
    if (context.ciLog === undefined) throw new Error("this is neither GitHub Actions nor Azure Pipelines");
    write(context.ciLog);
  } catch (error) {
    writeWarning(context, `${option}: ${toError(error).message}`);
  }
}
