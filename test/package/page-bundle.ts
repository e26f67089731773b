import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

/** What a page loads. */
export interface Bundle {
  readonly modules: readonly string[];
  /** Bytes, minified and gzipped. */
  readonly size: number;
}

/** Bundles a page that imports only these names from the sources, or from a build of them. */
export async function bundle(names: string, index: string = resolve("src/index.ts")): Promise<Bundle> {
  const entry = "\0entry";
  const plugin = {
    name: "entry",
    resolveId: (id: string) => (id === entry ? entry : null),
    load: (id: string) => (id === entry ? `export { ${names} } from "${index}";` : null),
  };
  const build = await rolldown({ input: entry, platform: "browser", plugins: [plugin] });
  const { output } = await build.generate({ format: "esm", minify: true });
  await build.close();
  const [{ code, modules }] = output;
  return { modules: Object.keys(modules), size: gzipSync(code, { level: 9 }).length };
}
