import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lacksProgram } from "../../support/programs.ts";
import { runCli, temporaryFolder } from "../run-cli.ts";

/** Returns the completions of a real shell for these words; the last word is incomplete. */
type Complete = (script: string, words: readonly string[], folder: string) => string[];

function run(shell: string, argv: readonly string[], folder: string): string[] {
  const output = execFileSync(shell, argv, { cwd: folder, encoding: "utf8", timeout: 100_000 });
  return output.split("\n").filter((line) => line !== "");
}

const completeInBash: Complete = (script, words, folder) => {
  const command = `${script}
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _lro; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run("bash", ["--norc", "--noprofile", "-uc", command, "bash", ...words], folder);
};

const completeInFish: Complete = (script, words, folder) => {
  const command = `${script}\ncomplete -C "$argv"`;
  return run("fish", ["--no-config", "-c", command, ...words], folder).map((line) =>
    line.replace(/\t.*/, ""),
  );
};

/** `my\\ ops.txt` as `my ops.txt` */
function withoutBackslashes(text: string): string {
  return text.replaceAll("\\", "");
}

/**
 * zsh completes only in a terminal. This one prints what would be offered. The words are typed when the line editor
 * has the terminal: what is typed while it is being set up can be lost.
 */
const completeInZsh: Complete = (script, words, folder) => {
  writeFileSync(
    join(folder, ".zshrc"),
    `autoload -U compinit; compinit -u -C -d ./.completions
${script}
PS1=
compadd() { local -a found; builtin compadd -A found -D found "$@"; builtin compadd -O found "$@"; print -rl -- $found >> .offered; builtin compadd "$@" }
_ask() { : > .offered; zle complete-word; print -n DONE; exit }
zle -N _ask; bindkey '^I' _ask
zle-line-init() { print -n READY }
zle -N zle-line-init
`,
  );
  const command = `export ZDOTDIR=.; zmodload zsh/zpty; zpty shell zsh -d -i; zpty -r shell seen '*READY*'
    zpty -w -n shell $'${words.join(" ")}\\t'; zpty -r shell seen '*DONE*'; cat .offered`;
  return [...new Set(run("zsh", ["-fc", command], folder).map(withoutBackslashes))];
};

const shells: readonly (readonly [string, Complete])[] = [
  ["bash", completeInBash],
  ["zsh", completeInZsh],
  ["fish", completeInFish],
];

for (const [shell, complete] of shells) {
  test.skipIf(lacksProgram(shell, "-c", "true"))(
    `${shell} completes commands, options, their values and files`,
    async () => {
      const { exitCode, stdout: script } = await runCli(["completion", shell]);
      expect(exitCode).toBe(0);
      const folder = temporaryFolder();
      writeFileSync(join(folder, "my ops.txt"), "");
      const after = (...words: string[]): string[] => complete(script, ["lro", ...words], folder).toSorted();

      expect(after("wa")).toEqual(["wait"]);
      expect(after("")).toEqual(expect.arrayContaining(["completion", "emulate", "status", "wait"]));
      expect(after("wait", "--po")).toEqual(["--poll-cost"]);
      expect(after("status", "--po")).toEqual([]);
      expect(after("wait", "--sta")).toEqual(["--stall-timeout"]);
      expect(after("wait", "--failed-state", "Lost", "--failed")).toEqual(["--failed-state"]);
      expect(after("status", "--cance")).toEqual(["--canceled-state"]);
      expect(after("wait", "--failed-state", "")).toEqual([]);
      expect(after("wait", "--output", "")).toEqual(["json", "text"]);
      expect(after("wait", "-o", "j")).toEqual(["json"]);
      expect(after("wait", "--web", "--his")).toEqual(["--history"]);
      expect(after("wait", "--timeout", "")).toEqual([]);
      expect(after("emulate", "--scenario", "f")).toEqual(["failing", "flaky"]);
      expect(after("completion", "z")).toEqual(["zsh"]);
      expect(after("queue", "")).toEqual(
        expect.arrayContaining(["add", "get", "list", "remove", "retry", "status", "stop", "worker"]),
      );
      expect(after("queue", "re")).toEqual(["remove", "retry"]);
      expect(after("queue", "add", "--fr")).toEqual(["--from"]);
      expect(after("queue", "add", "--from", "my").map(withoutBackslashes)).toEqual(["my ops.txt"]);
      expect(after("queue", "list", "--state", "re")).toEqual(["rejected"]);
      expect(after("queue", "list", "--pre")).toEqual(["--prefix"]);
      expect(after("queue", "get", "-o", "j")).toEqual(["json"]);
      expect(after("queue", "status", "--endp")).toEqual([]);
      expect(after("status", "--endp")).toEqual(["--endpoint"]);
      expect(after("wait", "--redis")).toEqual([]);
      for (const option of ["--from", "--history", "--resume"]) {
        expect(after("wait", option, "my").map(withoutBackslashes)).toEqual(["my ops.txt"]);
      }
    },
  );
}

test.skipIf(lacksProgram("bash", "-c", "true"))(
  "bash completes what follows a =, and the second of several values",
  async () => {
    const { stdout: script } = await runCli(["completion", "bash"]);
    const after = (...words: string[]): string[] =>
      completeInBash(script, ["lro", ...words], temporaryFolder());
    expect(after("wait", "--output", "=", "j")).toEqual(["json"]);
    expect(after("wait", "--output", "=")).toEqual(["text", "json"]);
    expect(after("emulate", "--scenario", "percent", "fl")).toEqual(["flaky"]);
    expect(after("emulate", "--scenario", "percent", "--sp")).toEqual(["--speed"]);
  },
);

test("every option of --help is completed, in each shell", async () => {
  for (const command of ["wait", "status", "emulate", "completion"]) {
    const { stdout: help } = await runCli([command, "--help"]);
    const options = Array.from(help.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm), ([, name = ""]) => name);
    expect(options).toContain("help");
    for (const [shell] of shells) {
      const { stdout: script } = await runCli(["completion", shell]);
      const lines = script
        .split("\n")
        .filter((line) => new RegExp(`\\b${command}["' );]`).test(line))
        .join("\n");
      for (const option of options) expect(lines, shell).toMatch(new RegExp(`(?:--|-l )${option}\\b`));
    }
  }
});

