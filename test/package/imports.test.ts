import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/**
 * The families of `src`, from the bottom up: folders, and the few files beside them. A file imports only from families
 * above its own in this list, and from its own folder.
 */
const families = [
  ["abort.ts", "validate.ts", "redaction.ts", "timer-heap.ts"],
  ["schedule"],
  ["clock.ts"],
  ["operation"],
  ["limiter"],
  ["state"],
  ["poller"],
  ["group"],
  ["azure"],
  ["history"],
  ["index.ts"],
  ["arm"],
  ["opentelemetry.ts", "durable"],
  ["bullmq"],
  ["testing"],
  ["cli"],
];
/** The pure core: no clock, no network, no Azure, no randomness. */
const pureCore = ["schedule", "operation", "state"];
/** The folders inside a family, from the bottom up; files beside them are above. */
const subfolders: Readonly<Record<string, readonly string[]>> = {
  azure: ["telemetry", "http", "lro", "sdk"],
  cli: ["input", "output", "completion", "commands"],
};

const files = globSync("src/**/*.ts").map((file) => normalize(file).replace(/^src\//, ""));

function familyOf(file: string): string {
  return file.split("/")[0] ?? file;
}

function rank(file: string): number {
  return families.findIndex((names) => names.includes(familyOf(file)));
}

/** Returns the rank inside a family that has folders of its own. */
function innerRank(file: string): number {
  const [family = "", folder = "", ...rest] = file.split("/");
  const place = rest.length === 0 ? -1 : (subfolders[family]?.indexOf(folder) ?? -1);
  return place < 0 ? Infinity : place;
}

function packagesAndFiles(file: string): readonly string[] {
  const source = readFileSync(join("src", file), "utf8");
  return [...source.matchAll(/(?:from|import\() ?"([^"]+)"/g)].map(([, target = ""]) => target);
}

function importsOf(file: string): readonly string[] {
  const targets = packagesAndFiles(file).filter((path) => path.startsWith("."));
  return targets.map((target) => normalize(join(dirname(file), target)));
}

test.each(files)("%s belongs to a family and imports only from those below it", (file) => {
  expect(rank(file)).toBeGreaterThanOrEqual(0);
  for (const imported of importsOf(file)) {
    const isOwnFamily = familyOf(imported) === familyOf(file);
    const isBelow = isOwnFamily ? innerRank(imported) <= innerRank(file) : rank(imported) < rank(file);
    expect(isBelow, `${file} imports ${imported}`).toBe(true);
  }
});

test("the command and the test kit import only the public entries and redaction.ts", () => {
  for (const file of files.filter((name) => /^(testing|cli)\//.test(name))) {
    const foreign = importsOf(file).filter((imported) => familyOf(imported) !== familyOf(file));
    for (const imported of foreign) {
      expect(imported, file).toMatch(/^(index|redaction|arm\/index|testing\/index|bullmq\/index)\.ts$/);
    }
  }
});

test("imports form no circle, and no path is longer than 12 folders", () => {
  // A node is a folder, or a file beside the folders.
  const nodeOf = (file: string): string => (dirname(file) === "." ? file : dirname(file));
  const below = new Map<string, Set<string>>();
  for (const file of files) {
    const targets = below.get(nodeOf(file)) ?? new Set();
    for (const imported of importsOf(file))
      if (nodeOf(imported) !== nodeOf(file)) targets.add(nodeOf(imported));
    below.set(nodeOf(file), targets);
  }
  const levels = new Map<string, number>();
  const levelOf = (node: string, path: readonly string[]): number => {
    expect(path, "a circle").not.toContain(node);
    const targets = Array.from(below.get(node) ?? [], (target) => levelOf(target, [...path, node]));
    const level = levels.get(node) ?? 1 + Math.max(0, ...targets);
    levels.set(node, level);
    return level;
  };
  const highest = Math.max(...Array.from(below.keys(), (node) => levelOf(node, [])));
  expect(highest).toBeLessThanOrEqual(12);
});

test("no file imports itself through others", () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    expect(path, file).not.toContain(file);
    if (done.has(file)) return;
    for (const imported of importsOf(file)) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test("below the transports only is-network-error is imported, in one file", () => {
  for (const file of files.filter(
    (name) => rank(name) < families.findIndex(([name0]) => name0 === "azure"),
  )) {
    const packages = packagesAndFiles(file).filter((path) => !path.startsWith("."));
    expect(packages, file).toEqual(file === "operation/errors.ts" ? ["is-network-error"] : []);
  }
});

test("index.ts can be bundled for a browser: it imports nothing of Node", () => {
  const bundled = files.filter((name) => rank(name) <= rank("index.ts"));
  expect(bundled.flatMap(packagesAndFiles).filter((path) => path.startsWith("node:"))).toEqual([]);
});

test("only bullmq/ imports bullmq, which few install, and the command loads it only when it is needed", () => {
  for (const file of files.filter((name) => !name.startsWith("bullmq/"))) {
    const source = readFileSync(join("src", file), "utf8");
    expect(source, file).not.toMatch(/from "(bullmq|ioredis)"/);
    expect(source, file).not.toMatch(/^(import|export) (?!type ).*bullmq\/index\.ts"/m);
  }
});

test("only the clock has timers, and the pure core has no random numbers", () => {
  for (const file of files.filter((name) => rank(name) < rank("azure") && name !== "clock.ts")) {
    const source = readFileSync(join("src", file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    expect(source, file).not.toMatch(/setTimeout|setInterval|Date\.now|performance\.now/);
    if (pureCore.includes(familyOf(file))) expect(source, file).not.toMatch(/Math\.random|async |await /);
  }
});
