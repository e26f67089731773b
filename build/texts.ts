import { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import { createProgram, run } from "../src/cli/commands/program.ts";
import type { CliContext } from "../src/cli/input/context.ts";
import { shells } from "../src/cli/completion/completion.ts";

/** Returns the output of the command that depends on its arguments only, keyed by these. The start prints it at once. */
export async function textsOfCommand(): Promise<Readonly<Record<string, string>>> {
  const texts: Record<string, string> = {};
  for (const words of fixedArguments()) texts[words.join(" ")] = await textFor(words);
  return texts;
}

function fixedArguments(): readonly (readonly string[])[] {
  const program = createProgram(contextFor([]), async () => {});
  const help = namesBelow(program).map((names) => [...names, "--help"]);
  return [["--version"], ...help, ...shells.map((shell) => ["completion", shell])];
}

/** Returns the names of a command's subcommands at every level, and none for itself. */
function namesBelow(command: Command): readonly (readonly string[])[] {
  const below = command.commands.flatMap((one) => namesBelow(one).map((names) => [one.name(), ...names]));
  return [[], ...below];
}

async function textFor(argv: readonly string[]): Promise<string> {
  const written: string[] = [];
  const exitCode = await run(argv, contextFor(written));
  if (exitCode !== 0) throw new Error(`lro ${argv.join(" ")}: expected exit code 0, got ${exitCode}`);
  return written.join("");
}

function contextFor(written: string[]): CliContext {
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  return {
    stdin: Readable.from([]),
    stdout,
    stderr: stdout,
    env: {},
    interruption: new AbortController().signal,
    loadCredential: () => Promise.reject(new Error("expected no credential to be loaded")),
  };
}
