import { execFile, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildInto } from "../../build/build.ts";
import { shells } from "../../src/cli/completion/completion.ts";
import { runCli, startServer, succeeding } from "../cli/run-cli.ts";
import { bundle } from "./page-bundle.ts";

/** A package from where others can be imported, and what `npm run build` makes of it. */
const root = mkdtempSync(resolve("node_modules/.lro-poller-"));
const folder = join(root, "dist");
beforeAll(async () => {
  copyFileSync("package.json", join(root, "package.json"));
  await buildInto(folder);
});
afterAll(() => rmSync(root, { recursive: true }));

test.each(["createPoller, pollUntilDone", "OperationStatusesClient, pollUntilDone"])(
  "a bundler takes as little for %s as of the sources",
  async (names) => {
    const built = await bundle(names, join(folder, "index.js"));
    const source = await bundle(names);
    expect(built.entry.size).toBeLessThan(source.entry.size * 1.005);
    expect(built.loadedLater.size).toBeLessThan(source.loadedLater.size * 1.005 + 100);
  },
);

test("an entry point exports what its source does", async () => {
  const files = globSync("**/*.js", { cwd: folder, exclude: ["chunks/**", "cli/**"] });
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const built: object = await import(/* @vite-ignore */ join(folder, file));
    const source: object = await import(/* @vite-ignore */ resolve("src", file.replace(/js$/, "ts")));
    expect(Object.keys(built).toSorted(), file).toEqual(Object.keys(source).toSorted());
  }
});

function importsOf(file: string): string[] {
  const imports = readFileSync(file, "utf8").matchAll(/^(?:import|export) .*?"(\.[^"]+)";$/gm);
  return Array.from(imports, ([, path = ""]) => join(dirname(file), path));
}

test("the files form no circle, in which one would run before what it needs", () => {
  const visit = (file: string, path: readonly string[]): void => {
    expect(path, file).not.toContain(file);
    for (const imported of importsOf(file)) visit(imported, [...path, file]);
  };
  for (const file of globSync(`${folder}/**/*.js`)) visit(file, []);
});

/** Returns the files that are loaded with one. */
function filesFor(file: string): ReadonlySet<string> {
  return new Set([file, ...importsOf(file).flatMap((imported) => [...filesFor(imported)])]);
}

test("a wait loads the widths of texts only when it draws", () => {
  const files = ["chunks/process.js", "chunks/wait.js"].flatMap((file) => [...filesFor(join(folder, file))]);
  for (const file of files)
    expect(readFileSync(file, "utf8"), file).not.toMatch(/from "(string-width|log-update)"/);
});

test("metrics load no package of Azure: what OpenTelemetry instruments is imported after them", () => {
  for (const file of filesFor(join(folder, "opentelemetry.js")))
    expect(readFileSync(file, "utf8"), file).not.toContain('from "@azure');
});

test("the root needs few files, and the outcome of a durable step no poller", () => {
  expect(filesFor(join(folder, "index.js")).size).toBeLessThan(8);
  const names = Array.from(filesFor(join(folder, "durable/outcome.js")), (file) => file.slice(folder.length));
  expect(names.join(" ")).not.toMatch(/poller|azure/);
});

test.each([
  "--version --help",
  "help --help",
  "queue help add",
  "help queue add",
  "completion cmd",
  "help nothing",
  "wiat --help",
  "wiat",
  "wait --hlep",
])("the built command prints for %j what commander does", async (words) => {
  expect(runBuilt(words.split(" "))).toEqual(await runCli(words.split(" ")));
});

test("an argument with a space is no two words", async () => {
  expect(runBuilt(["wait --help"])).toEqual(await runCli(["wait --help"]));
});

test.each([
  "--version",
  "-V",
  "--help",
  "-h",
  "help",
  "wait --help",
  "wait -h",
  "help wait",
  "queue add -h",
  ...shells.map((shell) => `completion ${shell}`),
])("%j loads nothing but the texts of the build", async (words) => {
  const alone = join(root, "alone");
  cpSync(join(folder, "cli"), alone, { recursive: true });
  expect(runBuilt(words.split(" "), alone)).toEqual(await runCli(words.split(" ")));
});

test("a wait loads no fetch of Node's", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: succeeding.slice(2) });
  const script = `process.on("exit", () => console.log(process.moduleLoadList.join("\\n")))`;
  const preload = ["--import", `data:text/javascript,${encodeURIComponent(script)}`];
  const argv = [...preload, join(folder, "cli/main.js"), "wait", operationLocation];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { encoding: "utf8" });
  expect(stdout).toMatch(/Succeeded[^]*NativeModule http$/m);
  expect(stdout).not.toContain("undici/undici");
});

function runBuilt(argv: readonly string[], at = join(folder, "cli")): object {
  const child = spawnSync(process.execPath, [join(at, "main.js"), ...argv], { encoding: "utf8" });
  return { exitCode: child.status, stdout: child.stdout, stderr: child.stderr };
}
