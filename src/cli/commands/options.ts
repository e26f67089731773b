import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import type { CliContext } from "../input/context.ts";
import { parseDuration } from "../input/duration.ts";

/** Runs the action of a command, with the context that it needs, and takes its exit code. */
export type Perform = (action: (context: CliContext) => Promise<number>) => Promise<void>;

/** Adds the arguments and options that name operations. */
export function addTargets(command: Command): Command {
  command
    .argument(
      "[operation-location...]",
      "URLs of status monitors, polling locations or resources, or Azure resource ids; name=URL shows a name instead of the id",
    )
    .option(
      "--endpoint <url>",
      "the DevCenter's URI, or that of the Resource Manager for resource ids (default: https://management.azure.com)",
    )
    .option("--project <name>", "the project of the operations")
    .option("--operation <id...>", "the ids of the operations")
    .option(
      "--api-version <version>",
      "the api-version of URLs that have none (default: for DevCenter 2025-02-01)",
    );
  return addTokenOptions(command);
}

/** Adds `--scope` and `--allow-host`. */
export function addTokenOptions(command: Command): Command {
  return command
    .option(
      "--scope <scope>",
      "the scope of the tokens, in place of that for the host; with --allow-host for its hosts only (repeatable)",
      collect,
    )
    .option(
      "--allow-host <host>",
      "send a token to this host too: that of --scope, or that of DevCenter for its operations (repeatable)",
      collect,
    );
}

/** Adds the options for a condition of a resource. */
export function addCondition(command: Command): Command {
  return command
    .option(
      "--for <condition>",
      "wait until a resource is deleted or exists, or path=value or path!=value is true of it (repeatable)",
      collect,
    )
    .option(
      "--fail-if <condition>",
      "with --for, fail as soon as one of these is true: path=value, path!=value (repeatable)",
      collect,
    )
    .option(
      "--confirmations <number>",
      "with --for, the polls in a row that must confirm it (default: 1)",
      parseCount,
    );
}

/** Adds the options for the words by which a service ends its operations. */
export function addTerminalStates(command: Command): Command {
  const add = (word: string, previous?: readonly string[]): readonly string[] =>
    collect(parseWord(word), previous);
  return command
    .option("--succeeded-state <word>", "a word of the service that means Succeeded (repeatable)", add)
    .option("--failed-state <word>", "a word of the service that means Failed (repeatable)", add)
    .option("--canceled-state <word>", "a word of the service that means Canceled (repeatable)", add);
}

/** Adds `--stall-timeout`. */
export function addStallTimeout(command: Command): Command {
  return command.option(
    "--stall-timeout <duration>",
    "stop waiting after this time without a change of state or percentage (default: never)",
    parseDuration,
  );
}

/** Returns the option `--output`. */
export function outputOption(description: string): Option {
  return new Option("-o, --output <format>", description).choices(["text", "json"]).default("text");
}

/** Collects the values of an option that can be repeated. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** Returns a parser that accepts the texts that match a pattern. */
export function parserFor(pattern: RegExp, expected: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new InvalidArgumentError(`Expected ${expected}.`);
  };
}

const countText = parserFor(/^[1-9]\d{0,5}$/, "a whole number above zero");

/** Parses the value of an option that counts. */
export function parseCount(text: string): number {
  return Number(countText(text));
}

const parseWord = parserFor(/\S/, "a word");
