import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** The folder of the examples, which has packages of its own. */
export const examplesFolder: string = new URL("../../examples/durable", import.meta.url).pathname;

/** Installs the packages of the examples, unless they are there, and lets them import what `npm run build` has made. */
export function installExamples(): void {
  const installed = join(examplesFolder, "node_modules/.package-lock.json");
  const isInstalled =
    existsSync(installed) && sameVersions(installed, join(examplesFolder, "package-lock.json"));
  // No install script: the engines that run here need none.
  if (!isInstalled) run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error");
  const library = join(examplesFolder, "node_modules/lro-poller");
  if (!existsSync(library)) symlinkSync("../../..", library);
}

/** Compiles the examples and this kit, which the compiler of the other files leaves out. */
export function compileExamples(): void {
  run(
    process.execPath,
    new URL("../../node_modules/typescript/bin/tsc", import.meta.url).pathname,
    "-p",
    ".",
  );
}

function run(program: string, ...args: string[]): void {
  const { status } = spawnSync(program, args, { cwd: examplesFolder, stdio: "inherit" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}`);
}

function sameVersions(installed: string, wanted: string): boolean {
  const versionsOf = (file: string): string => {
    const { packages }: { packages: Record<string, { version?: string; optional?: true }> } = JSON.parse(
      readFileSync(file, "utf8"),
    );
    const required = Object.entries(packages).filter(([name, { optional }]) => name !== "" && !optional);
    return required
      .map(([name, { version }]) => `${name}@${version}`)
      .toSorted()
      .join();
  };
  return versionsOf(installed) === versionsOf(wanted);
}
