import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** From the bottom up. A file imports only from files above it in this list; a folder's files may import each other. */
const layers = [
  "schedule/",
  "timer-queue.ts",
  "clock.ts",
  "rate-meter.ts",
  "budget.ts",
  "operation.ts",
  "rendering.ts",
  "error-text.ts",
  "errors.ts",
  "parse.ts",
  "machine.ts",
  "progress.ts",
  "options.ts",
  "listeners.ts",
  "mailbox.ts",
  "outcome.ts",
  "callers.ts",
  "log-lines.ts",
  "audience.ts",
  "read.ts",
  "token-fields.ts",
  "token-progress.ts",
  "token.ts",
  "wait.ts",
  "retries.ts",
  "engine.ts",
  "poller.ts",
  "operation-poller.ts",
  "create-poller.ts",
  "group-member.ts",
  "group-progress.ts",
  "group.ts",
  "azure/",
  "history/",
  "index.ts",
  "opentelemetry.ts",
  "bullmq/",
  "testing/",
  "cli/",
];
const pureCore = [
  "operation.ts",
  "rendering.ts",
  "error-text.ts",
  "errors.ts",
  "parse.ts",
  "schedule/",
  "machine.ts",
];

const files = globSync("src/**/*.ts").map((file) => normalize(file).replace(/^src\//, ""));

function rank(file: string): number {
  return layers.findIndex((layer) => file === layer || (layer.endsWith("/") && file.startsWith(layer)));
}

function importsOf(file: string): string[] {
  const source = readFileSync(join("src", file), "utf8");
  return [...source.matchAll(/(?:from|import\() ?"([^"]+)"/g)].map(([, target = ""]) => target);
}

test.each(files)("%s has a layer and imports only from those below it", (file) => {
  expect(rank(file)).toBeGreaterThanOrEqual(0);
  for (const target of importsOf(file).filter((path) => path.startsWith("."))) {
    const imported = normalize(join(dirname(file), target));
    const isSibling = rank(imported) === rank(file) && dirname(file) !== ".";
    expect(isSibling || rank(imported) < rank(file), `${file} imports ${imported}`).toBe(true);
    if (/^(testing|cli)\//.test(file) && !isSibling)
      expect(imported).toMatch(/^(index|testing\/index|bullmq\/index)\.ts$/);
  }
});

test("below the transports nothing is imported from Azure or Node", () => {
  for (const file of files.filter((name) => rank(name) < layers.indexOf("azure/"))) {
    const packages = importsOf(file).filter((path) => !path.startsWith("."));
    expect(packages, file).toEqual(file === "retries.ts" ? ["p-retry"] : []);
  }
});

test("what index.ts has can be bundled for a browser: it imports nothing of Node", () => {
  const bundled = files.filter((name) => rank(name) <= layers.indexOf("index.ts"));
  expect(bundled.flatMap(importsOf).filter((path) => path.startsWith("node:"))).toEqual([]);
});

test("bullmq, which few install, is loaded by bullmq/ alone, and that by the command only when it is asked for", () => {
  for (const file of files.filter((name) => !name.startsWith("bullmq/"))) {
    const source = readFileSync(join("src", file), "utf8");
    expect(source, file).not.toMatch(/from "(bullmq|ioredis)"/);
    expect(source, file).not.toMatch(/^(import|export) (?!type ).*bullmq\/index\.ts"/m);
  }
});

test("only the clock times, and the pure core draws no random numbers", () => {
  for (const file of files.filter((name) => rank(name) < layers.indexOf("azure/") && name !== "clock.ts")) {
    const source = readFileSync(join("src", file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    expect(source, file).not.toMatch(/setTimeout|setInterval|Date\.now|performance\.now/);
    if (pureCore.some((layer) => file.startsWith(layer)))
      expect(source, file).not.toMatch(/Math\.random|async |await /);
  }
});
