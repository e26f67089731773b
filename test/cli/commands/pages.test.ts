import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runCli } from "../run-cli.ts";

const page = readFileSync("docs/command.md", "utf8");
const commands = [
  "wait",
  "status",
  "queue add",
  "queue worker",
  "queue status",
  "queue list",
  "queue get",
  "queue retry",
  "queue stop",
  "queue remove",
  "queue lift",
  "emulate",
  "completion",
] as const;

/** The text of `--help` for each option but itself, by the option's names. */
async function optionsOf(command: string): Promise<Map<string, string>> {
  // So wide that no line is wrapped.
  const { stdout } = await runCli([...command.split(" "), "--help"], { columns: 1000 });
  const [, listed = ""] = /^Options:\n((?: {2}.*\n)*)/m.exec(stdout) ?? [];
  const rows = Array.from(listed.matchAll(/^ {2}(\S.*?) {2,}(.*)$/gm), ([, names = "", text = ""]) => {
    return [names, text] as const;
  });
  return new Map(rows.filter(([names]) => !names.includes("--help")));
}

/** The options in the table below a heading, with their texts. */
function tableOf(heading: string): [string, string][] {
  const section = page.split(/^##+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return Array.from(section.matchAll(/^\| `(-.+?)` \| (.*) \|$/gm), ([, names = "", text = ""]) => [
    names,
    text,
  ]);
}

/** The headings of a command's tables. */
function headingsOf(command: string): string[] {
  const own = `\`lro ${command}\``;
  if (command === "queue add") return ["Naming operations", "`lro queue`", own];
  if (command.startsWith("queue")) return ["`lro queue`", own];
  return command === "wait" || command === "status" ? ["Naming operations", own] : [own];
}

test.each(commands)("docs/command.md has the options of lro %s as in --help", async (command) => {
  const rows = headingsOf(command).flatMap(tableOf);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(await optionsOf(command)));
});

test("docs/command.md has the exit codes as in --help", async () => {
  const { stdout } = await runCli(["wait", "--help"]);
  const inHelp = Array.from(stdout.matchAll(/^ {2}(\d+) +(.*)$/gm), ([, code, meaning]) => [code, meaning]);
  const inPage = Array.from(page.matchAll(/^\| (\d+) \| (.*) \|$/gm), ([, code, meaning]) => [code, meaning]);
  expect(inHelp.length).toBeGreaterThan(5);
  expect(inPage).toEqual(inHelp);
});

/** Each call of the command in the pages, in a block or in the text, with the options that it is given. */
function callsIn(file: string): { readonly command: string; readonly options: string[] }[] {
  const calls = readFileSync(file, "utf8").matchAll(/\blro (queue \w+|\w+)\b([^`\n|]*)/g);
  return Array.from(calls, ([, command = "", rest = ""]) => {
    return { command, options: Array.from(rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g), ([option]) => option) };
  }).filter(({ options }) => options.length > 0);
}

test("no page gives the command an option that does not exist", async () => {
  const calls = globSync(["*.md", "docs/*.md"]).flatMap(callsIn);
  expect(calls.length).toBeGreaterThan(5);
  for (const { command, options } of calls) {
    const known = Array.from((await optionsOf(command)).keys()).flatMap((names) => names.split(/[ ,]+/));
    expect(known, `lro ${command}`).toEqual(expect.arrayContaining(options));
  }
});
