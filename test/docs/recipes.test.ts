import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { startOperationServer } from "lro-poller/testing";
import type { Timeline } from "lro-poller/testing";
import { failing } from "../runtimes/plans.ts";
import { lacksProgram } from "../support/programs.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const [, block = ""] = /run: \|\n((?: {10}.*\n)+)/.exec(readFileSync("docs/recipes.md", "utf8")) ?? [];
const script = block.replaceAll(/^ {10}/gm, "");

const lacksTools = ["bash", "jq"].some((tool) => lacksProgram(tool, "--version"));

interface Step {
  readonly exitCode: unknown;
  readonly outputs: string;
}

/** Runs the recipe's step for an operation of an emulator, by the shell and the flags that GitHub Actions use. */
async function runStep(timeline: Timeline): Promise<Step> {
  await using server = await startOperationServer();
  const folder = mkdtempSync(join(tmpdir(), "step-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  const command = `#!/bin/sh\nexec "${process.execPath}" --no-warnings "${main}" "$@"\n`;
  writeFileSync(join(folder, "node_modules/.bin/lro"), command, { mode: 0o755 });
  const outputFile = join(folder, "outputs");
  const step = spawn("bash", ["-e", "-c", script], {
    cwd: folder,
    stdio: "ignore",
    env: {
      ...process.env,
      GITHUB_ACTIONS: "true",
      GITHUB_OUTPUT: outputFile,
      OPERATION_LOCATION: server.addOperation({ timeline }).operationLocation,
    },
  });
  const [exitCode]: unknown[] = await once(step, "close");
  return { exitCode, outputs: existsSync(outputFile) ? readFileSync(outputFile, "utf8") : "" };
}

describe.skipIf(lacksTools)("the step of GitHub Actions", () => {
  test("gives the result as an output, on one line", async () => {
    const properties = { provisioningState: "Succeeded", note: "two\nlines" };
    const { exitCode, outputs } = await runStep([{ status: "Succeeded", properties }]);
    expect(exitCode).toBe(0);
    expect(outputs).toBe(`result=${JSON.stringify(properties)}\n`);
  });

  test("has the exit code of lro wait when the operation fails", async () => {
    expect(await runStep(failing.slice(-1))).toEqual({ exitCode: 1, outputs: "" });
  });
});
