import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { commandPath } from "./library.ts";

/** Puts the command where a package manager puts it. */
export function installCommand(folder: string): void {
  const bin = join(folder, "node_modules/.bin");
  mkdirSync(bin, { recursive: true });
  const shim = `#!/bin/sh\nexec '${process.execPath}' --no-warnings '${commandPath}' "$@"\n`;
  writeFileSync(join(bin, "lro"), shim, { mode: 0o755 });
}

/** Puts an npm in a folder that writes its arguments to a file, and installs nothing. */
export function fakeNpm(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > '${join(folder, "npm-arguments")}'\n`;
  writeFileSync(join(folder, "npm"), script, { mode: 0o755 });
}

/** Runs a script as a CI system's step, without the variables by which the tests would know their own system. */
export function runScript(
  script: string,
  flags: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): ChildProcessByStdio<null, Readable, null> {
  const { GITHUB_ACTIONS: _gitHub, GITHUB_OUTPUT: _output, TF_BUILD: _azure, ...own } = process.env;
  return spawn("bash", [...flags, "-c", script], {
    cwd,
    env: { ...own, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
}
