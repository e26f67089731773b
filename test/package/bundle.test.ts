import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";

interface Bundle {
  readonly modules: readonly string[];
  /** Bytes, minified and gzipped. */
  readonly size: number;
}

/** What a page loads that imports only these names. */
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

test("the engine comes without Azure", async () => {
  const { modules, size } = await bundle("createPoller, pollUntilDone");
  expect(modules.filter((id) => /@azure|@typespec|\/src\/azure\//.test(id))).toEqual([]);
  expect(size).toBeLessThan(15_800);
});

test("the client comes without the command, the test kit and the history of durations", async () => {
  const { modules, size } = await bundle("OperationStatusesClient, pollUntilDone");
  expect(modules.filter((id) => /\/src\/(cli|testing|history)\//.test(id))).toEqual([]);
  expect(size).toBeLessThan(39_400);
});

test("the front page says what each dependency is for", () => {
  const {
    dependencies,
    peerDependencies,
  }: Record<string, Record<string, string>> = JSON.parse(readFileSync("package.json", "utf8"));
  const readme = readFileSync("README.md", "utf8");
  const [, reasons = ""] = /^Dependencies, and why: (.*)$/m.exec(readme) ?? [];
  const named = Array.from(reasons.matchAll(/`([^`]+)`/g), ([, name = ""]) => name);
  expect(named.toSorted()).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).toSorted());
});
