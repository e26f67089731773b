import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import packageJson from "../package.json" with { type: "json" };

/** The sources that `package.json` names, without their ending: those of each entry point, and the command. */
const entries = [...Object.values(packageJson.exports), packageJson.bin.lro]
  .filter((path) => path.startsWith("./dist/"))
  .map((path) => path.slice("./dist/".length).replace(/\.js$/, ""));

/**
 * The parts of the library that are loaded together. A bundler of an application drops a chunk of which it needs nothing,
 * so that of the poller has nothing of Azure, and that of operations, which `durable/outcome` needs, no poller.
 */
const chunks = {
  operation: /\/src\/(operation|abort|redaction|validate)\b/,
  poller: /\/src\/(clock|group|limiter|poller|schedule|state|timer-heap)\b/,
  azure: /\/src\/azure\//,
};

/** Bundles each entry point into a file, and what several of them import into chunks. Packages stay imports. */
export async function bundle(folder: string): Promise<void> {
  const input = Object.fromEntries(entries.map((name) => [name, resolve("src", `${name}.ts`)]));
  const build = await rolldown({
    input,
    external: /^[^./]/,
    platform: "node",
    preserveEntrySignatures: "allow-extension",
  });
  await build.write({
    dir: folder,
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: join("chunks", "[name].js"),
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: chunkNames(Object.values(input)), debugName: "parts" }],
    },
  });
  await build.close();
}

interface Graph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** Returns a function for the chunk of a module. Any other module that is imported on demand has a chunk of its own. */
function chunkNames(entryFiles: readonly string[]): (id: string, graph: Graph) => string | null {
  let initial: ReadonlySet<string> | undefined;
  let start: ReadonlySet<string> | undefined;
  let wait: ReadonlySet<string> | undefined;
  return (id, graph) => {
    initial ??= reachable(entryFiles, graph);
    start ??= reachable([resolve("src/cli/process.ts")], graph);
    wait ??= reachable([resolve("src/cli/commands/wait.ts")], graph);
    if (id.includes("/src/cli/")) return start.has(id) ? "command" : wait.has(id) ? "wait" : null;
    return initial.has(id) ? (Object.entries(chunks).find(([, files]) => files.test(id))?.[0] ?? null) : null;
  };
}

/** Returns the modules that are imported with some. */
function reachable(ids: readonly string[], graph: Graph): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    graph.getModuleInfo(id)?.importedIds.forEach(visit);
  };
  ids.forEach(visit);
  return found;
}
