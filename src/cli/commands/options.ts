import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { parseDuration } from "../input/duration.ts";

/** Adds the arguments and options that name operations. */
export function addTargets(command: Command): Command {
  command
    .argument(
      "[operation-location...]",
      "URLs from Operation-Location headers; name=URL shows a name instead of the id",
    )
    .option("--endpoint <url>", "the DevCenter's URI, in place of operation locations")
    .option("--project <name>", "the project of the operations")
    .option("--operation <id...>", "the ids of the operations")
    .option("--api-version <version>", "the api-version of the requests (default: 2025-02-01)");
  return addAllowHost(command);
}

/** Adds `--allow-host`. */
export function addAllowHost(command: Command): Command {
  return command.option(
    "--allow-host <host>",
    "send a token to this host too, outside of devcenter.azure.com (repeatable)",
    collect,
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

const parseWord = parserFor(/\S/, "a word");
