import { shellQuoted } from "../input/shell.ts";
import type { CommandWords, OptionWords } from "./words.ts";

/** Returns the completion script for zsh, to evaluate after `compinit` or to save as `_lro` in `$fpath`. */
export function zshCompletion({ name, commands, options }: CommandWords): string {
  const described = commands.map((command) => shellQuoted(`${command.name}:${command.summary}`));
  return `#compdef ${name}
_${name}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${options.map(optionSpec).join(" ")} '1: :->command' '*:: :->argument'
  case $state in
    command)
      local commands=(${described.join(" ")})
      _describe command commands ;;
    argument)
      case $line[1] in
${commands.map(commandCase).join("")}      esac ;;
  esac
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function commandCase({ name, options, values }: CommandWords): string {
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
