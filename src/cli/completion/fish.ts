import { shellQuoted } from "../input/shell.ts";
import type { CommandWords, OptionWords } from "./words.ts";

/** Returns the completion script for fish 3 and newer. */
export function fishCompletion({ name, commands, options }: CommandWords): string {
  const complete = `complete -c ${name}`;
  const lines = [
    `${complete} -f`,
    ...options.map((option) => `${complete} -n __fish_use_subcommand ${optionWords(option)}`),
    ...commands.flatMap((command) => commandLines(complete, command)),
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines(complete: string, { name, summary, options, values }: CommandWords): string[] {
  const within = `${complete} -n '__fish_seen_subcommand_from ${name}'`;
  return [
    `${complete} -n __fish_use_subcommand -a ${name} -d ${fishQuoted(summary)}`,
    ...(values.length === 0 ? [] : [`${within} -a ${shellQuoted(values.join(" "))}`]),
    ...options.map((option) => `${within} ${optionWords(option)}`),
  ];
}

function optionWords({ flags, summary, takes, values }: OptionWords): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = takes === "none" ? [] : [valueWords(values)];
  return [...names, ...value, `-d ${fishQuoted(summary)}`].join(" ");
}

function valueWords(values: OptionWords["values"]): string {
  if (values === "anything") return "-x";
  return values === "file" ? "-r -F" : `-x -a ${shellQuoted(values.join(" "))}`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
