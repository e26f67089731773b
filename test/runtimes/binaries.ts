import { mkdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { npmInstall } from "../support/project.ts";

/** A runtime that npm has, as a package of its binary. */
export interface ProcessRuntime {
  readonly name: "Node" | "Bun" | "Deno";
  /** What npm installs. */
  readonly spec: string;
  /** Arguments that let a script run with its network and environment. */
  readonly flags: readonly string[];
}

/** The oldest Node promised, each line that is maintained, and the newest of the others. */
export const processRuntimes: readonly ProcessRuntime[] = [
  { name: "Node", spec: "node@22.3.0", flags: [] },
  { name: "Node", spec: "node@22", flags: [] },
  { name: "Node", spec: "node@24", flags: [] },
  { name: "Node", spec: "node@latest", flags: [] },
  { name: "Bun", spec: "bun@1", flags: [] },
  {
    name: "Deno",
    spec: "deno@2",
    flags: ["run", "--allow-net", "--allow-env", "--allow-read", "--allow-sys"],
  },
];

const cache = join(import.meta.dirname, "../../node_modules/.cache/lro-poller-runtimes");

/** Installs a runtime beside the repository's own packages, unless it is there. Returns its binary's path. */
export async function installRuntime({ spec }: ProcessRuntime): Promise<string> {
  const folder = join(cache, spec);
  const [name = ""] = spec.split("@");
  const binary = join(folder, "node_modules/.bin", name);
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ allowScripts: { [name]: true } }));
  await npmInstall(folder, [spec]).catch((cause: unknown) => {
    throw new MissingRuntime(`npm does not install ${spec}`, { cause });
  });
  return binary;
}

/** A machine that is no CI may do without it. */
export class MissingRuntime extends Error {}
