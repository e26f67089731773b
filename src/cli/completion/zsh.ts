import { shellQuoted } from "../input/shell.ts";
import type { CommandWords, OptionWords } from "./words.ts";

/** Returns the completion script for zsh, to evaluate after `compinit` or to save as `_lro` in `$fpath`. */
export function zshCompletion(program: CommandWords): string {
  const { name } = program;
  return `#compdef ${name}
${functionsOf(program, `_${name}`)}if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

/** Returns the functions that complete a command with subcommands, and those among its subcommands. */
function functionsOf({ commands, options }: CommandWords, name: string): string {
  const described = commands.map((command) => shellQuoted(`${command.name}:${command.summary}`));
  const below = commands.filter((command) => command.commands.length > 0);
  return `${below.map((command) => functionsOf(command, `${name}_${command.name}`)).join("")}${name}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${options.map(optionSpec).join(" ")} '1: :->command' '*:: :->argument'
  case $state in
    command)
      local commands=(${described.join(" ")})
      _describe command commands ;;
    argument)
      case $line[1] in
${commands.map((command) => commandCase(command, name)).join("")}      esac ;;
  esac
}
`;
}

function commandCase({ name, options, values, commands }: CommandWords, parent: string): string {
  if (commands.length > 0) return `        ${name}) ${parent}_${name} ;;\n`;
  const argument = values.length === 0 ? "'*: : '" : shellQuoted(`1: :(${values.join(" ")})`);
  return `        ${name}) _arguments -s ${options.map(optionSpec).join(" ")} ${argument} ;;\n`;
}

/** `'(-o --output)'{-o,--output}'[the format]:value:(text json)'` */
function optionSpec({ flags, summary, isRepeatable, takes, values }: OptionWords): string {
  const text = `[${summary.replaceAll(/[[\]\\]/g, String.raw`\$&`)}]${takes === "none" ? "" : `:value:${actionOf(values)}`}`;
  const alone = isRepeatable ? "'*'" : shellQuoted(`(${flags.join(" ")})`);
  const names = flags.length === 1 ? flags.join("") : `{${flags.join(",")}}`;
  return `${alone}${names}${shellQuoted(text)}`;
}

function actionOf(values: OptionWords["values"]): string {
  if (values === "anything") return " ";
  return values === "file" ? "_files" : `(${values.join(" ")})`;
}
