import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

/** The sources, and beside them what `npm install` of the package brings, and nothing that this repository adds. */
function installedWithout(): string {
  const folder = mkdtempSync(join(tmpdir(), "lro-poller-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync("src", join(folder, "src"), { recursive: true });
  cpSync("package.json", join(folder, "package.json"));
  const { dependencies }: { dependencies: object } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const name of Object.keys(dependencies)) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve("node_modules", name), link);
  }
  return folder;
}

test("without @opentelemetry/api all is well, reads are given no more than a signal, and metrics say what lacks", async () => {
  const cwd = installedWithout();
  const script = join(import.meta.dirname, "support/wait-without-opentelemetry.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", script], { cwd });
  const { result, given, refusal } = JSON.parse(stdout);
  expect(result).toBe("done");
  expect(given).toEqual(["abortSignal"]);
  expect(refusal).toMatch(/Cannot find package '@opentelemetry\/api'/);
});
