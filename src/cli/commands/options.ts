import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";

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
