import { execFile } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, onTestFinished, test } from "vitest";
import { isLong } from "../support/long.ts";

interface Bundle {
  readonly modules: readonly string[];
  /** Bytes, minified and gzipped. */
  readonly size: number;
}

/** Bundles a page that imports only these names. */
async function bundle(names: string): Promise<Bundle> {
  const index = new URL("../../src/index.ts", import.meta.url).pathname;
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

test("the poller is bundled without Azure", async () => {
  const { modules, size } = await bundle("createPoller, pollUntilDone");
  expect(modules.filter((id) => /@azure|@typespec|\/src\/azure\//.test(id))).toEqual([]);
  expect(size).toBeLessThan(21_250);
});

test("the client is bundled without the command, the test kit and the duration history", async () => {
  const { modules, size } = await bundle("OperationStatusesClient, pollUntilDone");
  expect(modules.filter((id) => /\/src\/(cli|testing|history)\//.test(id))).toEqual([]);
  expect(size).toBeLessThan(54_800);
});

test("a page has the reason for each dependency", () => {
  const {
    dependencies,
    peerDependencies,
  }: Record<string, Record<string, string>> = JSON.parse(readFileSync("package.json", "utf8"));
  const rows = readFileSync("docs/dependencies.md", "utf8").matchAll(/^\| `([^`]+)` \|/gm);
  const named = Array.from(rows, ([, name = ""]) => name);
  expect(named.toSorted()).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).toSorted());
});

test("spans have the version of the package", () => {
  const { version }: Record<string, string> = JSON.parse(readFileSync("package.json", "utf8"));
  const sources = globSync("src/**/*.ts").map((file) => readFileSync(file, "utf8"));
  const named = sources.flatMap((source) => /\bpackageVersion = "(.*)"/.exec(source)?.slice(1) ?? []);
  expect(named).toEqual([version]);
});

const pages = globSync("docs/*.{md,json}");
const sources = globSync("src/**/*.*");
const built = sources.flatMap(builtFrom);

/** Not in a clean checkout, or, like `test`, where other tests put files meanwhile. */
const leftOut = ["node_modules", ".git", ".stryker", "coverage", "dist", "test"];

/** Returns the paths in the tarball that `npm pack` makes of a clean checkout. Only with `LONG=1` is it really built. */
async function packedFiles(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "lro-poller-pack-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of readdirSync(".").filter((entry) => !leftOut.includes(entry)))
    cpSync(name, join(folder, name), { recursive: true });
  cpSync(import.meta.filename, join(folder, "test/package.test.ts"));
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  const argv = ["pack", "--dry-run", "--json", isLong ? "--foreground-scripts=false" : "--ignore-scripts"];
  if (!isLong) for (const file of built) cpSync(import.meta.filename, join(folder, file));
  const { stdout } = await promisify(execFile)("npm", argv, { cwd: folder });
  // npm 11 prints a list of tarballs.
  const [{ files }]: [{ files: { path: string }[] }] = JSON.parse(stdout);
  return files.map(({ path }) => path).toSorted();
}

/** Returns the files that the compiler makes of one source. */
function builtFrom(source: string): string[] {
  const target = source.replace(/^src/, "dist");
  if (!target.endsWith(".ts")) return [target];
  return [".js", ".js.map", ".d.ts", ".d.ts.map"].map((ending) => target.replace(/\.ts$/, ending));
}

test("the tarball has the sources, the files built from them, the examples, and the pages without their images", async () => {
  const ofRoot = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"];
  const expected = [...ofRoot, ...pages, ...globSync("examples/*.ts"), ...sources, ...built];
  expect(await packedFiles()).toEqual(expected.toSorted());
});
