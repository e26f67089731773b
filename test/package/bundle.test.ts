import { execFile } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { isLong } from "../support/long.ts";
import { bundle } from "./page-bundle.ts";

test("the poller is bundled without Azure", async () => {
  const { entry } = await bundle("createPoller, pollUntilDone");
  const { modules, size } = entry;
  expect(modules.filter((id) => /@azure|@typespec|\/src\/azure\//.test(id))).toEqual([]);
  expect(size).toBeLessThan(21_900);
});

test("the client is bundled without the command, the test kit and the duration history", async () => {
  const { entry } = await bundle("OperationStatusesClient, pollUntilDone");
  const { modules, size } = entry;
  expect(modules.filter((id) => /\/src\/(cli|testing|history)\//.test(id))).toEqual([]);
  expect(size).toBeLessThan(52_900);
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

test("spans and the command have the version of the package", () => {
  const { version }: Record<string, string> = JSON.parse(readFileSync("package.json", "utf8"));
  const texts = globSync("src/**/*.ts").map((file) => readFileSync(file, "utf8"));
  const named = texts.flatMap((source) => /\bpackageVersion = "(.*)"/.exec(source)?.slice(1) ?? []);
  expect(named).toEqual([version, version]);
});

const sources = globSync("src/**/*.*");
/** The files that `package.json` names. */
const entryFiles = Array.from(
  readFileSync("package.json", "utf8").matchAll(/"\.\/(dist\/[^"]+)"/g),
  ([, path = ""]) => path,
);
/** Files that the build makes, but for chunks of code. */
const built = [
  ...sources.filter((path) => path.endsWith(".ts")).flatMap(declarationsOf),
  ...entryFiles,
  "dist/chunks/page.html",
  "dist/cli/texts.json",
];

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

/** Returns whether a file is made by the build: a module of an entry point, a chunk, or a declaration. */
function isBuilt(path: string): boolean {
  if (/^dist\/(chunks\/[\w-]+\.(js|js\.map)|chunks\/page\.html|cli\/texts\.json)$/.test(path)) return true;
  const source = path.replace(/^dist/, "src").replace(/\.(d\.ts|d\.ts\.map|js|js\.map)$/, ".ts");
  return path.startsWith("dist/") && sources.includes(source);
}

test("the tarball has the sources, the files built from them, the examples, and the pages without their images", async () => {
  const pages = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", ...globSync("docs/*.{md,json}")];
  const expected = ["package.json", ...pages, ...globSync("examples/*.ts"), ...sources];
  const packed = await packedFiles();
  expect(packed.filter((path) => !isBuilt(path))).toEqual(expected.toSorted());
  expect(packed).toEqual(expect.arrayContaining(built));
});

function declarationsOf(source: string): string[] {
  const target = source.replace(/^src/, "dist").replace(/\.ts$/, "");
  return [`${target}.d.ts`, `${target}.d.ts.map`];
}
