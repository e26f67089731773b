import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Timeline } from "lro-poller/testing";
import { lacksProgram } from "../support/programs.ts";
import { failing, startServer, succeeding, temporaryFolder } from "./run-cli.ts";

const page = readFileSync("docs/command.md", "utf8");
const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The scripts of the page that call jq, without their indentation, and the output that follows one of them. */
const [, step = ""] = /^ {2}run: \|\n((?: {4}.*\n)+)/m.exec(page) ?? [];
const [, azureStep = ""] = /```sh\n(set .*\n.*\njq .*setvariable.*)\n```/.exec(page) ?? [];
const [, script = "", output = ""] = /```sh\n(code=0\n[^`]*)```\n\n```text\n([^`]*)```/.exec(page) ?? [];

const lacksTools = ["bash", "jq"].some((tool) => lacksProgram(tool, "--version"));

/** The flags that a step's script runs with by default. */
const shellFlags = { gitHub: ["-e", "-c"], azure: ["--noprofile", "--norc", "-c"] };

/** Runs a script in a folder where the package is installed. */
async function runStep(
  body: string,
  folder: string,
  env: Record<string, string> = {},
  flags: readonly string[] = shellFlags.gitHub,
) {
  const bin = join(folder, "node_modules/.bin");
  mkdirSync(bin, { recursive: true });
  const shim = `#!/bin/sh\nexec '${process.execPath}' --no-warnings '${main}' "$@"\n`;
  writeFileSync(join(bin, "lro"), shim, { mode: 0o755 });
  const { GITHUB_ACTIONS: _, TF_BUILD: _azure, ...own } = process.env;
  const child = spawn("bash", [...flags, body], {
    cwd: folder,
    env: { ...own, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const stdout = await text(child.stdout);
  const [exitCode]: unknown[] = await closed;
  return { exitCode, stdout };
}

async function locationOf(timeline: Timeline): Promise<string> {
  return (await startServer()).addOperation({ timeline }).operationLocation;
}

const atEnd = (timeline: Timeline): Timeline => timeline.slice(-1);
const hostile = { uri: "https://box\nother=1", rate: "100%0A" };

test("the page has the scripts", () => {
  expect(step).toContain("set -o pipefail\n");
  expect(script).toContain("exit ");
  expect(azureStep).toContain("##vso[");
});

test.skipIf(lacksTools)("the step of the page has the result as its only output", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "output");
  const OPERATION_LOCATION = await locationOf([{ status: "Succeeded", properties: hostile }]);
  const { exitCode } = await runStep(step, folder, { OPERATION_LOCATION, GITHUB_OUTPUT: file });
  expect(exitCode).toBe(0);
  const [, json = ""] = /^result=(.*)\n$/.exec(readFileSync(file, "utf8")) ?? [];
  expect(JSON.parse(json)).toEqual(hostile);
  const { stdout } = await runStep(azureStep, folder, { OPERATION_LOCATION }, shellFlags.azure);
  const [, data = ""] =
    /^##vso\[task\.setvariable variable=result;isOutput=true\](.*)\n$/m.exec(stdout) ?? [];
  expect(JSON.parse(data.replaceAll("%AZP25", "%"))).toEqual(hostile);
});

test.skipIf(lacksTools)("the step of the page keeps the exit code of a failed operation", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "output");
  const OPERATION_LOCATION = await locationOf(atEnd(failing));
  const { exitCode, stdout } = await runStep(step, folder, { OPERATION_LOCATION, GITHUB_OUTPUT: file });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/\n\{"event":"summary",.*"exitCode":1\}\n$/);
  expect(existsSync(file)).toBe(false);
  expect((await runStep(azureStep, folder, { OPERATION_LOCATION }, shellFlags.azure)).exitCode).toBe(1);
});

test.skipIf(lacksTools)("the script of the page prints the output of the page", async () => {
  const folder = temporaryFolder();
  const timelines = { api: succeeding, web: failing, db: succeeding };
  const lines = await Promise.all(
    Object.entries(timelines).map(async ([name, all]) => `${name}=${await locationOf(atEnd(all))}\n`),
  );
  writeFileSync(join(folder, "operations.txt"), lines.join(""));
  expect(await runStep(script, folder)).toEqual({ exitCode: 1, stdout: output });
});
