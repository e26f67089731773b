import { argumentsOf, commandsBelow } from "./words.ts";
import type { CommandWords, OptionWords } from "./words.ts";

/**
 * Returns the completion script for PowerShell 5.1 and newer. Where it offers nothing, PowerShell completes the names of
 * files.
 */
export function powershellCompletion(program: CommandWords): string {
  const commands = [...commandsBelow(program), { ...program, name: "" }];
  return `Register-ArgumentCompleter -Native -CommandName ${program.name} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @{
${commands.map((command) => entry(command.name, wordsIn(command))).join("")}  }
  $values = @{
${commands.flatMap(valueEntries).join("")}  }
  $command = ''
  $previous = ''
  foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
    if ($element.Extent.EndOffset -ge $cursorPosition) { break }
    $previous = $element.ToString()
    $longer = "$command $previous".Trim()
    if ($words.ContainsKey($longer)) { $command = $longer }
  }
  $option = "$command $previous"
  $offered = if ($values.ContainsKey($option)) { $values[$option] } else { $words[$command] }
  $offered | Where-Object { $_ -and $_.StartsWith($wordToComplete) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}

function wordsIn(command: CommandWords): readonly string[] {
  return [...argumentsOf(command), ...command.options.flatMap(({ flags }) => flags)];
}

/** A value that can be anything, or a file, has no words: PowerShell then completes files. */
function valueEntries({ name, options }: CommandWords): string[] {
  const withValue = options.filter(({ takes }) => takes !== "none");
  return withValue.flatMap(({ flags, values }) =>
    flags.map((flag) => entry(`${name} ${flag}`, listOf(values))),
  );
}

function listOf(values: OptionWords["values"]): readonly string[] {
  return typeof values === "object" ? values : [];
}

function entry(key: string, words: readonly string[]): string {
  return `    ${quoted(key)} = @(${words.map(quoted).join(", ")})\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
