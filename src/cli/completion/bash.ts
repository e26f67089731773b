import { argumentsOf, commandsBelow } from "./words.ts";
import type { CommandWords, OptionWords } from "./words.ts";

/** Returns the completion script for bash 3.2, which macOS has, and newer. */
export function bashCompletion(program: CommandWords): string {
  const { name } = program;
  const commands = commandsBelow(program);
  // `" wait"|"queue add"`: a command, and the one that it is below.
  const names = commands.map((command) => `"${command.name.includes(" ") ? "" : " "}${command.name}"`);
  return `_${name}() {
  local IFS=$' \\t\\n' current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command= option= words= word
  # bash splits --output=json at the =
  [[ $current == = ]] && current=
  [[ $previous == = ]] && previous=\${COMP_WORDS[COMP_CWORD-2]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) option=$word ;; esac
    case "$command $word" in
      ${names.join("|")}) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command $option" in
    ${patternsOf(commands, takesMoreWords)}) [[ $current == -* ]] && option= ;;
    *) [[ $previous == "$option" ]] || option= ;;
  esac
  COMPREPLY=()
  case "$command $option" in
    ${patternsOf(commands, ({ values }) => values === "file")})
      compopt -o filenames 2>/dev/null
      IFS=$'\\n' COMPREPLY=($(compgen -f -- "$current"))
      return ;;
    ${patternsOf(commands, ({ takes, values }) => takes !== "none" && values === "anything")}) return ;;
${commands.flatMap(choices).join("")}    " "*) words='${wordsIn(program)}' ;;
${commands.map((command) => `    "${command.name} "*) words='${wordsIn(command)}' ;;\n`).join("")}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _${name} ${name}
`;
}

function takesMoreWords({ takes, values }: OptionWords): boolean {
  return takes === "many" && typeof values === "object";
}

/** `"wait -o"|"wait --output"` */
function patternsOf(commands: readonly CommandWords[], isMeant: (option: OptionWords) => boolean): string {
  const patterns = commands.flatMap(({ name, options }) =>
    flagsOf(options.filter(isMeant)).map((flag) => `"${name} ${flag}"`),
  );
  return patterns.join("|");
}

function choices({ name, options }: CommandWords): string[] {
  return options.flatMap(({ flags, values }) => {
    if (typeof values !== "object") return [];
    const patterns = flags.map((flag) => `"${name} ${flag}"`);
    return [`    ${patterns.join("|")}) words='${values.join(" ")}' ;;\n`];
  });
}

function wordsIn(command: CommandWords): string {
  return [...argumentsOf(command), ...flagsOf(command.options)].join(" ");
}

function flagsOf(options: readonly OptionWords[]): string[] {
  return options.flatMap(({ flags }) => flags);
}
