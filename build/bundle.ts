import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import packageJson from "../package.json" with { type: "json" };

/** The sources that `package.json` names, without their ending: those of each entry point, and the command. */
const entries = [...Object.values(packageJson.exports), packageJson.bin.lro]
  .filter((path) => path.startsWith("./dist/"))
  .map((path) => path.slice("./dist/".length).replace(/\.js$/, ""));

/**
 * The parts of the library that are loaded together. A bundler of an application drops a chunk of which it needs nothing.
 * So the chunk of the poller has nothing of Azure. The pure core has no clock, because a workflow engine may load it.
 */
const chunks = {
  core: /\/src\/(operation|schedule|state|abort|redaction|validate)\b/,
  poller: /\/src\/(clock|group|limiter|poller|timer-heap)\b/,
  azure: /\/src\/(azure|history)\//,
};

/** Bundles each entry point into a file, and what several of them import into chunks. Packages stay imports. */
export async function bundle(folder: string): Promise<void> {
  const input = Object.fromEntries(entries.map((name) => [name, resolve("src", `${name}.ts`)]));
  const build = await rolldown({
    input,
    external: /^(node:|@?[a-z][\w.-]*(\/|$))/,
    platform: "node",
    preserveEntrySignatures: "allow-extension",
  });
  await build.write({
    dir: folder,
    format: "esm",
    sourcemap: true,
    // The package has them.
    sourcemapExcludeSources: true,
    entryFileNames: "[name].js",
    chunkFileNames: join("chunks", "[name].js"),
    paths: { "@azure/core-tracing": "./tracing.js" },
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: chunkNames(Object.values(input)), debugName: "parts" }],
    },
  });
  await build.close();
  writeFileSync(join(folder, "chunks", "tracing.js"), tracing);
}

/**
 * One step further away than core-rest-pipeline, so that Node meets that first. Otherwise Node spends a tenth more CPU time
 * on the import of the library, in threads of its own.
 */
const tracing = `export * from "@azure/core-tracing";\n`;

interface Graph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** Returns a function for the chunk of a module. Any other module that is imported on demand has a chunk of its own. */
function chunkNames(entryFiles: readonly string[]): (id: string, graph: Graph) => string | null {
  const loadedWith = (name: string, files: readonly string[]): Part => ({ name, files, modules: undefined });
  const library = loadedWith("library", entryFiles);
  const plainWait = loadedWith("plain wait", [
    resolve("src/poller/poller.ts"),
    resolve("src/azure/operation-statuses-client.ts"),
  ]);
  const metrics = loadedWith("metrics", [resolve("src/opentelemetry.ts")]);
  const commandParts = [
    loadedWith("command", [resolve("src/cli/process.ts")]),
    loadedWith("waits", [resolve("src/cli/commands/wait.ts")]),
  ];
  const isIn = (part: Part, id: string, graph: Graph): boolean =>
    (part.modules ??= reachable(part.files, graph)).has(id);
  return (id, graph) => {
    if (id.includes("/src/cli/")) return commandParts.find((part) => isIn(part, id, graph))?.name ?? null;
    if (!isIn(library, id, graph)) return null;
    const chunk = Object.entries(chunks).find(([, files]) => files.test(id))?.[0] ?? null;
    // OpenTelemetry is set up by it, and could not instrument a core-tracing that was loaded before.
    if (chunk === "azure" && isIn(metrics, id, graph)) return metrics.name;
    // Beside what a plain wait needs, a bundler would take what it loads later or never.
    return chunk === "core" && !isIn(plainWait, id, graph) ? "schedules" : chunk;
  };
}

/** A set of files, and the modules that are loaded with them. */
interface Part {
  readonly name: string;
  readonly files: readonly string[];
  modules: ReadonlySet<string> | undefined;
}

/** Returns the given modules, and all that they import. */
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
