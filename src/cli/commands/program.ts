import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { completionFor, shells } from "../completion/completion.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { credentialAdvice } from "../input/credential.ts";
import { parseDuration } from "../input/duration.ts";
import type { CancelOptions } from "./cancel.ts";
import type { EmulateOptions } from "./emulate.ts";
import { withCiLog } from "../output/ci-log.ts";
import { exitCodes, exitCodesHelp } from "../output/exit-codes.ts";
import {
  addCondition,
  addStallTimeout,
  addTargets,
  addTerminalStates,
  collect,
  outputOption,
  parserFor,
} from "./options.ts";
import type { Perform } from "./options.ts";
import { addQueue } from "./queue-command.ts";
import { emulatedStyles, scenarios } from "./scenarios.ts";
import type { StatusOptions } from "./status.ts";
import { columnsOf, paintFor } from "../output/terminal.ts";
import { printable } from "../output/text.ts";
import { withWidths } from "../output/wrap.ts";
import { withoutUrlSecrets } from "../../redaction.ts";
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
    exitCode = await action(await withWidths(context));
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    return exitCodeAfter(error, context);
  }
}

async function exitCodeAfter(error: unknown, given: CliContext): Promise<number> {
  // Commander has printed it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.succeeded : exitCodes.usage;
  const { writeError } = await import("../output/error-line.ts");
  const context = await withWidths(given);
  if (error instanceof UsageError) {
    writeError(context, `${withoutSecrets(error.message)}\n${usageHint}`);
    return exitCodes.usage;
  }
  // A bug: its exit code must not be that of a failed operation.
  writeError(context, error instanceof Error ? (error.stack ?? error.message) : String(error));
  return exitCodes.pollingFailed;
}

/** Removes control characters and secrets from a message that quotes the command line. */
function withoutSecrets(message: string): string {
  return withoutUrlSecrets(printable(message));
}

const usageHint = "(run with --help for usage)";

/** Describes the command to commander. */
export function createProgram({ stdout, stderr, env }: CliContext, perform: Perform): Command {
  const program = new Command("lro")
    .description("Wait for the long-running operations of Azure services.")
    .version(packageVersion)
    .exitOverride()
    .showHelpAfterError(usageHint)
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: () => columnsOf(stdout),
      getErrHelpWidth: () => columnsOf(stderr),
      outputError: (text, write) =>
        write(withoutSecrets(text).replace(/^error:/, paintFor(stderr, env)("red", "error:"))),
    })
    .addHelpText("after", "\nRun npx lro help wait for the exit codes.");
  addWait(program).action((locations: string[], options: WaitOptions) =>
    perform(async (context) => (await import("./wait.ts")).wait(locations, options, context)),
  );
  addStatus(program).action((locations: string[], options: StatusOptions) =>
    perform(async (context) => (await import("./status.ts")).status(locations, options, context)),
  );
  addCancel(program).action((locations: string[], options: CancelOptions) =>
    perform(async (context) => (await import("./cancel.ts")).cancel(locations, options, context)),
  );
  addQueue(program, perform);
  addEmulate(program).action((options: EmulateOptions) =>
    perform(async (context) => (await import("./emulate.ts")).emulate(options, context)),
  );
  addCompletion(program).action((shell: string) => void stdout.write(completionFor(shell, program)));
  return program;
}

const packageVersion = "0.1.0";

const tokenSources = "its resume token, a file of tokens, one on each line, or - for stdin (repeatable)";

