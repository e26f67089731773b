import { readFileSync } from "node:fs";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { withCiLog } from "../output/ci-log.ts";
import { completionFor, shells } from "../completion/completion.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { credentialAdvice } from "../input/credential.ts";
import { parseDuration } from "../input/duration.ts";
import { emulate } from "./emulate.ts";
import type { EmulateOptions } from "./emulate.ts";
import { exitCodes, exitCodesHelp } from "../output/exit-codes.ts";
import { addQueue } from "./queue-command.ts";
import { scenarios } from "./scenarios.ts";
import { status } from "./status.ts";
import type { StatusOptions } from "./status.ts";
import { columnsOf, paintFor, writeError } from "../output/terminal.ts";
import { printable } from "../output/text.ts";
import { withoutUrlSecrets } from "../../redaction.ts";
import { wait } from "./wait.ts";
import type { WaitOptions } from "./wait.ts";

/**
 * Runs the command.
 *
 * @param argv - the arguments, without the program's name
 * @returns the exit code
 */
export async function run(argv: readonly string[], given: CliContext): Promise<number> {
  const context = withCiLog(given);
  let exitCode: number = exitCodes.succeeded;
  const program = createProgram(context, async (action) => {
    exitCode = await action;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    return exitCodeAfter(error, context);
  }
}

function exitCodeAfter(error: unknown, context: CliContext): number {
  // Commander has printed what it throws.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.succeeded : exitCodes.usage;
  if (error instanceof UsageError) {
    writeError(context, `${quotable(error.message)}\n${usageHint}`);
    return exitCodes.usage;
  }
  // A bug: it must not look like an operation that failed.
  writeError(context, error instanceof Error ? (error.stack ?? error.message) : String(error));
  return exitCodes.pollingFailed;
}

/** An error that quotes the command line, for a terminal and for a log. */
function quotable(message: string): string {
  return withoutUrlSecrets(printable(message));
}

const usageHint = "(--help says how to use it)";

type Perform = (action: Promise<number>) => Promise<void>;

function createProgram(context: CliContext, perform: Perform): Command {
  const { stdout, stderr, env } = context;
  const program = new Command("lro")
    .description("Waits for the long-running operations of Azure DevCenter.")
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError(usageHint)
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: () => columnsOf(stdout),
      getErrHelpWidth: () => columnsOf(stderr),
      outputError: (text, write) =>
        write(quotable(text).replace(/^error:/, paintFor(stderr, env)("red", "error:"))),
    })
    .addHelpText("after", "\nnpx lro help wait says what its exit codes mean.");
  addWait(program).action((locations: string[], options: WaitOptions) =>
    perform(wait(locations, options, context)),
  );
  addStatus(program).action((locations: string[], options: StatusOptions) =>
    perform(status(locations, options, context)),
  );
  const addOutput = (command: Command, text: string): Command => command.addOption(outputOption(text));
  addQueue(program, { addTargets, addOutput, collect, perform }, context);
  addEmulate(program).action((options: EmulateOptions) => perform(emulate(options, context)));
  addCompletion(program).action((shell: string) => void stdout.write(completionFor(shell, program)));
  return program;
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const parsed: unknown = JSON.parse(text);
  const version = typeof parsed === "object" && parsed && "version" in parsed ? parsed.version : undefined;
  return typeof version === "string" ? version : "unknown";
}

function addWait(program: Command): Command {
  return addTargets(program.command("wait"))
    .description("wait until operations are over, and print their results or errors")
    .option(
      "--from <file>",
      "wait for those that a file lists, or - for stdin: a URL or name=URL on each line, # before a comment",
      parseName,
    )
    .option(
      "--resume <token-or-file>",
      "go on with a wait: its token, a file of tokens, one on each line, or - for stdin (repeatable)",
      collect,
    )
    .option(
      "--timeout <duration>",
      "stop waiting after this time: 90s, 30m, 1h30m; a plain number is seconds (default: never)",
      parseDuration,
    )
    .option(
      "--poll-cost <duration>",
      "how much lateness one status request is worth; a plain number is seconds (default: 1s)",
      parseDuration,
    )
    .option("--history <file>", "remember in this file how long operations take, and use it", parseName)
    .option(
      "--kind <name>",
      "which earlier operations these are like (default: those on this type of resource)",
      parseName,
    )
    .option("-q, --quiet", "print results and errors only")
    .option(
      "--summary",
      "add a table of all operations to the step's summary in GitHub Actions or Azure Pipelines",
    )
    .option(
      "--web",
      "show all operations on a live page of this machine too, at an address printed to stderr",
    )
    .addOption(outputOption("print text, or JSON events, one on each line"))
    .addHelpText("after", `${exitCodesHelp}\n\n${credentialHelp}`);
}

function addStatus(program: Command): Command {
  return addTargets(program.command("status"))
    .description("read the status of operations once, and print it")
    .addOption(outputOption("print text, or each status as JSON on a line"))
    .addHelpText(
      "after",
      `\nExit codes: 0 whatever the state, 2 wrong usage, 5 unreadable.\n\n${credentialHelp}`,
    );
}

function addEmulate(program: Command): Command {
  const names = scenarios.map(({ name }) => name);
  return program
    .command("emulate")
    .description("serve operations as DevCenter does, on this machine, to try things out")
    .option("--port <number>", "listen here (default: any free port)", parsePort)
    .option("--speed <factor>", "let time pass so many times as fast (default: 1)", parseFactor)
    .addOption(new Option("--scenario <name...>", "have only these operations ready").choices(names))
    .option("-v, --verbose", "log requests to stderr");
}

function addCompletion(program: Command): Command {
  return program
    .command("completion")
    .description("print a script that lets a shell complete this command's words")
    .addArgument(new Argument("<shell>", "which shell it is for").choices(shells))
    .addHelpText("after", completionHelp);
}

const completionHelp = `
Where lro is installed, put into
  ~/.bashrc                    eval "$(lro completion bash)"
  ~/.zshrc, after compinit     eval "$(lro completion zsh)"
  ~/.config/fish/config.fish   lro completion fish | source`;

const credentialHelp = `Requests to https endpoints carry a token of DefaultAzureCredential, requests to http://localhost none. ${credentialAdvice}`;

function addTargets(command: Command): Command {
  return command
    .argument(
      "[operation-location...]",
      "URLs that Operation-Location headers gave; name=URL shows a name instead of the id",
    )
    .option("--endpoint <url>", "the DevCenter's URI, in place of operation locations")
    .option("--project <name>", "the project of the operations")
    .option("--operation <id...>", "the ids of the operations")
    .option("--api-version <version>", "the version of the service's contract (default: 2025-02-01)")
    .option(
      "--allow-host <host>",
      "send a token to this host too, outside of devcenter.azure.com (repeatable)",
      collect,
    );
}

function outputOption(description: string): Option {
  return new Option("-o, --output <format>", description).choices(["text", "json"]).default("text");
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function parseName(text: string): string {
  if (text !== "" && text.length <= 256) return text;
  throw new InvalidArgumentError("Expected 1 to 256 characters.");
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("Expected a number from 0 to 65535.");
}

function parseFactor(text: string): number {
  const factor = Number(text);
  if (factor > 0 && Number.isFinite(factor)) return factor;
  throw new InvalidArgumentError("Expected a number above zero.");
}
