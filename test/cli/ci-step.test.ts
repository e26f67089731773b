import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { Timeline } from "lro-poller/testing";
import { fakeNpm, installCommand, runScript } from "../support/installed-command.ts";
import { lacksProgram } from "../support/programs.ts";
import { failing, startServer, succeeding, temporaryFolder } from "./run-cli.ts";

interface Input {
  readonly description: string;
  readonly default?: string;
}

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: string;
}

interface Action {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly outputs: Readonly<Record<string, { readonly description: string; readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

/** A file of steps for Azure Pipelines. */
interface Template {
  readonly steps: readonly {
    readonly name?: string;
    readonly env: Readonly<Record<string, string>>;
    readonly inputs: { readonly inlineScript: string };
  }[];
}

// It has no types.
const { load }: { readonly load: (yaml: string) => Action & Template } = createRequire(import.meta.url)(
  "js-yaml",
);

const action: Action = load(readFileSync("action.yml", "utf8"));
const actionStep = action.runs.steps.find(({ id }) => id === "wait");
const recipes = readFileSync("docs/recipes.md", "utf8");
const page = readFileSync("docs/command.md", "utf8");

const [, template = ""] = /^```yaml\n(parameters:\n[^`]*)```/m.exec(recipes) ?? [];
const [, script = "", output = ""] = /```sh\n(code=0\n[^`]*)```\n\n```text\n([^`]*)```/.exec(page) ?? [];

const lacksBash = lacksProgram("bash", "--version");

/** The flags that a step's script runs with by default. */
const shellFlags = {
  gitHub: ["--noprofile", "--norc", "-e", "-o", "pipefail"],
  azure: ["--noprofile", "--norc"],
};

async function ended(child: ReturnType<typeof runScript>) {
  const closed = once(child, "close");
  const stdout = await text(child.stdout);
  const [exitCode]: unknown[] = await closed;
  return { exitCode, stdout };
}

async function locationOf(timeline: Timeline): Promise<string> {
  return (await startServer()).addOperation({ timeline }).operationLocation;
}

/** Returns the inputs of the action that a run gives, by the names of the variables that its script gets. */
function variablesOf(inputs: Readonly<Record<string, string>>): Record<string, string> {
  const values = Object.entries(actionStep?.env ?? {}).map(([variable, expression]) => {
    const [, name = ""] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(expression) ?? [];
    return [variable, inputs[name] ?? action.inputs[name]?.default ?? ""] as const;
  });
  return Object.fromEntries(values);
}

/** Starts the action's script where the package is already installed. */
function startAction(inputs: Readonly<Record<string, string>>, shim?: string) {
  const folder = temporaryFolder();
  installCommand(join(folder, "lro-poller"));
  if (shim !== undefined) writeFileSync(join(folder, "lro-poller/node_modules/.bin/lro"), shim);
  fakeNpm(join(folder, "bin"));
  const files = { output: join(folder, "output"), summary: join(folder, "summary") };
  for (const file of Object.values(files)) writeFileSync(file, "");
  const child = runScript(actionStep?.run ?? "", shellFlags.gitHub, {
    cwd: folder,
    env: {
      ...variablesOf(inputs),
      PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
      RUNNER_TEMP: folder,
      GITHUB_ACTIONS: "true",
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
    },
  });
  return { child, folder, files };
}

/** Reads a file of outputs as the runner does. */
function outputsIn(file: string): Record<string, string> {
  const outputs = readFileSync(file, "utf8").matchAll(/^([\w-]+)<<(.+)\n([^]*?)\n\2\n/gm);
  return Object.fromEntries(Array.from(outputs, ([, name = "", , value = ""]) => [name, value]));
}

async function runAction(inputs: Readonly<Record<string, string>>) {
  const { child, folder, files } = startAction(inputs);
  const run = await ended(child);
  return { ...run, folder, outputs: outputsIn(files.output), summary: readFileSync(files.summary, "utf8") };
}

const atEnd = (timeline: Timeline): Timeline => timeline.slice(-1);
const hostile = { uri: "https://box\nother=1\nresult<<x", rate: "100%0A", command: "##vso[x]::y::##[z]" };

test("the action is a composite one, and uses each of its inputs and outputs", () => {
  const { runs, inputs, outputs } = action;
  expect([action.name, action.description].join("")).not.toBe("");
  expect(runs.using).toBe("composite");
  for (const step of runs.steps) {
    expect("uses" in step).not.toBe("run" in step);
    if ("run" in step) expect(step.shell).toBe("bash");
    // Not in the script: there an expression would be a part of the program.
    expect(step.run ?? "").not.toContain("${{");
  }
  const used = runs.steps.flatMap(({ env = {} }) => Object.values(env));
  expect(used.toSorted()).toEqual(
    Object.keys(inputs)
      .map((name) => `\${{ inputs.${name} }}`)
      .toSorted(),
  );
  const set = Object.entries(outputs).map(([name, { value }]) => [name, value]);
  expect(set).toEqual(
    ["status", "result", "resume-token"].map((name) => [name, `\${{ steps.wait.outputs.${name} }}`]),
  );
  for (const { description } of [...Object.values(inputs), ...Object.values(outputs)])
    expect(description).toMatch(/\.$/);
});

test("the page names the inputs and outputs of the action", () => {
  const [, gitHub = ""] = recipes.split(/^## A step of .*$/m);
  const [, inputs = "", outputs = ""] = gitHub.split(/^\| (?:Input|Output) \| Value \|$/m);
  const named = (table: string): (string | undefined)[] =>
    Array.from(table.matchAll(/^\| (`.*?`) \|/gm), ([, cell = ""]) => cell)
      .join(", ")
      .match(/[\w-]+/g) ?? [];
  expect(named(inputs)).toEqual(expect.arrayContaining(Object.keys(action.inputs)));
  expect(named(inputs)).toHaveLength(Object.keys(action.inputs).length);
  expect(named(outputs)).toEqual(Object.keys(action.outputs));
});

test("the action and the pages name the version of the package", () => {
  const { version }: Record<string, string> = JSON.parse(readFileSync("package.json", "utf8"));
  expect(action.inputs["version"]?.default).toBe(version);
  const named = Array.from(recipes.matchAll(/lro-poller@v?(\d[\w.-]*)/g), ([, found]) => found);
  expect(new Set(named)).toEqual(new Set([version]));
});

test.skipIf(lacksBash)("the action sets the status and the result, and installs its version", async () => {
  const url = await locationOf([{ status: "Succeeded", properties: hostile }]);
  const { exitCode, outputs, summary, folder } = await runAction({ url });
  expect(exitCode).toBe(0);
  const { result = "", ...rest } = outputs;
  expect(rest).toEqual({ status: "Succeeded" });
  expect(JSON.parse(result)).toEqual(hostile);
  expect(summary).toContain("Succeeded");
  const installed = readFileSync(join(folder, "bin/npm-arguments"), "utf8");
  expect(installed).toContain(
    `\n${join(folder, "lro-poller")}\nlro-poller@${action.inputs["version"]?.default ?? ""}\n`,
  );
});

test.skipIf(lacksBash)("the action passes its inputs on as words, not as a part of its script", async () => {
  const inputs = {
    url: "$(touch evil)\n; touch evil",
    timeout: "30m; touch evil",
    "stall-timeout": "5m",
    scope: "https://example.org/.default",
    args: "--quiet  --name=* $(touch",
  };
  const { child, folder } = startAction(inputs, `#!/bin/sh\nprintf '<%s>' "$@"; cat\n`);
  const { exitCode, stdout } = await ended(child);
  expect(exitCode).toBe(0);
  const options = ["--timeout", "30m; touch evil", "--stall-timeout", "5m"];
  const words = ["wait", "--step-outputs", "--summary", "--from", "-", ...options];
  words.push("--scope", "https://example.org/.default", "--quiet", "--name=*", "$(touch");
  expect(stdout).toBe(`${words.map((word) => `<${word}>`).join("")}$(touch evil)\n; touch evil\n`);
  expect(existsSync(join(folder, "evil"))).toBe(false);
});