function addWait(program: Command): Command {
  const command = addTargets(program.command("wait"))
    .description("wait until operations end or resources are ready, and print their results or errors")
    .option(
      "--from <file>",
      "wait for the operations in a file, or - for stdin: a URL or name=URL on each line, or the log of az --debug",
      parseName,
    )
    .option("--resume <token-or-file>", `continue a wait: ${tokenSources}`, collect)
    .option(
      "--timeout <duration>",
      "stop waiting after this time: 90s, 30m, 1h30m; a plain number is seconds (default: never)",
      parseDuration,
    );
  return addTerminalStates(addStallTimeout(addCondition(command)))
    .addOption(
      new Option(
        "--on-timeout <what>",
        "after --timeout or --stall-timeout: leave the operation running, or cancel it and wait, where a request for that is known (default: leave)",
      ).choices(["leave", "cancel"]),
    )
    .option("--any", "stop as soon as one operation is over, with its exit code")
    .option("--fail-fast", "stop as soon as one operation has not succeeded")
    .option(
      "--poll-cost <duration>",
      "the price of one poll: how much delay you accept to save it; a plain number is seconds (default: 1s)",
      parseDuration,
    )
    .option("--history <file>", "keep past durations in this file, and use them to time polls", parseName)
    .option(
      "--kind <name>",
      "the kind of operation, for --history (default: the type of its resource)",
      parseName,
    )
    .option("-q, --quiet", "print results and errors only")
    .option(
      "--summary",
      "add a table of all operations to the step's summary in GitHub Actions or Azure Pipelines",
    )
    .option(
      "--step-outputs",
      "set the step's outputs status, result and resume-token in GitHub Actions or Azure Pipelines",
    )
    .option(
      "--resume-file <file>",
      "write the resume tokens of waits that can continue to this file, for --resume",
      parseName,
    )
    .option("--web", "also show all operations on a live page on this machine; its address goes to stderr")
    .addOption(outputOption("print text, or JSON events, one on each line"))
    .addHelpText("after", `${exitCodesHelp}\n\n${credentialHelp}`);
}

function addStatus(program: Command): Command {
  return addTerminalStates(addTargets(program.command("status")))
    .description("poll operations once, and print their status")
    .addOption(outputOption("print text, or each status as JSON on a line"))
    .addHelpText(
      "after",
      `\nExit codes: 0 for any status, 2 if the command line is wrong, 5 if a status could not be read.\n\n${credentialHelp}`,
    );
}

function addCancel(program: Command): Command {
  return addTerminalStates(addTargets(program.command("cancel")))
    .description("ask services to cancel operations, wait for their end, and print the outcomes")
    .option("--resume <token-or-file>", `the operation of a wait: ${tokenSources}`, collect)
    .option("--timeout <duration>", "stop waiting after this time (default: never)", parseDuration)
    .addOption(outputOption("print text, or each outcome as JSON on a line"))
    .addHelpText("after", `${cancelCodesHelp}\n\n${credentialHelp}`);
}

const cancelCodesHelp = `
Exit codes:
  0    every operation was canceled
  1    it was too late: an operation ended otherwise
  2    the command line is wrong, or no request is known that cancels one of the operations
  4    --timeout passed
  5    a service refused, or the status could not be read`;

function addEmulate(program: Command): Command {
  const names = scenarios.map(({ name }) => name);
  return program
    .command("emulate")
    .description(
      "serve operations like those of DevCenter or another service on this machine, to try things out",
    )
    .addOption(
      new Option("--style <name>", "serve operations of this kind of service (default: devcenter)").choices(
        emulatedStyles,
      ),
    )
    .option("--port <number>", "listen here (default: any free port)", parsePort)
    .option("--speed <factor>", "how many times as fast time passes (default: 1)", parseFactor)
    .addOption(new Option("--scenario <name...>", "serve only these operations").choices(names))
    .option("-v, --verbose", "log requests to stderr");
}

function addCompletion(program: Command): Command {
  return program
    .command("completion")
    .description("print a shell's completion script for this command")
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .addHelpText("after", completionHelp);
}

const completionHelp = `
If lro is installed, add to
  ~/.bashrc                    eval "$(lro completion bash)"
  ~/.zshrc, after compinit     eval "$(lro completion zsh)"
  ~/.config/fish/config.fish   lro completion fish | source
  $PROFILE of PowerShell       lro completion powershell | Out-String | Invoke-Expression`;

const credentialHelp = `Requests to https endpoints carry a token from DefaultAzureCredential for the service of the host; any other host needs --scope. Requests to http://localhost carry none. ${credentialAdvice}`;

const parseName = parserFor(/^.{1,256}$/s, "1 to 256 characters");

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
