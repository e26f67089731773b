import { shellQuoted } from "../input/shell.ts";
import type { CommandWords, OptionWords } from "./words.ts";

/** Returns the completion script for fish 3 and newer. */
export function fishCompletion(program: CommandWords): string {
  const complete = `complete -c ${program.name}`;
  const lines = [
    `${complete} -f`,
    ...program.options.map((option) => `${complete} -n __fish_use_subcommand ${optionWords(option)}`),
    ...commandLines(complete, program, []),
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines(complete: string, parent: CommandWords, above: readonly string[]): string[] {
  return parent.commands.flatMap((command) => {
    const path = [...above, command.name];
    const within = `${complete} -n ${shellQuoted(conditionOf(path, command, parent))}`;
    const ofParent =
      above.length === 0
        ? "__fish_use_subcommand"
        : shellQuoted(conditionOf(above, parent, { ...parent, commands: [] }));
    return [
      `${complete} -n ${ofParent} -a ${command.name} -d ${fishQuoted(command.summary)}`,
      ...(command.values.length === 0 ? [] : [`${within} -a ${shellQuoted(command.values.join(" "))}`]),
      ...command.options.map((option) => `${within} ${optionWords(option)}`),
      ...commandLines(complete, command, path),
    ];
  });
}

/** True after the names of a path, but not after a subcommand: `lro queue status` is not `lro status`. */
function conditionOf(path: readonly string[], command: CommandWords, parent: CommandWords): string {
  const [name = ""] = path.slice(-1);
  const homes = parent.commands.filter(({ commands }) => commands.some((below) => below.name === name));
  const others = [...command.commands, ...homes].map((other) => other.name);
  return [
    ...path.map((word) => `__fish_seen_subcommand_from ${word}`),
    ...(others.length === 0 ? [] : [`not __fish_seen_subcommand_from ${others.join(" ")}`]),
  ].join("; and ");
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
