import { mkdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { npmInstall } from "../support/project.ts";

/** A runtime whose binary is an npm package. */
export interface ProcessRuntime {
  readonly name: "Node" | "Bun" | "Deno";
  /** The package and its version. */
  readonly spec: string;
  /** Arguments that let a script use the network and the environment. */
  readonly flags: readonly string[];
}

/** The oldest supported Node, each maintained release line, and the newest Bun and Deno. */
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

/** Installs a runtime in a cache of the repository, if it is missing. Returns the path of its binary. */
export async function installRuntime({ spec }: ProcessRuntime): Promise<string> {
  const folder = join(cache, spec);
  const [name = ""] = spec.split("@");
  const binary = join(folder, "node_modules/.bin", name);
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ allowScripts: { [name]: true } }));
  await npmInstall(folder, [spec]).catch((cause: unknown) => {
    throw new MissingRuntime(`npm could not install ${spec}`, { cause });
  });
  return binary;
}

/** Thrown if a runtime cannot be installed. Only CI then fails. */
export class MissingRuntime extends Error {}
