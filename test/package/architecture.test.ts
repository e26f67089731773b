import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync("ARCHITECTURE.md", "utf8");

test("the architecture page lists every folder, in the order of the imports", () => {
  const section = page.split(/^## /m).find((text) => text.startsWith("Folders")) ?? "";
  const listed = Array.from(section.matchAll(/^\| `(\w+)` \|/gm), ([, folder]) => folder);
  const families = readFileSync("test/package/imports.test.ts", "utf8");
  const list = /const families = \[\n([^;]*)\];/.exec(families)?.[1] ?? "";
  const folders = Array.from(list.matchAll(/"(\w+)"/g), ([, folder]) => folder);
  expect(folders.length).toBeGreaterThan(8);
  expect(listed).toEqual(folders.toReversed());
});

test("the architecture page names only files that exist", () => {
  const files = globSync("src/**/*.ts").map((file) => file.replace(/^src\//, ""));
  const named = Array.from(
    page.matchAll(/`([\w-]+(?:\/[\w-]+)+|[\w-]+\.ts)(?:\.ts)?`/g),
    ([, name = ""]) => name,
  );
  const paths = named.filter((name) => !/^(build|test)\//.test(name) && !name.startsWith("cli/output"));
  expect(paths.length).toBeGreaterThan(8);
  expect(paths.filter((name) => !files.some((file) => file === name || file === `${name}.ts`))).toEqual([]);
});