test.skipIf(lacksBash)("a failed operation fails the action", async () => {
  const url = `web=${await locationOf(atEnd(failing))}\ndb=${await locationOf(atEnd(succeeding))}`;
  const { exitCode, outputs } = await runAction({ url });
  expect(exitCode).toBe(1);
  expect(JSON.parse(outputs["status"] ?? "")).toEqual({ web: "Failed", db: "Succeeded" });
});

test.skipIf(lacksBash)("a canceled job leaves a token, with which the action continues", async () => {
  const server = await startServer();
  const { operationLocation, operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
  const { child, files } = startAction({ url: operationLocation });
  const end = ended(child);
  await expect.poll(() => server.requests.length).toBeGreaterThan(0);
  child.kill("SIGTERM");
  expect(await end).toMatchObject({ exitCode: 143 });
  const { "resume-token": token = "", ...rest } = outputsIn(files.output);
  expect(rest).toEqual({ status: "Running" });
  expect(readFileSync(files.summary, "utf8")).toContain("To continue waiting");
  server.setStatus(operationId, "Succeeded");
  const { exitCode, outputs } = await runAction({ "resume-token": token });
  expect(exitCode).toBe(0);
  expect(outputs).toEqual({ status: "Succeeded", result: "null" });
});

test.skipIf(lacksBash)("the template of Azure Pipelines sets the same outputs", async () => {
  const { steps }: Template = load(template);
  const step = steps.find(({ name }) => name === "wait");
  expect(step?.env).toEqual({ URL: "${{ parameters.url }}", TIMEOUT: "${{ parameters.timeout }}" });
  const folder = temporaryFolder();
  installCommand(join(folder, "lro-poller"));
  fakeNpm(join(folder, "bin"));
  const env = {
    TF_BUILD: "True",
    AGENT_TEMPDIRECTORY: folder,
    PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
    TIMEOUT: "1h",
    URL: await locationOf([{ status: "Succeeded", properties: hostile }]),
  };
  const child = runScript(step?.inputs.inlineScript ?? "", shellFlags.azure, { cwd: folder, env });
  const { exitCode, stdout } = await ended(child);
  expect(exitCode).toBe(0);
  const set = stdout.matchAll(/^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$/gm);
  const outputs = Object.fromEntries(Array.from(set, ([, name, value = ""]) => [name, value]));
  expect(Object.keys(outputs)).toEqual(["status", "result"]);
  expect(outputs["status"]).toBe("Succeeded");
  expect(JSON.parse(outputs["result"]?.replaceAll("%AZP25", "%") ?? "")).toEqual(hostile);
});

test.skipIf(lacksBash || lacksProgram("jq", "--version"))(
  "the script of the page prints the output of the page",
  async () => {
    expect(script).toContain("exit ");
    const folder = temporaryFolder();
    installCommand(folder);
    const timelines = { api: succeeding, web: failing, db: succeeding };
    const lines = await Promise.all(
      Object.entries(timelines).map(async ([name, all]) => `${name}=${await locationOf(atEnd(all))}\n`),
    );
    writeFileSync(join(folder, "operations.txt"), lines.join(""));
    const run = await ended(runScript(script, shellFlags.gitHub, { cwd: folder, env: {} }));
    expect(run).toMatchObject({ exitCode: 1, stdout: output });
    expect(existsSync(join(folder, "events.jsonl"))).toBe(true);
  },
);