/** The entries of a hash table of PowerShell, each on a line. */
function tableIn(script: string, name: string): Map<string, string[]> {
  const [, table = ""] = new RegExp(`\\$${name} = @\\{\\n((?: {4}.*\\n)*) {2}\\}`).exec(script) ?? [];
  const entries = Array.from(table.matchAll(/^ {4}'([^']*)' = @\(((?:'[^']*'(?:, )?)*)\)$/gm));
  expect(entries.length).toBe(table.trimEnd().split("\n").length);
  return new Map(
    entries.map(([, key = "", list = ""]) => [
      key,
      Array.from(list.matchAll(/'([^']*)'/g), ([, word = ""]) => word),
    ]),
  );
}

test("the script of PowerShell has the words of every command, and its brackets match", async () => {
  const { stdout: script } = await runCli(["completion", "powershell"]);
  expect(script).toMatch(/^Register-ArgumentCompleter -Native -CommandName lro -ScriptBlock \{\n {2}param\(/);
  const words = tableIn(script, "words");
  const values = tableIn(script, "values");
  expect(words.get("")).toEqual(expect.arrayContaining(["wait", "queue", "completion", "--version"]));
  expect(words.get("queue")).toEqual(expect.arrayContaining(["add", "get", "list", "stop", "--help"]));
  expect(words.get("completion")).toEqual(expect.arrayContaining(["bash", "zsh", "fish", "powershell"]));
  expect(values.get("queue list --state")).toContain("rejected");
  expect(values.get("wait -o")).toEqual(["text", "json"]);
  expect(values.get("wait --from")).toEqual([]);
  expect(values.has("wait --web")).toBe(false);
  for (const command of Array.from(words.keys()).filter((name) => !name.endsWith("help"))) {
    const { stdout: help } = await runCli([...command.split(" ").filter(Boolean), "--help"]);
    const options = Array.from(help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm), ([, name = ""]) => name);
    expect(options).toContain("--help");
    expect(words.get(command), command).toEqual(expect.arrayContaining(options));
  }
  // PowerShell compares the keys of a table without case, and takes none twice.
  for (const keys of [words.keys(), values.keys()].map((names) => Array.from(names)))
    expect(new Set(keys.map((key) => key.toLowerCase())).size).toBe(keys.length);
  const open: string[] = [];
  for (const bracket of script.replaceAll(/'[^']*'|"[^"]*"/g, "").match(/[(){}[\]]/g) ?? []) {
    if ("({[".includes(bracket)) open.push(bracket);
    else expect(`${open.pop()}${bracket}`).toMatch(/^(?:\(\)|\{\}|\[\])$/);
  }
  expect(open).toEqual([]);
});

test("a shell without a completion script is a usage error", async () => {
  const { exitCode, stderr } = await runCli(["completion", "tcsh"]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("Allowed choices are bash, zsh, fish, powershell");
});
