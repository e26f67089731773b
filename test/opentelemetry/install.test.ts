import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { moduleUrl } from "../support/library.ts";

interface Manifest {
  readonly dependencies: object;
  readonly devDependencies: object;
}

const manifest: Manifest = JSON.parse(readFileSync("package.json", "utf8"));

/**
 * Creates a folder with the library as the package `lro-poller` and, beside them, only the named packages. The package's
 * `dependencies` are those that `npm install lro-poller` installs.
 */
function installed(packages: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "lro-poller-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const index = fileURLToPath(moduleUrl("index"));
  cpSync(dirname(index), join(folder, "library"), { recursive: true });
  const entries = { ".": "index", "./opentelemetry": "opentelemetry", "./testing": "testing/index" };
  const exports = Object.fromEntries(
    Object.entries(entries).map(([name, file]) => [name, `./library/${file}${extname(index)}`]),
  );
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "lro-poller", type: "module", exports }),
  );
  for (const name of packages) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve("node_modules", name), link);
  }
  return folder;
}

async function run(cwd: string, nodeOptions: readonly string[]): Promise<string[]> {
  const program = join(cwd, "program.ts");
  cpSync(join(import.meta.dirname, "../support/installed-wait.ts"), program);
  const argv = ["--no-warnings", ...nodeOptions, program];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd });
  return stdout.trimEnd().split("\n");
}

test("without OpenTelemetry polls get only a signal, and the entry for metrics names the missing package", async () => {
  const lines = await run(installed(Object.keys(manifest.dependencies)), []);
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    {
      result: "done",
      given: ["abortSignal"],
      metrics: expect.stringMatching(/Cannot find package '@opentelemetry\/api'/),
    },
  ]);
});

test("with the file of docs/operators.md loaded first, ES modules have spans and metrics", async () => {
  const [, code = ""] = /```js\n([^]*?)```/.exec(readFileSync("docs/operators.md", "utf8")) ?? [];
  const named = [...code.matchAll(/"(@[\w-]+\/[\w-]+)/g)].map(([, name = ""]) => name);
  const telemetry = Object.keys(manifest.devDependencies).filter((name) =>
    name.startsWith("@opentelemetry/"),
  );
  const folder = installed([...Object.keys(manifest.dependencies), ...telemetry, ...named]);
  writeFileSync(join(folder, "telemetry.mjs"), code);
  cpSync(join(import.meta.dirname, "../support/console-telemetry.mjs"), join(folder, "sdk.mjs"));
  const lines = await run(folder, ["--import", "./sdk.mjs", "--import", "./telemetry.mjs"]);
  expect(lines).toEqual([
    "HTTP GET",
    "Poller.wait",
    JSON.stringify({ result: "done", given: ["tracingOptions", "abortSignal"], metrics: ["instrument"] }),
    "lro_poller.polls",
    "lro_poller.wait.duration",
  ]);
});
