import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../..", import.meta.url).pathname;

/** Packs the library as npm would, for a worker of another release. It finds the packages of this one. */
export function packRelease(): string {
  const folder = join(root, "node_modules/.engines");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = run("npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", folder);
  run("tar", "-xzf", join(folder, packed.trim()), "-C", folder);
  return join(folder, "package");
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}
