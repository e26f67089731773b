import { execFile } from "node:child_process";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Installs the package from its tarball, as users do, in an empty project. Returns the project's folder. */
export async function installPackage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lro-poller-project-"));
  await run("npm", ["pack", "--pack-destination", folder]);
  const tarball = (await readdir(folder)).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack: expected a tarball, got none");
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await npmInstall(folder, [`./${tarball}`, "@azure/identity", "@types/node@22"]);
  return folder;
}

/** Installs packages in a folder that has a package.json. */
export async function npmInstall(folder: string, packages: readonly string[]): Promise<void> {
  const flags = ["--no-audit", "--no-fund", "--prefer-offline"];
  await run("npm", ["install", ...flags, ...packages], { cwd: folder });
}
