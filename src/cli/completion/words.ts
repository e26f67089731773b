import type { Command, Option } from "commander";

/** The words of a command that a shell can complete, taken from commander's description so that none is missing. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionWords[];
  /** The allowed arguments; empty if any text is allowed. */
  readonly values: readonly string[];
  readonly commands: readonly CommandWords[];
}

/** An option and its values. */
export interface OptionWords {
  /** `-o`, `--output` */
  readonly flags: readonly string[];
  readonly summary: string;
  readonly isRepeatable: boolean;
  /** How many values follow the option. */
  readonly takes: "none" | "one" | "many";
  /** The allowed values: one of these words, the name of a file, or anything. */
  readonly values: readonly string[] | "file" | "anything";
}

/** Returns the words of a command and its subcommands. */
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

/**
 * Returns the commands below one, each with its whole name, such as `queue add`. A command comes after its subcommands, so
 * that the first name that fits is the longest.
 */
export function commandsBelow({ commands }: CommandWords): readonly CommandWords[] {
  return commands.flatMap((command) => [
    ...commandsBelow(command).map((below) => ({ ...below, name: `${command.name} ${below.name}` })),
    command,
  ]);
}

/** Returns the words that can follow a command: its subcommands, or its allowed arguments. */
export function argumentsOf({ commands, values }: CommandWords): readonly string[] {
  return [...commands.map(({ name }) => name), ...values];
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

/** The part of a description that fits beside a word. */
function summaryOf(description: string): string {
  return description.replace(/[:;(].*/s, "").trim();
}
