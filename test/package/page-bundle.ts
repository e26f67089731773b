import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

/** Bytes, minified and gzipped, and the modules in them. */
interface Chunks {
  readonly modules: readonly string[];
  readonly size: number;
}

/** What a page loads. */
interface Bundle {
  /** The file that the page starts with, and those that it imports. */
  readonly entry: Chunks;
  /** The files that it loads when it needs them. Where a bundler does not split, they are in the first. */
  readonly loadedLater: Chunks;
}

/** Bundles a page that imports only these names from the sources, or from a build of them. */
export async function bundle(names: string, index: string = resolve("src/index.ts")): Promise<Bundle> {
  const entry = "\0entry";
  const page = `import { ${names} } from "${index}"; globalThis.page = { ${names} };`;
  const plugin = {
    name: "entry",
    resolveId: (id: string) => (id === entry ? entry : null),
    load: (id: string) => (id === entry ? page : null),
  };
  const build = await rolldown({ input: entry, platform: "browser", plugins: [plugin] });
  const { output } = await build.generate({ format: "esm", minify: true });
  await build.close();
  const chunks = output.filter((file) => file.type === "chunk");
  const sizeOf = (some: typeof chunks): Chunks => ({
    modules: some.flatMap(({ modules }) => Object.keys(modules)),
    size: some.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0),
  });
  const first = [output[0].fileName, ...output[0].imports];
  return {
    entry: sizeOf(chunks.filter(({ fileName }) => first.includes(fileName))),
    loadedLater: sizeOf(chunks.filter(({ fileName }) => !first.includes(fileName))),
  };
}
