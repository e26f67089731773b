import type { Command, Option } from "commander";

/** What there is to complete of the command line: read from commander's description, so that it has all there is. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionWords[];
  /** What its arguments may be; empty where they can be anything. */
  readonly values: readonly string[];
  readonly commands: readonly CommandWords[];
}

/** An option and what may follow it. */
export interface OptionWords {
  /** `-o`, `--output` */
  readonly flags: readonly string[];
  readonly summary: string;
  readonly isRepeatable: boolean;
  /** `none`: nothing follows. `many`: several words may. */
  readonly takes: "none" | "one" | "many";
  /** What follows: one of these words, the name of a file, or anything. */
  readonly values: readonly string[] | "file" | "anything";
}

export function wordsOf(command: Command): CommandWords {
  const help = command.createHelp();
  return {
    name: command.name(),
    summary: summaryOf(command.description()),
    options: help.visibleOptions(command).map(optionWordsOf),
    values: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    commands: help.visibleCommands(command).map(wordsOf),
  };
}

function optionWordsOf(option: Option): OptionWords {
  const { short, long, description, required, optional, variadic, argChoices, flags } = option;
  const takes = variadic ? "many" : required || optional ? "one" : "none";
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    summary: summaryOf(description),
    isRepeatable: variadic || description.includes("(repeatable)"),
    takes,
    values: argChoices ?? (/<[^>]*file/.test(flags) ? "file" : "anything"),
  };
}

/** As much of a description as fits beside a word. */
function summaryOf(description: string): string {
  return description.replace(/[:;(].*/s, "").trim();
}

/** Text as one word of a POSIX shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
